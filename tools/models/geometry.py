"""Turning, resampling and fitting of arrays, and the way back.

Everything is a chain of affine maps along the axes: index of the result = (index of the source) x
scale + shift, per axis. So a box or a mask of the model goes back to the pixels of the file.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_OPPOSITE = dict(zip("LRAPIS", "RLPASI", strict=True))
_BLOCK = 32  # results of one matrix product: few enough that their pixels lie together
_AXIS = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}


def axis_order(have: str, want: str) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Return how the array axes (slices, rows, columns) are exchanged and which are turned round.

    Args:
        have: Of the array: where columns, rows and slices lead to.
        want: Likewise.

    Returns:
        For each axis of the result the axis of the source, and whether it is turned round.

    Examples:
        >>> axis_order("LPS", "RAS")
        ((0, 1, 2), (False, True, True))
        >>> axis_order("PSL", "LPS")
        ((1, 2, 0), (False, False, False))
    """
    own = have[::-1]
    order, turned = [], []
    for letter in want[::-1]:
        at = next(i for i, c in enumerate(own) if _AXIS[c] == _AXIS[letter])
        order.append(at)
        turned.append(own[at] != letter)
    return (order[0], order[1], order[2]), (turned[0], turned[1], turned[2])


def orientation_of(affine_lps: NDArray[np.float64]) -> tuple[str, float]:
    """Return the nearest orientation of a volume and how far it is turned away from it.

    Args:
        affine_lps: 4 x 4: (column, row, slice, 1) to mm in DICOM's coordinates, x to the left, y
            to the back, z to the head.

    Returns:
        ``LPS`` or the like for columns, rows and slices, and the largest angle in degrees between
        an axis and its letter.

    Examples:
        >>> orientation_of(np.diag([-0.7, 0.7, 1.5, 1.0]))
        ('RPS', 0.0)
    """
    letters, worst = "", 0.0
    for vector in affine_lps[:3, :3].T:
        at = int(np.argmax(np.abs(vector)))
        letters += ("LR", "PA", "SI")[at][int(vector[at] < 0)]
        share = min(1.0, abs(float(vector[at])) / float(np.linalg.norm(vector)))
        worst = max(worst, float(np.degrees(np.arccos(share))))
    return letters, worst


@dataclass(frozen=True)
class Along:
    """One axis: result index = source index x `scale` + `shift`; pixel centres have whole numbers.

    Args:
        scale: Below 0 where the axis is turned round.
        shift: In pixels of the result.
    """

    scale: float
    shift: float

    def then(self, other: "Along") -> "Along":
        """Return this map followed by another."""
        return Along(self.scale * other.scale, self.shift * other.scale + other.shift)

    def back(self, index: float) -> float:
        """Return the source index of a result index."""
        return (index - self.shift) / self.scale


@dataclass(frozen=True)
class Placed:
    """An array with how it lies over the source.

    Args:
        values: The array; axes in space first, then colour.
        source_axis: For each axis in space the axis of the source it came from.
        maps: For each axis in space the map from that source axis.
    """

    values: NDArray[Any]
    source_axis: tuple[int, ...]
    maps: tuple[Along, ...]

    def moved(self, values: NDArray[Any], steps: tuple[Along, ...]) -> "Placed":
        """Return new values after one more map along each axis."""
        chained = tuple(old.then(new) for old, new in zip(self.maps, steps, strict=True))
        return Placed(values, self.source_axis, chained)


def placed(values: NDArray[Any], spatial: int) -> Placed:
    """Return an array that lies over itself."""
    return Placed(values, tuple(range(spatial)), (Along(1.0, 0.0),) * spatial)


def reoriented(volume: Placed, have: str, want: str) -> Placed:
    """Return a volume (slices, rows, columns) with its axes exchanged and turned as wanted."""
    order, turned = axis_order(have, want)
    values = volume.values.transpose(order)
    maps = []
    for axis, turn in enumerate(turned):
        if turn:
            values = np.flip(values, axis)
            maps.append(Along(-1.0, values.shape[axis] - 1.0))
        else:
            maps.append(Along(1.0, 0.0))
    return Placed(values, order, tuple(maps))


