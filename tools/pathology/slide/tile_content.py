"""What one tile holds: tissue, pen or nothing."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from knowledge.model import Frozen
from knowledge.slide_measurements import slide_limit
from tools.pathology.slide.colour import colours, shrunk
from tools.pathology.slide.model import Mask, Rgb
from tools.pathology.slide.pen import large, pen_marks
from tools.pathology.slide.tissue import coloured_pixels


class TileContent(Frozen):
    """What a tile holds.

    Args:
        tissue_percent: Of its area, pen taken out.
        pen_percent: Of its area.
        pens: Colours of the pen.
        tissue, pen: Whether these are above the limits.
    """

    tissue_percent: float
    pen_percent: float
    pens: tuple[str, ...]
    tissue: bool
    pen: bool


def tile_content(rgb: Rgb) -> TileContent:
    """Return what a tile holds.

    Args:
        rgb: (rows, columns, 3) of any size; larger ones are shrunk to the size the limits are for.
    """
    times = max(1, math.ceil(max(rgb.shape[:2]) / slide_limit("tile_small")))
    small = shrunk(rgb, times)
    seen = colours(small, smoothing=slide_limit("tissue_smoothing") if times > 1 else 0)
    least = slide_limit("tile_pen_min") / 100 * seen.hue.size / 2
    marks = pen_marks(seen, least=least)
    if marks:
        marks = pen_marks(seen, least=least, smooth=_smooth(rgb, times, seen.hue.shape))
    pen = np.zeros(seen.hue.shape, bool)
    for mark in marks.values():
        pen |= mark
    _, coloured = coloured_pixels(seen)
    beside = ndimage.binary_dilation(pen, iterations=2) if pen.any() else pen
    tissue = large(coloured & ~beside, 4 if times > 1 else 1)
    tissue_percent = 100 * float(tissue.mean())
    pen_percent = 100 * float(pen.mean())
    return TileContent(
        tissue_percent=round(tissue_percent, 2),
        pen_percent=round(pen_percent, 2),
        pens=tuple(marks),
        tissue=tissue_percent >= slide_limit("tile_tissue_min"),
        pen=pen_percent >= slide_limit("tile_pen_min"),
    )


def _smooth(rgb: Rgb, times: int, shape: tuple[int, ...]) -> Mask | None:
    """Return the pixels of the small tile without detail; None where it was not shrunk."""
    if times <= 1:
        return None
    grey: NDArray[np.float32] = rgb.mean(axis=2, dtype=np.float32) / 255
    detail = np.abs(grey - ndimage.uniform_filter(grey, 5, mode="nearest"))
    rows, columns = shape
    blocks = detail[: rows * times, : columns * times].reshape(rows, times, columns, times)
    found: Mask = blocks.mean(axis=(1, 3)) < slide_limit("pen_smooth")
    return found
