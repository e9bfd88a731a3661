"""The centreline of a tube: the path between its two far ends that keeps to the middle."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from knowledge.errors import ContractError
from tools.imaging.ct.model import Mask

_NEIGHBOURS = [
    (k, j, i) for k in (-1, 0, 1) for j in (-1, 0, 1) for i in (-1, 0, 1) if (k, j, i) > (0, 0, 0)
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Way:
    """A smooth path.

    Args:
        points: (n, 3) float64, mm from the first voxel along slices, rows, columns.
        along_mm: (n,) way from the first point.
    """

    points: NDArray[np.float64] = field(repr=False)
    along_mm: NDArray[np.float64] = field(repr=False)

    @property
    def length_mm(self) -> float:
        """The whole way."""
        return float(self.along_mm[-1])

    def at(self, mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the point and the direction of the path at a way from its beginning."""
        return self._point(mm), self._direction(mm)

    def extended(self, mm: float) -> "Way":
        """Return the path with a straight piece at either end."""
        first, last = self._direction(0.0), self._direction(self.length_mm)
        points = np.vstack([self.points[0] - first * mm, self.points, self.points[-1] + last * mm])
        return Way(points=points, along_mm=np.r_[0.0, self.along_mm + mm, self.length_mm + 2 * mm])

    def _point(self, mm: float) -> NDArray[np.float64]:
        return np.array([np.interp(mm, self.along_mm, self.points[:, k]) for k in range(3)])

    def _direction(self, mm: float) -> NDArray[np.float64]:
        way = self._point(min(mm + 3, self.length_mm)) - self._point(max(mm - 3, 0.0))
        direction: NDArray[np.float64] = way / np.linalg.norm(way)
        return direction


def centreline(tube: Mask, spacing: tuple[float, float, float]) -> Way:
    """Return the centreline of a tube, from its lower or front end.

    Args:
        tube: (slices, rows, columns) bool, in one piece.
        spacing: Distance of slices, rows, columns, mm.

    Raises:
        ContractError: Too few voxels for a path.
    """
    from scipy import ndimage
    from scipy.sparse import csgraph

    dijkstra: Any = csgraph.dijkstra  # its stubs take no plain index
    where = ndimage.find_objects(tube.astype(np.uint8))[0]
    part = np.pad(tube[where], 1)
    if part.sum() < 100:  # nothing a path could be found in
        raise ContractError("mask", "holds too few voxels", "mark the aorta")
    depth = ndimage.distance_transform_edt(part, sampling=spacing)
    graph, nodes = _graph(part, depth, spacing, cost=False)
    start = int(np.argmax(dijkstra(graph, indices=_deepest(depth[part]))))
    ways = dijkstra(graph, indices=start)
    end = int(np.argmax(np.where(np.isfinite(ways), ways, -1)))
    graph, nodes = _graph(part, depth, spacing, cost=True)
    _, before = dijkstra(graph, indices=start, return_predecessors=True)
    path = [end]
    while path[-1] != start:
        path.append(int(before[path[-1]]))
        if path[-1] < 0:
            raise ContractError("mask", "its ends are not joined", "give the aorta in one piece")
    offset = np.array([w.start - 1 for w in where])
    points = (nodes[path] + offset) * np.array(spacing)
    if points[0, 0] > points[-1, 0]:
        points = points[::-1]
    return smoothed(points)


def _deepest(depths: NDArray[np.float64]) -> int:
    return int(np.argmax(depths))


def _graph(
    part: Mask, depth: NDArray[np.float64], spacing: tuple[float, float, float], *, cost: bool
) -> tuple[Any, NDArray[np.int64]]:
    """Return the voxels as a graph of neighbours; with `cost` the middle is cheap."""
    from scipy.sparse import csr_matrix

    number = np.full(part.shape, -1, dtype=np.int64)
    nodes = np.argwhere(part)
    number[part] = np.arange(len(nodes))
    widest = float(depth.max())
    price = 1 + (10 * (1 - depth / widest)) ** 3 if cost else np.ones_like(depth)
    rows, columns, weights = [], [], []
    for step in _NEIGHBOURS:
        here = tuple(
            slice(max(0, -s), n - max(0, s)) for s, n in zip(step, part.shape, strict=True)
        )
        there = tuple(
            slice(max(0, s), n - max(0, -s)) for s, n in zip(step, part.shape, strict=True)
        )
        both = part[here] & part[there]
        length = float(np.linalg.norm(np.array(step) * spacing))
        rows.append(number[here][both])
        columns.append(number[there][both])
        weights.append(length * (price[here][both] + price[there][both]) / 2)
    count = len(nodes)
    a, b, w = (np.concatenate(x) for x in (rows, columns, weights))
    graph = csr_matrix((np.r_[w, w], (np.r_[a, b], np.r_[b, a])), shape=(count, count))
    return graph, nodes


def smoothed(points: NDArray[np.float64]) -> Way:
    """Return a path resampled every mm and smoothed, its ends kept."""
    from scipy import ndimage

    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    along = np.r_[0.0, np.cumsum(steps)]
    even = np.arange(0, along[-1], 1.0)
    fine = np.stack([np.interp(even, along, points[:, k]) for k in range(3)], axis=1)
    soft = ndimage.gaussian_filter1d(fine, limit("aorta_smoothing"), axis=0, mode="nearest")
    soft[0], soft[-1] = fine[0], fine[-1]
    way = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(soft, axis=0), axis=1))]
    return Way(points=soft, along_mm=way)
