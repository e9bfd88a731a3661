"""Diameters of a tube, the aorta, on planes across its centreline; the mask is given."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import errors_of, limit
from knowledge.errors import ContractError
from knowledge.model import Frozen
from tools.imaging.ct.centreline import Way, centreline, smoothed
from tools.imaging.ct.model import GivenMask, Mask, Point, Volume
from tools.toolbox import Card, tool

_ANGLES = 90


class Plane(Frozen):
    """One plane across the centreline.

    Args:
        at_mm: Way along the centreline from its first end.
        centre_lps: Where it crosses, mm.
        long_mm: Largest diameter in the plane.
        short_mm: Largest across that.
        mean_mm: Of the circle of equal area.
    """

    at_mm: float
    centre_lps: Point
    long_mm: float
    short_mm: float
    mean_mm: float


class AortaMeasures(Frozen):
    """Diameters along the aorta.

    Args:
        length_mm: Of the centreline.
        planes: From its first end; the ends themselves are not measured.
        largest: The plane of the largest mean diameter.
        mask_of: Who made the mask, as given.
    """

    length_mm: float
    planes: tuple[Plane, ...]
    largest: Plane
    mask_of: str


AORTA_CARD = Card(
    title="Aortic diameters on centreline planes of a given mask",
    group="imaging",
    topic="aorta",
    needs=("a CT or its grid", "a mask of the aorta, of a person or a model"),
    refuses=(
        "slices further apart than 3 mm",
        "a mask in pieces, too short, too wide",
    ),
    limits=(
        "Only as right as the mask; wall or lumen is what the mask holds.",
        "About 10 mm at either end are not measured; a plane that leaves the volume is left out.",
    ),
    accuracy=errors_of("aorta"),
    on_request=True,
    regulatory="device-function",
)


@tool(card=AORTA_CARD, version="1")
def ct_aorta(series: Volume, mask: GivenMask) -> AortaMeasures:
    """Return the diameters of an aorta across its centreline, in a mask that was given.

    Args:
        series: The series the mask lies on.
        mask: Of the aorta, in one piece.

    Raises:
        ContractError: See `aorta`.
    """
    return aorta(series, mask.voxels, mask_of=mask.made_by)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Section:
    long_mm: float
    short_mm: float
    mean_mm: float
    centre: NDArray[np.float64]


def aorta(volume: Volume, mask: Mask, *, mask_of: str) -> AortaMeasures:
    """Return the diameters of an aorta along its centreline.

    Args:
        volume: The series the mask lies on; its values are not used.
        mask: (slices, rows, columns) bool.
        mask_of: Who or what made it, for the record.

    Raises:
        ContractError: Slices too far apart; a mask of another shape, empty, in several pieces, too
            short or too wide.
    """
    if volume.spacing_mm[0] > limit("aorta_spacing_max"):
        raise ContractError(
            "aorta", f"the slices are {volume.spacing_mm[0]:.3g} mm apart", "give thinner slices"
        )
    if mask.shape != volume.hu.shape:
        raise ContractError("mask", "has another size than the series", "give one of the series")
    tube = _one_piece(mask)
    way = centreline(tube, volume.spacing_mm)
    length = way.length_mm
    if length < limit("aorta_length_min"):
        raise ContractError("mask", f"is {length:.0f} mm long: too short", "mark the aorta")
    smooth = _blurred(tube)
    trim = min(_radius(tube, volume.spacing_mm), length / 4)
    way = _recentred(smooth, volume.spacing_mm, way, trim=trim).extended(trim)
    way = _recentred(smooth, volume.spacing_mm, way, trim=0.0)
    planes = tuple(_planes(volume, smooth, way))
    if not planes:
        raise ContractError("mask", "no plane crosses it whole", "mark more of the aorta")
    largest = max(planes, key=lambda p: p.mean_mm)
    if largest.long_mm > limit("aorta_diameter_max"):
        raise ContractError("mask", f"is {largest.long_mm:.0f} mm wide: no aorta", "mark the aorta")
    return AortaMeasures(
        length_mm=round(length, 1), planes=planes, largest=largest, mask_of=mask_of
    )


def _one_piece(mask: Mask) -> Mask:
    from scipy import ndimage

    labels, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    if not count:
        raise ContractError("mask", "is empty", "mark the aorta")
    sizes = np.bincount(labels.ravel())[1:]
    if sizes.sum() > 1.1 * sizes.max():
        raise ContractError("mask", f"is in {count} pieces", "give the aorta in one piece")
    piece: Mask = labels == 1 + int(sizes.argmax())
    return piece


def _radius(tube: Mask, spacing: tuple[float, float, float]) -> float:
    from scipy import ndimage

    where = ndimage.find_objects(tube.astype(np.uint8))[0]
    depth = ndimage.distance_transform_edt(np.pad(tube[where], 1), sampling=spacing)
    return float(depth.max())


def _recentred(
    tube: NDArray[np.float32], spacing: tuple[float, float, float], way: Way, *, trim: float
) -> Way:
    """Return the way through the centres of the cross sections.

    A path between the two furthest points begins and ends in a corner of a wide tube; the centres
    of its cross sections lie on the axis, save near the ends, which `trim` leaves out.
    """
    centres = []
    for at in _places(way, trim):
        point, along = way.at(at)
        section = _section(tube, spacing, point, along)
        if section is not None:
            centres.append(section.centre)
    if len(centres) < 4:  # no way through fewer
        raise ContractError("mask", "fewer than four planes cross it whole", "mark more of it")
    return smoothed(np.array(centres))


def _places(way: Way, trim: float) -> list[float]:
    last = way.length_mm - trim + 1e-6
    return [float(a) for a in np.arange(trim, last, limit("aorta_step"))]


def _planes(volume: Volume, tube: NDArray[np.float32], way: Way) -> list[Plane]:
    """Return the planes that the tube crosses whole, along the way."""
    found = []
    for at in _places(way, min(limit("aorta_end"), way.length_mm / 4)):
        point, along = way.at(at)
        plane = _section(tube, volume.spacing_mm, point, along)
        if plane is None:
            continue
        index = plane.centre / np.array(volume.spacing_mm)
        centre = volume.point((float(index[0]), float(index[1]), float(index[2])))
        found.append(
            Plane(
                at_mm=round(at, 1),
                centre_lps=(round(centre[0], 1), round(centre[1], 1), round(centre[2], 1)),
                long_mm=round(plane.long_mm, 1),
                short_mm=round(plane.short_mm, 1),
                mean_mm=round(plane.mean_mm, 1),
            )
        )
    return found


def _blurred(tube: Mask) -> NDArray[np.float32]:
    from scipy import ndimage

    blurred: NDArray[np.float32] = ndimage.gaussian_filter(tube.astype(np.float32), 0.5)
    return blurred


def _section(
    tube: NDArray[np.float32],
    spacing: tuple[float, float, float],
    point: NDArray[np.float64],
    along: NDArray[np.float64],
) -> "_Section | None":
    """Return the cross section of a plane; None where there is none or it is cut off."""
    from scipy import ndimage

    step, half = limit("aorta_plane"), limit("aorta_diameter_max") * 0.6
    first = np.cross(along, np.eye(3)[int(np.argmin(np.abs(along)))])
    first /= np.linalg.norm(first)
    second = np.cross(along, first)
    ticks = np.arange(-half, half + step, step)
    points = (
        point[:, None, None]
        + first[:, None, None] * ticks[None, :, None]
        + second[:, None, None] * ticks[None, None, :]
    )
    scale = np.array(spacing)[:, None, None]
    values = ndimage.map_coordinates(tube, points / scale, order=1, cval=-1.0)
    labels, _ = ndimage.label(values > 0.5)  # half a voxel of the mask
    middle = len(ticks) // 2
    label = labels[middle, middle]
    if label == 0:
        return None
    here = labels == label
    if (ndimage.binary_dilation(here, iterations=2) & (values < 0)).any():
        return None  # the plane leaves the volume: cut off
    outer = np.argwhere(here & ~ndimage.binary_erosion(here)).astype(float)
    half_steps = [(a, b) for a in (-0.5, 0.5) for b in (-0.5, 0.5)]
    corners = np.concatenate([outer + d for d in half_steps])
    angles = np.arange(_ANGLES) * np.pi / _ANGLES
    widths = np.ptp(corners @ np.array([np.cos(angles), np.sin(angles)]), axis=0) * step
    at = int(widths.argmax())
    rows, columns = np.argwhere(here).mean(axis=0)
    return _Section(
        long_mm=float(widths[at]),
        short_mm=float(widths[(at + _ANGLES // 2) % _ANGLES]),
        mean_mm=2 * float(np.sqrt(here.sum() * step**2 / np.pi)),
        centre=point + first * ticks[0] + first * rows * step
        + second * ticks[0] + second * columns * step,
    )  # fmt: skip
