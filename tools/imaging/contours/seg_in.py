"""Segments of a DICOM Segmentation (PS3.3 A.51, A.97) on the voxels of a series."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from knowledge.errors import (
    ContractError,
    InputError,
    TooLargeError,
    UnreadableError,
    UnsupportedError,
)
from tools.imaging.contours.header import AGAIN, check_frame, damage, damaged
from tools.imaging.contours.model import Structure, origin_of
from tools.imaging.ct.model import Mask, Volume
from tools.imaging.decoding import Decoding

_GRID = "give the segmentation on the grid of this series"
_FRACTION = 0.5


def seg_structures(ds: Any, volume: Volume, *, file: str) -> tuple[Structure, ...]:
    """Return the segments that hold a voxel, in the order of their numbers.

    Args:
        ds: The data set.
        volume: The series that they were made on.
        file: Name of the file, for messages.

    Raises:
        ContractError: Another frame of reference or grid; frames outside of the series; nothing in
            it.
        UnreadableError: Damaged.
        UnsupportedError: A kind or an encoding that is not read.
        TooLargeError: More frames than a series may have voxels.
    """
    check_frame(ds.get("FrameOfReferenceUID"), volume, file, what="it")
    try:
        described = {int(one.SegmentNumber): one for one in ds.SegmentSequence}
        masks = _masks(ds, volume, file)
        found = tuple(
            _structure(number, described[number], masks[number]) for number in sorted(masks)
        )
    except InputError:
        raise
    except (NotImplementedError, RuntimeError) as error:
        raise UnsupportedError(
            file, "no decoder for the encoding of its pixels", "export it uncompressed"
        ) from error
    except damage() as error:
        raise damaged(file, error) from error
    if not found:
        raise ContractError(file, "nothing is marked", "give a segmentation with something in it")
    return found


def _structure(number: int, described: Any, mask: Mask) -> Structure:
    kind = origin_of(described.get("SegmentAlgorithmType"))
    return Structure(
        number=number,
        name=str(described.get("SegmentLabel", "") or "").strip() or f"segment {number}",
        mask=mask,
        origin=kind,
        maker=str(described.get("SegmentAlgorithmName", "") or "").strip(),
    )


def _masks(ds: Any, volume: Volume, file: str) -> dict[int, Mask]:
    """Return the marked voxels by segment number."""
    count = int(ds.get("NumberOfFrames", 1))
    if count * int(ds.Rows) * int(ds.Columns) > limit("voxels_max"):
        raise TooLargeError(file, f"has {count} frames", "export fewer segments at a time")
    kind = str(ds.get("SegmentationType", "")).strip()
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise UnsupportedError(file, f"a segmentation of kind {kind!r}", AGAIN)
    if (int(ds.Rows), int(ds.Columns)) != volume.hu.shape[1:]:
        raise ContractError(file, "has another number of rows or columns than the series", _GRID)
    if len(ds.PerFrameFunctionalGroupsSequence) != count:
        raise UnreadableError(file, "damaged: it does not describe each of its frames", AGAIN)
    with Decoding():
        decoded = ds.pixel_array
    pixels = np.asarray(decoded).reshape(count, int(ds.Rows), int(ds.Columns))
    shared = (ds.get("SharedFunctionalGroupsSequence") or [None])[0]
    found: dict[int, Mask] = {}
    for frame, groups in enumerate(ds.PerFrameFunctionalGroupsSequence):
        level = _level(groups, shared, volume, file)
        if kind == "LABELMAP":
            for number in np.unique(pixels[frame]):
                if number:
                    _add(found, int(number), level, pixels[frame] == number, volume)
            continue
        number = int(
            _group(groups, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber
        )
        most = float(ds.MaximumFractionalValue) if kind == "FRACTIONAL" else 1.0
        _add(found, number, level, pixels[frame] >= _FRACTION * most, volume)
    return {number: mask for number, mask in found.items() if mask.any()}


def _add(
    found: dict[int, Mask], number: int, level: int, plane: NDArray[np.bool_], volume: Volume
) -> None:
    mask = found.setdefault(number, np.zeros(volume.hu.shape, dtype=np.bool_))
    mask[level] |= plane


def _group(groups: Any, shared: Any | None, name: str) -> Any:
    """Return a functional group of a frame, its own or the shared one (PS3.3 C.7.6.16)."""
    for place in (groups, shared):
        sequence = None if place is None else place.get(name)
        if sequence:
            return sequence[0]
    raise KeyError(name)


def _level(groups: Any, shared: Any | None, volume: Volume, file: str) -> int:
    """Return the slice of a frame after comparing its whole geometry with the series."""
    position = _numbers(_group(groups, shared, "PlanePositionSequence").ImagePositionPatient)
    turned = _numbers(_group(groups, shared, "PlaneOrientationSequence").ImageOrientationPatient)
    rows_mm, columns_mm = _numbers(_group(groups, shared, "PixelMeasuresSequence").PixelSpacing)
    affine = volume.affine_lps
    own = np.c_[affine[:3, 0], affine[:3, 1]]
    theirs = np.c_[turned[:3] * columns_mm, turned[3:] * rows_mm]
    far = np.array(volume.hu.shape[2:0:-1])  # columns, rows
    if float(np.abs((own - theirs) * far).max()) > limit("contour_grid_tolerance") * columns_mm:
        raise ContractError(file, "a frame has another orientation or spacing", _GRID)
    column, row, level, _ = np.linalg.solve(affine, [*position, 1.0])
    nearest = round(float(level))
    if max(abs(column), abs(row)) > limit("contour_grid_tolerance"):
        raise ContractError(file, "a frame is shifted against the series", _GRID)
    if abs(level - nearest) > limit("contour_plane_tolerance"):
        raise ContractError(file, "a frame lies between the slices of the series", _GRID)
    if not 0 <= nearest < volume.hu.shape[0]:
        raise ContractError(file, "a frame lies outside of the series", _GRID)
    return nearest


def _numbers(values: Any) -> NDArray[np.float64]:
    return np.array([float(v) for v in values], dtype=np.float64)
