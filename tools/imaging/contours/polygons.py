"""Outlines of a plane's pixels as polygons, and the pixels that polygons enclose.

Coordinates are (row, column) of pixel centres. An outline runs half way between the last pixel
inside and the first outside, so the pixels whose centres it encloses are those it was made of.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.imaging.ct.model import Mask

Polygon = NDArray[np.float64]
"""(points, 2): row and column; the last point is not the first again."""

_CORNERS = 3


def outlines(plane: Mask) -> list[Polygon]:
    """Return the outlines of a plane (rows, columns): outer ones and those of holes.

    Examples:
        >>> [polygon.tolist() for polygon in outlines(np.array([[True]]))]
        [[[0.5, 0.0], [0.0, -0.5], [-0.5, 0.0], [0.0, 0.5]]]
    """
    from skimage.measure import find_contours

    wide = np.pad(plane, 1).astype(np.float32)
    found = find_contours(wide, 0.5, fully_connected="low")
    return [_straight(np.asarray(one[:-1], dtype=np.float64) - 1) for one in found]


def filled(polygons: Sequence[Polygon], shape: tuple[int, int]) -> tuple[Mask, bool]:
    """Return the pixels that polygons enclose an odd number of times, and whether any overlap.

    Args:
        polygons: Of one plane; a polygon inside another is a hole in it.
        shape: Rows, columns.
    """
    from skimage.measure import grid_points_in_poly

    plane: Mask = np.zeros(shape, dtype=np.bool_)
    overlap = False
    for polygon in polygons:
        low = np.maximum(np.floor(polygon.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + 1, shape)
        if len(polygon) < _CORNERS or (high <= low).any():
            continue
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        inside = grid_points_in_poly(size, polygon - low)
        part = plane[low[0] : high[0], low[1] : high[1]]
        overlap = overlap or bool((part & inside).any())
        part ^= inside
    return plane, overlap


def _straight(polygon: Polygon) -> Polygon:
    """Return a polygon without the points that lie on the straight line of their neighbours."""
    before, after = np.roll(polygon, 1, axis=0), np.roll(polygon, -1, axis=0)
    first, second = polygon - before, after - polygon
    bend = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) > 1e-9
    return polygon[bend]
