"""What was marked on an image, drawn as a transparent picture that lies over it.

Masks are filled lightly with a clear edge, so that the image below stays visible; lines and points
have a dark rim, so that they show on white and on black.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from tools.imaging.view.drawn import png

COLOURS: tuple[tuple[int, int, int], ...] = (
    (0, 158, 115),
    (230, 159, 0),
    (86, 180, 233),
    (204, 121, 167),
    (213, 94, 0),
    (240, 228, 66),
)
"""Told apart by most people who are colour blind (Okabe and Ito 2008)."""

_FILL = 60
_RIM = (0, 0, 0, 200)
_POINT = 5
_LINE = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Mask:
    """A region.

    Args:
        values: ``(rows, columns)`` bool, of the size of the image.
        label: What it is of.
    """

    values: npt.NDArray[np.bool_]
    label: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A contour or a line.

    Args:
        points: Column and row of its corners, from the centre of the first pixel.
        label: What it is of.
        closed: Whether the last point is joined to the first.
    """

    points: tuple[tuple[float, float], ...]
    label: str
    closed: bool = True


@dataclass(frozen=True, kw_only=True)
class Point:
    """A place.

    Args:
        at: Column and row, from the centre of the first pixel.
        label: What it is of.
    """

    at: tuple[float, float]
    label: str


Mark = Mask | Line | Point


def colour_of(label: str, labels: Sequence[str]) -> tuple[int, int, int]:
    """Return the colour of a label: that of its place among all labels."""
    return COLOURS[labels.index(label) % len(COLOURS)]


def draw_marks(
    marks: Sequence[Mark],
    *,
    rows: int,
    columns: int,
    longest: int | None,
    labels: Sequence[str] = (),
) -> bytes:
    """Return a transparent PNG of the size of the image, or smaller.

    Args:
        marks: What to draw; a mask of another size than the image is not drawn.
        rows: Of the image.
        columns: Of the image.
        labels: All labels of the series, so that each keeps its colour; those of the marks unless
            given.
        longest: Largest number of rows or columns drawn; None for all of them.
    """
    labels = list(labels) or list(dict.fromkeys(mark.label for mark in marks))
    layer = np.zeros((rows, columns, 4), dtype=np.uint8)
    for mark in marks:
        if isinstance(mark, Mask) and mark.values.shape == (rows, columns):
            _fill(layer, mark.values, colour_of(mark.label, labels))
    picture = Image.fromarray(layer)
    pen = ImageDraw.Draw(picture)
    wide = max(1, round(max(rows, columns) / 800))
    for mark in marks:
        if isinstance(mark, Line):
            _line(pen, mark, colour_of(mark.label, labels), wide)
        elif isinstance(mark, Point):
            _point(pen, mark.at, colour_of(mark.label, labels), wide)
    return png(np.asarray(picture), longest=longest)


def _fill(
    layer: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_], colour: tuple[int, int, int]
) -> None:
    layer[mask] = (*colour, _FILL)
    wide = max(1, round(max(mask.shape) / 800))
    inner: Any = ndimage.binary_erosion(mask, iterations=wide)
    layer[mask & ~inner] = (*colour, 255)


def _line(pen: ImageDraw.ImageDraw, mark: Line, colour: tuple[int, int, int], wide: int) -> None:
    corners = list(mark.points)
    if mark.closed and len(corners) > 2:
        corners.append(corners[0])
    pen.line(corners, fill=_RIM, width=(_LINE + 2) * wide)
    pen.line(corners, fill=(*colour, 255), width=_LINE * wide)


def _point(
    pen: ImageDraw.ImageDraw, at: tuple[float, float], colour: tuple[int, int, int], wide: int
) -> None:
    x, y = at
    for size, ink in ((_POINT + 2, _RIM), (_POINT, (*colour, 255))):
        r = size * wide
        pen.line([(x - r, y), (x + r, y)], fill=ink, width=wide * (3 if ink is _RIM else 1))
        pen.line([(x, y - r), (x, y + r)], fill=ink, width=wide * (3 if ink is _RIM else 1))
