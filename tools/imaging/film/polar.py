"""One closed outline around a point: the best of all at once, by dynamic programming.

The film is unrolled around the middle of a lung, in ellipses of the lung's own proportions. At each
angle the outline lies where dark turns to bright and everything nearer to the middle is dark.
Blurring along the angle takes out ribs, which cross the outline, and keeps the outline.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tools.imaging.film.model import Grey, Mask

ANGLES, RADII = 144, 72
_STEP = 4
_NEAR = 4
_BEND = 0.02
_FORBIDDEN = 50.0

Numbers = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an outline is weighed.

    Args:
        level: Flattened grey between lung and what is not.
        lower_up: By how much less it is towards the head.
        raise_down: By how much more it is towards the feet.
        edge: Weight of the step from dark to bright.
        inside: Weight of darkness within.
    """

    level: float
    lower_up: float = 0.0
    raise_down: float = 0.0
    edge: float = 6.0
    inside: float = 0.06


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """A closed outline.

    Args:
        rows, columns: Of its points, one for each angle; 0 leads to the right of the picture and
            angles go on towards its lower edge.
        steps: Flattened grey gained in one pixel outwards at each point.
        blocked: Whether a point lies at the edge of what may be outlined.
    """

    rows: Numbers = field(repr=False)
    columns: Numbers = field(repr=False)
    steps: Numbers = field(repr=False)
    blocked: Mask = field(repr=False)

    def mask(self, shape: tuple[int, ...]) -> Mask:
        """Return what is inside, (rows, columns)."""
        from skimage.draw import polygon2mask

        points = np.column_stack([self.rows, self.columns])
        found: Mask = polygon2mask(shape, points)  # type: ignore[no-untyped-call]
        return found


def outline(flat: Grey, forbidden: Mask, seed: Mask, settings: Settings) -> Outline:
    """Return the outline around a seed region.

    Args:
        flat: (rows, columns), of `flattened`.
        forbidden: Where it may not lead.
        seed: A part of what is outlined.
        settings: Weights.
    """
    found = max(
        (_around(flat, forbidden, seed, centre, settings) for centre in _centres(seed)),
        key=lambda one: _covered(one, seed),
    )
    grown = found.mask(flat.shape)
    if grown.sum() <= seed.sum() / 2:
        return found
    again = [_around(flat, forbidden, grown, centre, settings) for centre in _centres(grown)]
    return max(again, key=lambda one: _covered(one, grown | seed))


def _centres(seed: Mask) -> tuple[tuple[float, float], ...]:
    """Return points that may see the whole region: its centroid, and the middle of its middle row.

    From the second, the strip of lung beside a large heart is seen.
    """
    rows, columns = np.nonzero(seed)
    first, last = np.percentile(rows, [2, 98])
    middle = (first + last) / 2
    near = np.abs(rows - middle) <= _NEAR
    centroid = float(rows.mean()), float(columns.mean())
    return (centroid, (float(middle), float(columns[near].mean()))) if near.any() else (centroid,)


def _covered(found: Outline, seed: Mask) -> float:
    """Return which share of a region is inside an outline, to one in fifty."""
    return round(50 * float(np.mean(found.mask(seed.shape)[seed]))) / 50


def _around(
    flat: Grey, forbidden: Mask, seed: Mask, centre: tuple[float, float], settings: Settings
) -> Outline:
    ends = [np.percentile(v, [2, 98]) for v in np.nonzero(seed)]
    tall, wide = (float(np.abs(e - c).max()) for e, c in zip(ends, centre, strict=True))
    reach_y = min(1.3 * tall + 8, 0.5 * flat.shape[0])
    reach_x = min(1.7 * wide + 10, 0.3 * flat.shape[1])
    angles = np.arange(ANGLES) * 2 * np.pi / ANGLES
    radii = (np.arange(RADII) + 1) / RADII
    y = centre[0] + np.outer(np.sin(angles), radii) * reach_y
    x = centre[1] + np.outer(np.cos(angles), radii) * reach_x
    pixel = np.hypot(np.cos(angles) * reach_x, np.sin(angles) * reach_y)[:, None] / RADII
    values = ndimage.map_coordinates(flat, [y, x], order=1, mode="nearest").astype(np.float64)
    block = ndimage.map_coordinates(
        forbidden.astype(np.float32), [y, x], order=1, mode="constant", cval=1.0
    )
    closed = np.cumsum(block > 0.5, axis=1) > 0
    along = ndimage.gaussian_filter1d(values, 3.5, axis=0, mode="wrap")
    steps = ndimage.gaussian_filter1d(along, 1.5, axis=1, order=1, mode="nearest") / pixel
    down = np.sin(angles)[:, None]
    level = settings.level + np.where(
        down < 0, settings.lower_up * down, settings.raise_down * down
    )
    bright = np.cumsum(np.clip(values - level, -1.0, 1.2) * pixel, axis=1)
    cost = settings.inside * bright - settings.edge * np.clip(steps, -0.05, 0.25)
    cost[closed] = _FORBIDDEN
    chosen = closed_path(cost)
    at = np.arange(ANGLES), chosen
    beyond = np.minimum(chosen + 2, RADII - 1)
    return Outline(
        rows=y[at],
        columns=x[at],
        steps=steps[at],
        blocked=closed[at[0], beyond] | (chosen >= RADII - 2),
    )


def closed_path(cost: Numbers) -> NDArray[np.int64]:
    """Return for each angle the radius of the cheapest path that ends about where it began.

    Args:
        cost: (angles, radii).

    Examples:
        >>> cost = np.ones((8, 5)); cost[:, 2] = 0
        >>> [int(r) for r in closed_path(cost)]
        [2, 2, 2, 2, 2, 2, 2, 2]
    """
    angles, radii = cost.shape
    half = angles // 2
    around = np.concatenate([cost[-half:], cost, cost[:half]])
    offsets = np.arange(-_STEP, _STEP + 1)
    bend = _BEND * np.abs(offsets) ** 1.5
    total, back = around[0].copy(), np.zeros(around.shape, dtype=np.int64)
    every = np.arange(radii)
    for place in range(1, len(around)):
        wide = np.full(radii + 2 * _STEP, np.inf)
        wide[_STEP:-_STEP] = total
        ways = np.stack(
            [wide[_STEP + o : _STEP + o + radii] + b for o, b in zip(offsets, bend, strict=True)]
        )
        best = ways.argmin(axis=0)
        total = ways[best, every] + around[place]
        back[place] = offsets[best]
    path = np.zeros(len(around), dtype=np.int64)
    path[-1] = total.argmin()
    for place in range(len(around) - 1, 0, -1):
        path[place - 1] = path[place] + back[place][path[place]]
    return path[half : half + angles]
