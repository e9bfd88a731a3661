"""Whether slices make one even stack, and where it lies; everything else is refused by name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from knowledge.errors import ContractError
from tools.imaging.ct.slice_header import SliceHeader

_AGAIN = "export the whole series again"


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """Slices in order.

    Args:
        slices: From feet to head.
        spacing_mm: Distance of slices, of rows, of columns.
        affine_lps: (column, row, slice, 1) to LPS mm.
        notes: What must be known of it.
    """

    slices: tuple[SliceHeader, ...]
    spacing_mm: tuple[float, float, float]
    affine_lps: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def stacked(slices: Sequence[SliceHeader]) -> Stack:
    """Return the slices as one even stack.

    Args:
        slices: Of one series, in any order.

    Raises:
        ContractError: No even, axial, unsheared stack; names the file and the reason.
    """
    for one in slices:
        _check_slice(one)
    _check_alike(slices)
    rows = np.array(slices[0].orientation).reshape(2, 3)
    normal = np.cross(rows[0], rows[1])
    normal = normal if normal[2] >= 0 else -normal
    _check_axial(slices[0].file, normal)
    ordered, notes = _ordered(slices, normal)
    positions = np.array([one.position for one in ordered])
    along = positions @ normal
    _check_distances(ordered, along)
    step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    _check_tilt(ordered, step, normal)
    row_mm, column_mm = slices[0].spacing_mm
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = rows[0] * column_mm, rows[1] * row_mm
    affine[:3, 2], affine[:3, 3] = step, positions[0]
    distance = float(np.linalg.norm(step))
    thickness = ordered[0].thickness_mm
    if thickness is not None and distance > thickness * 1.05:
        notes.append(f"slices of {thickness:g} mm every {distance:.3g} mm: not contiguous")
    return Stack(
        slices=tuple(ordered),
        spacing_mm=(distance, row_mm, column_mm),
        affine_lps=affine,
        notes=tuple(notes),
    )


def _check_slice(one: SliceHeader) -> None:
    if len(one.orientation) != 6 or len(one.position) != 3:  # PS3.3 C.7.6.2
        raise ContractError(one.file, "states no position or orientation in the patient", _AGAIN)
    if len(one.spacing_mm) != 2:  # rows, columns
        raise ContractError(one.file, "states no pixel spacing: nothing can be measured", _AGAIN)
    if not all(0 < value <= limit("spacing_max") for value in one.spacing_mm):
        shown = " x ".join(f"{value:g}" for value in one.spacing_mm)
        raise ContractError(one.file, f"the pixel spacing is stated as {shown} mm", _AGAIN)
    if not one.rows or not one.columns or one.samples != 1:
        raise ContractError(one.file, "is no grey image of known size", _AGAIN)
    first, second = np.array(one.orientation).reshape(2, 3)
    off = max(abs(first @ first - 1), abs(second @ second - 1), abs(first @ second))
    if off > limit("orientation_tolerance"):
        raise ContractError(one.file, "row and column directions are not at right angles", _AGAIN)


def _check_alike(slices: Sequence[SliceHeader]) -> None:
    first = slices[0]
    for one in slices[1:]:
        for name, what in (
            ("rows", "number of rows"), ("columns", "number of columns"), ("kernel", "kernel"),
            ("thickness_mm", "slice thickness"), ("frame", "frame of reference"),
            ("kvp", "tube voltage"),
        ):  # fmt: skip
            if getattr(one, name) != getattr(first, name):
                raise ContractError(
                    one.file,
                    f"mixed series: another {what} than {first.file}",
                    "give one reconstruction of one acquisition",
                )
        if not np.allclose(one.orientation, first.orientation, atol=1e-3):
            raise ContractError(
                one.file,
                f"mixed series: another orientation than {first.file}",
                "give one reconstruction of one acquisition",
            )
        if not np.allclose(one.spacing_mm, first.spacing_mm, rtol=1e-3):
            raise ContractError(
                one.file,
                f"mixed series: another pixel spacing than {first.file}",
                "give one reconstruction of one acquisition",
            )


def _check_axial(file: str, normal: NDArray[np.float64]) -> None:
    angle = _degrees(normal, np.array([0.0, 0.0, 1.0]))
    if angle > limit("axial_angle_max"):
        raise ContractError(
            file, f"not axial: the slices stand {angle:.0f} degrees off", "give the axial series"
        )


def _ordered(
    slices: Sequence[SliceHeader], normal: NDArray[np.float64]
) -> tuple[list[SliceHeader], list[str]]:
    """Return the slices from feet to head, each place once, and what was left out."""
    notes: list[str] = []
    by_instance: dict[str, SliceHeader] = {}
    distinct: list[SliceHeader] = []
    for one in slices:
        twin = by_instance.setdefault(one.instance, one) if one.instance else one
        if twin is not one and twin.position == one.position:
            notes.append(f"{one.file} is a copy of {twin.file} and left out")
        elif twin is not one:
            raise ContractError(
                one.file, f"has the instance UID of {twin.file} at another place", _AGAIN
            )
        else:
            distinct.append(one)
    if len(distinct) < limit("slices_min"):
        raise ContractError(
            distinct[0].file,
            f"{len(distinct)} slice{'s' * (len(distinct) > 1)}: no volume",
            "give the whole series",
        )
    return sorted(distinct, key=lambda s: (float(np.dot(s.position, normal)), s.file)), notes


def _check_distances(ordered: Sequence[SliceHeader], along: NDArray[np.float64]) -> None:
    steps = np.diff(along)
    median = float(np.median(steps))
    tolerance = max(median * limit("spacing_tolerance") / 100, limit("spacing_tolerance_mm"))
    for step, before, after in zip(steps, ordered, ordered[1:], strict=False):
        if step <= limit("spacing_tolerance_mm"):
            raise ContractError(
                after.file,
                f"duplicate slice: at the place of {before.file}",
                "give one acquisition and one reconstruction",
            )
    if not 0 < median <= limit("spacing_max"):
        raise ContractError(
            ordered[0].file, f"the slices are {median:.3g} mm apart", "give the thin series"
        )
    for step, before, after in zip(steps, ordered, ordered[1:], strict=False):
        off = abs(float(step) - median)
        if off <= tolerance:
            continue
        times = step / median
        if step > median and abs(times - round(times)) * median <= tolerance * round(times):
            missing = round(times) - 1
            raise ContractError(
                after.file,
                f"gap: {missing} slice{'s' * (missing > 1)} missing after {before.file}",
                _AGAIN,
            )
        raise ContractError(
            after.file,
            f"uneven spacing: {step:.3g} mm after {before.file} where the series has "
            f"{median:.3g} mm",
            "give an evenly reconstructed series",
        )


def _check_tilt(
    ordered: Sequence[SliceHeader], step: NDArray[np.float64], normal: NDArray[np.float64]
) -> None:
    angle = max(_degrees(step, normal), abs(ordered[0].tilt_deg))
    if angle > limit("tilt_max"):
        raise ContractError(
            ordered[0].file,
            f"gantry tilt of {angle:.1f} degrees: the stack is sheared",
            "give a series without tilt",
        )


def _degrees(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    cosine = abs(float(a @ b)) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(min(1.0, cosine))))
