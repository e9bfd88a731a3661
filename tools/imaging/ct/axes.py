"""Long and short axis of a nodule on the axial slice where it is largest."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.imaging.ct.model import Mask
from tools.imaging.ct.nodule_region import Region

_FINE = 3
_ANGLES = 90
_LARGE_SHARE = 0.54
"""Slices with a smaller share of the largest cross section are not looked at."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Two axes at right angles on one axial slice.

    Args:
        long_mm, short_mm: Their lengths.
        level: The slice of the region.
    """

    long_mm: float
    short_mm: float
    level: int

    @property
    def mean_mm(self) -> float:
        """Mean of the two."""
        return (self.long_mm + self.short_mm) / 2


def axes(around: Region, mask: Mask, threshold: float) -> Axes:
    """Return the longest axis and the longest across it, on the axial slice of their largest mean.

    The edge is where the value crosses the threshold between the points of the grid.

    Args:
        around: The region.
        mask: The nodule in it; not empty.
        threshold: Value at its edge, HU.
    """
    areas = mask.sum(axis=(1, 2))
    best: Axes | None = None
    for level in np.nonzero(areas > _LARGE_SHARE * areas.max())[0]:
        points = _edge(around, mask[level], int(level), threshold)
        widths = _widths(points)
        at = int(widths.argmax())
        across = float(widths[(at + _ANGLES // 2) % _ANGLES])
        here = Axes(long_mm=float(widths[at]), short_mm=across, level=int(level))
        if best is None or here.mean_mm > best.mean_mm:
            best = here
    if best is None:
        raise ValueError("an empty mask has no axes")
    return best


def _edge(around: Region, plane: Mask, level: int, threshold: float) -> NDArray[np.float64]:
    """Return the corners of the finely resampled cross section, (n, 2) mm."""
    from scipy import ndimage

    where = ndimage.find_objects(plane.astype(np.uint8))[0]
    cut = tuple(slice(max(0, w.start - 2), w.stop + 2) for w in where)
    near = ndimage.binary_dilation(plane[cut])
    values = around.hu[level][cut]
    rows = np.arange(0, values.shape[0] - 1 + 1e-9, 1 / _FINE)
    columns = np.arange(0, values.shape[1] - 1 + 1e-9, 1 / _FINE)
    grid = np.meshgrid(rows, columns, indexing="ij")
    fine = ndimage.map_coordinates(values, grid, order=1)
    inside = ndimage.map_coordinates(near.astype(np.float32), grid, order=0) > 0
    found = (fine > threshold) & inside
    labels, count = ndimage.label(found)
    if not count:
        points = np.argwhere(plane[cut]).astype(float)
        return np.concatenate([(points + d) * around.grid_mm for d in _corners(0.5)])
    largest = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    points = np.argwhere(largest & ~ndimage.binary_erosion(largest)).astype(float)
    step = around.grid_mm / _FINE
    return np.concatenate([(points + d) * step for d in _corners(0.5)])


def _corners(half: float) -> NDArray[np.float64]:
    return np.array([(a, b) for a in (-half, half) for b in (-half, half)])


def _widths(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the width of a set of points in every direction of the plane, mm."""
    angles = np.arange(_ANGLES) * np.pi / _ANGLES
    along = points @ np.array([np.cos(angles), np.sin(angles)])
    widths: NDArray[np.float64] = np.ptp(along, axis=0)
    return widths
