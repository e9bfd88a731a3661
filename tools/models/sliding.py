"""Looking at a large picture or volume piece by piece, the pieces blended where they overlap."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

_SIGMA = 0.125
"""Of the bell that weighs a piece, as a share of its side: what is at its edge counts little."""

_LEAST = 1e-3


def starts(length: int, piece: int, overlap: float) -> tuple[int, ...]:
    """Return where pieces begin, evenly spaced, the last ending with the picture.

    >>> starts(100, 40, 0.5)
    (0, 20, 40, 60)
    >>> starts(105, 40, 0.5)
    (0, 16, 32, 49, 65)
    """
    if length <= piece:
        return (0,)
    step = max(1, int(piece * (1 - overlap)))
    count = -(-(length - piece) // step) + 1
    spread = np.linspace(0, length - piece, count)
    return tuple(int(v) for v in np.floor(spread + 0.5 - 1e-9))


def blend(
    picture: NDArray[Any],
    piece: tuple[int, ...],
    overlap: float,
    look: Callable[[NDArray[Any]], NDArray[np.float64]],
    *,
    labels: int,
    progress: Callable[[int, int], None] | None = None,
) -> Values:
    """Return the weighted mean of what is seen in each piece: (labels, axes in space).

    Args:
        picture: (axes in space, channels), in no axis smaller than a piece.
        piece: Sizes of a piece.
        overlap: Of neighbours, as a share of a piece.
        look: Takes a piece (axes in space, channels), gives (labels, axes in space) from 0 to 1.
        labels: How many.
        progress: Called with (pieces done, of how many).
    """
    size = picture.shape[: len(piece)]
    total = np.zeros((labels, *size), np.float32)
    weight = np.zeros(size, np.float32)
    bell = _bell(piece)
    places = list(_places(size, piece, overlap))
    for done, place in enumerate(places, 1):
        seen = look(picture[place]).astype(np.float32)
        total[(slice(None), *place)] += seen * bell
        weight[place] += bell
        if progress is not None:
            progress(done, len(places))
    total /= weight
    return total


def _places(
    size: tuple[int, ...], piece: tuple[int, ...], overlap: float
) -> Iterator[tuple[slice, ...]]:
    along = [starts(s, p, overlap) for s, p in zip(size, piece, strict=True)]
    for corner in product(*along):
        yield tuple(slice(c, c + p) for c, p in zip(corner, piece, strict=True))


def _bell(piece: tuple[int, ...]) -> Values:
    found = np.ones((1,) * len(piece), np.float32)
    for axis, side in enumerate(piece):
        at = (np.arange(side) - (side - 1) / 2) / (side * _SIGMA)
        line = np.maximum(np.exp(-0.5 * at * at), _LEAST).astype(np.float32)
        found = found * line.reshape([-1 if i == axis else 1 for i in range(len(piece))])
    return found
