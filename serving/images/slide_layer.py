"""A picture that lies over a slide, with its legend and what must be known of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from serving.images.layer import Note
from tools.imaging.view.drawn import png
from tools.imaging.view.marks import COLOURS, Mark, draw_marks

_ALPHA = 150
_CELL = 1024
"""About the longer side, pixels, of the picture of a map: its cells keep sharp borders."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SlideLayer:
    """Marks on a slide.

    Args:
        picture: PNG, transparent where nothing is marked; from the upper left corner.
        width: Share of the slide's width that it covers.
        legend: Words and colour, ``#rrggbb``, of everything on it.
        notes: What must be known of them.
    """

    picture: bytes = field(repr=False)
    width: float
    legend: tuple[tuple[Note, str], ...]
    notes: tuple[Note, ...]


def marked(
    marks: Sequence[Mark],
    labels: Sequence[str],
    *,
    rows: int,
    columns: int,
    width: float,
    notes: tuple[Note, ...],
    skip: int = 0,
) -> SlideLayer:
    """Return a layer of marks.

    Args:
        marks: On a grid of so many rows and columns.
        labels: Of all of them, in the order of their colours.
        rows: Of the grid.
        columns: Of the grid.
        width: Share of the slide's width that the grid covers.
        notes: What must be known.
        skip: Colours that are left for other layers shown with it.
    """
    named = [""] * skip + list(labels)
    picture = draw_marks(marks, rows=rows, columns=columns, longest=None, labels=named)
    legend = tuple(
        (Note(one), _hex(COLOURS[number % len(COLOURS)]))
        for number, one in enumerate(labels, start=skip)
    )
    return SlideLayer(picture=picture, width=width, legend=legend, notes=notes)


def mapped(
    values: npt.NDArray[np.float64],
    *,
    width: float,
    ends: tuple[str, str],
    notes: tuple[Note, ...],
) -> SlideLayer:
    """Return a layer of a map of numbers, dark to bright.

    Args:
        values: (rows, columns), 0 to 1; NaN where there is none.
        width: Share of the slide's width that the map covers.
        ends: What the lowest and the highest number mean.
        notes: What must be known.
    """
    from matplotlib import colormaps  # slow to import, and seldom wanted

    times = max(1, _CELL // max(values.shape))
    big = values.repeat(times, axis=0).repeat(times, axis=1)
    there = np.isfinite(big)
    colours = (colormaps["viridis"](np.nan_to_num(big)) * 255).astype(np.uint8)
    colours[..., 3] = np.where(there, _ALPHA, 0)
    low, high = (_hex(one) for one in colormaps["viridis"]([0.0, 1.0], bytes=True).tolist())
    return SlideLayer(
        picture=png(colours, longest=None),
        width=width,
        legend=((Note(ends[0]), low), (Note(ends[1]), high)),
        notes=notes,
    )


def _hex(colour: Sequence[int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(int(one) for one in colour[:3]))
