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


def outlines(plane: Mask) -> list[Polygon]:
    """Return the outlines of a plane (rows, columns), one for each connected part.

    A hole is joined to its outline by a channel of no width, as PS3.3 C.8.8.6.3 has it (keyhole),
    so no outline lies over another.

    Examples:
        >>> [polygon.tolist() for polygon in outlines(np.array([[True]]))]
        [[[0.5, 0.0], [0.0, -0.5], [-0.5, 0.0], [0.0, 0.5]]]
    """
    from skimage.measure import find_contours

    wide = np.pad(plane, 1).astype(np.float32)
    found = find_contours(wide, 0.5, fully_connected="low")  # type: ignore[no-untyped-call]
    polygons = [_straight(np.asarray(one[:-1], dtype=np.float64) - 1) for one in found]
    areas = [_signed_area(one) for one in polygons]
    # outlines wind one way round what is inside, and the other way round holes
    outer = sorted((i for i, area in enumerate(areas) if area > 0), key=lambda i: abs(areas[i]))
    holes: dict[int, list[Polygon]] = {i: [] for i in outer}
    for i, area in enumerate(areas):
        if area < 0:
            around = next(o for o in outer if _holds(polygons[o], polygons[i][0]))
            holes[around].append(polygons[i])
    return [_with_holes(polygons[i], holes[i]) for i in sorted(outer)]


def filled(polygons: Sequence[Polygon], shape: tuple[int, int]) -> tuple[Mask, bool]:
    """Return the pixels that polygons enclose an odd number of times, and whether any overlap.

    Args:
        polygons: Of one plane; a polygon inside another is a hole in it.
        shape: Rows, columns.
    """
    plane: Mask = np.zeros(shape, dtype=np.bool_)
    overlap = False
    for polygon in polygons:
        inside = _enclosed(polygon, shape)
        overlap = overlap or bool((plane & inside).any())
        plane ^= inside
    return plane, overlap


def _enclosed(polygon: Polygon, shape: tuple[int, int]) -> Mask:
    """Return the pixels with an odd number of edges to the right of their centres."""
    rows, columns = shape
    start, end = polygon, np.roll(polygon, -1, axis=0)
    first = np.clip(np.ceil(np.minimum(start[:, 0], end[:, 0])), 0, rows).astype(int)
    last = np.clip(np.ceil(np.maximum(start[:, 0], end[:, 0])), 0, rows).astype(int)
    count = last - first  # rows between the ends of each edge, the lower end with it
    edge = np.repeat(np.arange(len(polygon)), count)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    way = end[edge] - start[edge]
    across = start[edge, 1] + (row - start[edge, 0]) / way[:, 0] * way[:, 1]
    crossings = np.zeros((rows, columns + 1), dtype=np.int32)
    np.add.at(crossings, (row, np.clip(np.ceil(across), 0, columns).astype(int)), 1)
    right = crossings[:, ::-1].cumsum(axis=1)[:, ::-1]
    found: Mask = right[:, 1:] % 2 == 1
    return found


def _holds(polygon: Polygon, point: NDArray[np.float64]) -> bool:
    start, end = polygon, np.roll(polygon, -1, axis=0)
    crosses = (start[:, 0] <= point[0]) != (end[:, 0] <= point[0])
    start, way = start[crosses], (end - start)[crosses]
    across = start[:, 1] + (point[0] - start[:, 0]) / way[:, 0] * way[:, 1]
    return int((across > point[1]).sum()) % 2 == 1


def _with_holes(outer: Polygon, holes: Sequence[Polygon]) -> Polygon:
    """Return one polygon that goes from its nearest point into each hole and back."""
    ways: dict[int, list[Polygon]] = {}
    for hole in holes:
        far = ((outer[:, None] - hole[None]) ** 2).sum(axis=2)
        here, there = np.unravel_index(int(far.argmin()), far.shape)
        turned = np.roll(hole, -int(there), axis=0)
        ways.setdefault(int(here), []).append(np.vstack([turned, turned[:1], outer[here]]))
    if not ways:
        return outer
    parts = [np.vstack([point[None], *ways.get(at, [])]) for at, point in enumerate(outer)]
    return np.vstack(parts)


def _signed_area(polygon: Polygon) -> float:
    after = np.roll(polygon, -1, axis=0)
    return 0.5 * float((polygon[:, 1] * after[:, 0] - after[:, 1] * polygon[:, 0]).sum())


def _straight(polygon: Polygon) -> Polygon:
    """Return a polygon without the points that lie on the straight line of their neighbours."""
    before, after = np.roll(polygon, 1, axis=0), np.roll(polygon, -1, axis=0)
    first, second = polygon - before, after - polygon
    bend = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) > 1e-9
    return polygon[bend]