def resized(given: Placed, size: tuple[int, ...]) -> Placed:
    """Return an array brought to another size by linear interpolation between pixel centres.

    Where it becomes smaller, each result is the mean over the pixels it covers, so that fine detail
    does not come back as coarse pattern.

    Args:
        given: Axes in space first.
        size: Wanted sizes of the axes in space.
    """
    values = given.values.astype(np.float32, copy=False)
    steps = []
    for axis, wanted in enumerate(size):
        have = values.shape[axis]
        scale = wanted / have
        steps.append(Along(scale, scale * 0.5 - 0.5))
        if wanted != have:
            values = _along(values, axis, _weights(have, wanted))
    return given.moved(values, tuple(steps))


@lru_cache(maxsize=64)
def _weights(have: int, want: int) -> NDArray[np.float32]:
    """Return (want, have): a triangle as wide as the larger of both pixels, cut off at the ends."""
    centre = (np.arange(want) + 0.5) * (have / want) - 0.5
    reach = max(1.0, have / want)
    apart = np.abs(np.arange(have)[None, :] - centre[:, None]) / reach
    weight = np.clip(1.0 - apart, 0.0, None)
    shares: NDArray[np.float32] = (weight / weight.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _along(
    values: NDArray[np.float32], axis: int, weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Apply weights along one axis, some results at a time over the pixels that they cover."""
    moved = np.moveaxis(values, axis, 0)
    flat = moved.reshape(len(moved), -1)
    found = np.empty((len(weights), flat.shape[1]), np.float32)
    for start in range(0, len(weights), _BLOCK):
        lines = weights[start : start + _BLOCK]
        used = np.flatnonzero(lines.any(axis=0))
        part = slice(int(used[0]), int(used[-1]) + 1)
        np.matmul(lines[:, part], flat[part], out=found[start : start + _BLOCK])
    return np.moveaxis(found.reshape(len(weights), *moved.shape[1:]), 0, axis)


def cropped(given: Placed, size: tuple[int, ...]) -> Placed:
    """Return the middle of an array; axes that are smaller stay as they are."""
    values, steps = given.values, []
    for axis, wanted in enumerate(size):
        start = max(0, (values.shape[axis] - wanted) // 2)
        values = values[(slice(None),) * axis + (slice(start, start + wanted),)]
        steps.append(Along(1.0, -float(start)))
    return given.moved(values, tuple(steps))


def padded(given: Placed, size: tuple[int, ...], fill: float) -> Placed:
    """Return an array with a border all round up to a size; axes that are larger stay."""
    before, border = [], []
    for axis, wanted in enumerate(size):
        lost = max(0, wanted - given.values.shape[axis])
        before.append(lost // 2)
        border.append((lost // 2, lost - lost // 2))
    border += [(0, 0)] * (given.values.ndim - len(size))
    values = np.pad(given.values, border, constant_values=fill)
    return given.moved(values, tuple(Along(1.0, float(b)) for b in before))


def to_source(mask: NDArray[Any], lie: Placed, source: tuple[int, ...]) -> NDArray[Any]:
    """Return values on the pixels of the source: those of the nearest pixel, 0 beyond the model's.

    Args:
        mask: Over the array that `lie` describes; axes in space only.
        lie: How that array lies over the source.
        source: Sizes of the source.
    """
    picks, inside = [], []
    for axis, along in enumerate(lie.maps):
        index = np.arange(source[lie.source_axis[axis]]) * along.scale + along.shift
        nearest = np.floor(index + 0.5).astype(np.int64)
        inside.append((nearest >= 0) & (nearest < mask.shape[axis]))
        picks.append(np.clip(nearest, 0, mask.shape[axis] - 1))
    values = mask[np.ix_(*picks)]
    values = np.where(_all(inside), values, np.zeros((), mask.dtype))
    return values.transpose(np.argsort(lie.source_axis))


def _all(inside: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    found = np.ones((1,) * len(inside), np.bool_)
    for axis, line in enumerate(inside):
        shape = [1] * len(inside)
        shape[axis] = len(line)
        found = found & line.reshape(shape)
    return found
