"""Structures of an RT Structure Set (PS3.3 A.19) on the voxels of a series."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from knowledge.errors import ContractError, InputError, TooLargeError, UnreadableError
from tools.imaging.contours.header import AGAIN, check_frame, damage, damaged
from tools.imaging.contours.model import Structure, origin_of
from tools.imaging.contours.polygons import Polygon, filled
from tools.imaging.ct.model import Mask, Volume

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")  # PS3.3 C.8.8.6.1
_HOLE = "one contour lies in another and is taken as a hole in it"
_PLANES = "give the contours of this series"
_OUTSIDE = 1.0


def rtstruct_structures(ds: Any, volume: Volume, *, file: str) -> tuple[Structure, ...]:
    """Return the regions that have closed contours, in the order of their numbers.

    A voxel belongs to a region where its centre lies in an odd number of its contours.

    Args:
        ds: The data set.
        volume: The series that they were drawn on.
        file: Name of the file, for messages.

    Raises:
        ContractError: Another frame of reference; contours between the slices or outside of the
            series; no closed contour at all.
        UnreadableError: Damaged.
        TooLargeError: Too many points.
    """
    try:
        _check_whole(ds, file)
        named = {int(one.ROINumber): one for one in ds.get("StructureSetROISequence") or ()}
        drawn = {int(one.ReferencedROINumber): one for one in ds.get("ROIContourSequence") or ()}
        found = [
            one
            for number in sorted(named)
            if (one := _region(named[number], drawn.get(number), volume, file)) is not None
        ]
    except InputError:
        raise
    except damage() as error:
        raise damaged(file, error) from error
    if not found:
        raise ContractError(file, "holds no closed contour: nothing has an area", AGAIN)
    return tuple(found)


def _check_whole(ds: Any, file: str) -> None:
    """Refuse a file that was cut: fewer contours would look like a smaller structure."""
    # the observations, type 1 of every structure set (PS3.3 C.8.8.8), stand after the contours
    whole = "RTROIObservationsSequence" in ds and all(
        int(contour.NumberOfContourPoints) * 3 == len(contour.ContourData)
        for drawn in ds.get("ROIContourSequence") or ()
        for contour in drawn.get("ContourSequence") or ()
    )
    if not whole:
        raise UnreadableError(file, "truncated: it ends before its contours do", AGAIN)


def _region(named: Any, drawn: Any | None, volume: Volume, file: str) -> Structure | None:
    items = list(drawn.get("ContourSequence") or ()) if drawn is not None else []
    closed = [one for one in items if str(one.ContourGeometricType).strip() in _CLOSED]
    if not closed:
        return None
    name = str(named.get("ROIName", "") or "").strip() or f"region {named.ROINumber}"
    check_frame(
        named.get("ReferencedFrameOfReferenceUID"), volume, file, what=f"structure {name!r}"
    )
    notes = []
    if len(closed) < len(items):
        notes.append(f"{len(items) - len(closed)} points or open lines were left out")
    mask, overlap = _filled(closed, volume, f"{file}, structure {name!r}")
    if overlap and any(str(o.ContourGeometricType).strip() == _CLOSED[0] for o in closed):
        notes.append(_HOLE)
    notes += _gaps(mask)
    return Structure(
        number=int(named.ROINumber),
        name=name,
        mask=mask,
        origin=origin_of(named.get("ROIGenerationAlgorithm")),
        maker=str(named.get("ROIGenerationDescription", "") or "").strip(),
        notes=tuple(notes),
    )


def _filled(items: Sequence[Any], volume: Volume, item: str) -> tuple[Mask, bool]:
    to_index = np.asarray(np.linalg.inv(volume.affine_lps), dtype=np.float64)
    planes: dict[int, list[Polygon]] = {}
    most = limit("contour_points_max")
    points = 0
    for one in items:
        data: NDArray[np.float64] = np.array([float(v) for v in one.ContourData])
        points += data.size // 3  # x, y, z
        if points > most:
            raise TooLargeError(item, f"has more than {most:g} points", "export fewer")
        level, polygon = _placed(data, to_index, volume, item)
        planes.setdefault(level, []).append(polygon)
    mask: Mask = np.zeros(volume.hu.shape, dtype=np.bool_)
    overlap = False
    for level, polygons in planes.items():
        mask[level], holes = filled(polygons, (volume.hu.shape[1], volume.hu.shape[2]))
        overlap = overlap or holes
    if not mask.any():
        raise ContractError(item, "its contours hold no voxel", _PLANES)
    return mask, overlap


def _placed(
    data: NDArray[np.float64], to_index: NDArray[np.float64], volume: Volume, item: str
) -> tuple[int, Polygon]:
    """Return the slice of a contour, and its points as rows and columns of it."""
    if data.size % 3 or not data.size or not np.isfinite(data).all():  # x, y, z
        raise ContractError(item, "a contour has not three numbers for each point", AGAIN)
    points = np.c_[data.reshape(-1, 3), np.ones(data.size // 3)] @ to_index.T
    column, row, level = points[:, 0], points[:, 1], points[:, 2]
    nearest = round(float(level.mean()))
    if float(np.abs(level - nearest).max()) > limit("contour_plane_tolerance"):
        raise ContractError(item, "a contour lies between the slices of the series", _PLANES)
    inside = 0 <= nearest < volume.hu.shape[0] and all(
        float(v.min()) >= -0.5 - _OUTSIDE and float(v.max()) <= n - 0.5 + _OUTSIDE
        for v, n in ((row, volume.hu.shape[1]), (column, volume.hu.shape[2]))
    )
    if not inside:
        raise ContractError(item, "a contour lies outside of the series", _PLANES)
    return nearest, np.stack([row, column], axis=1)


def _gaps(mask: Mask) -> list[str]:
    """Say where slices between the first and the last have no contour."""
    levels = np.nonzero(mask.any(axis=(1, 2)))[0]
    empty = int(levels[-1] - levels[0] + 1 - len(levels))
    if not empty:
        return []
    return [f"{empty} slices between its first and its last have no contour; nothing was filled in"]
