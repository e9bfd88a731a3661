"""Marks of pens by their colour: strong colour starts a mark, which may fade over a short way."""

import numpy as np
from scipy import ndimage

from knowledge.slide_measurements import Pen, slide_limit, slide_measurements
from tools.pathology.slide.colour import Colours
from tools.pathology.slide.model import Mask

_AROUND = np.ones((3, 3), bool)


def pen_marks(seen: Colours, *, least: float, smooth: Mask | None = None) -> dict[str, Mask]:
    """Return the pixels of each colour of pen that is there.

    Args:
        seen: The picture.
        least: Smallest mark, pixels.
        smooth: Pixels without detail at a finer resolution; beside a mark they are out-of-focus ink
            whatever their hue. None where that is not known.
    """
    found: dict[str, Mask] = {}
    for pen in slide_measurements().pens.rows:
        mark = _mark(seen, pen, least, smooth)
        if mark.any():
            found[pen.colour] = mark
    return found


def _mark(seen: Colours, pen: Pen, least: float, smooth: Mask | None) -> Mask:
    strong = (
        (seen.saturation >= pen.saturation[0])
        & (seen.saturation <= pen.saturation[1])
        & (seen.value >= pen.value[0])
        & (seen.value <= pen.value[1])
    )
    if np.count_nonzero(strong) < least:
        return np.zeros_like(strong)
    strong &= seen.within(pen.hue)
    if np.count_nonzero(strong) < least:
        return np.zeros_like(strong)
    strong = large(ndimage.binary_opening(strong, _AROUND), least)
    if not strong.any() or pen.faded_hue[0] == pen.faded_hue[1]:
        return strong
    fading = (seen.saturation >= slide_limit("pen_faded")) & seen.within(pen.faded_hue)
    if smooth is not None:
        fading |= smooth & (seen.saturation >= slide_limit("saturation_floor"))
    reach = int(slide_limit("pen_reach"))
    grown: Mask = ndimage.binary_dilation(strong, _AROUND, iterations=reach, mask=strong | fading)
    return grown


def large(mask: Mask, least: float) -> Mask:
    """Return the connected pieces of a mask of at least so many pixels."""
    if least <= 1 or not mask.any():
        return mask
    labels, _ = ndimage.label(mask, _AROUND)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept: Mask = (sizes >= least)[labels]
    return kept
