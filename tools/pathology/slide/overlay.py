"""Pictures to look at: outlines of tissue and pen over the overview, and maps of numbers."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tools.pathology.slide.model import Mask, Rgb
from tools.pathology.slide.tissue import TissueMap

_TISSUE = (0, 114, 178)
_PEN = (213, 94, 0)
"""Blue and vermilion that the colour-blind tell apart (Okabe and Ito 2008)."""

_NOTICE = "Research use only"


def png(pixels: Rgb) -> bytes:
    """Return pixels as PNG."""
    to = io.BytesIO()
    Image.fromarray(pixels).save(to, "PNG")
    return to.getvalue()


def tissue_overlay(found: TissueMap) -> bytes:
    """Return the overview as PNG with tissue outlined and pen hatched."""
    pixels = found.overview.pixels.copy()
    width = max(1, max(pixels.shape[:2]) // 700)
    _outline(pixels, found.tissue, _TISSUE, width)
    rows, columns = np.indices(found.pen.shape)
    hatch = found.pen & ((rows + columns) // (2 * width) % 4 == 0)
    pixels[hatch] = _PEN
    _outline(pixels, found.pen, _PEN, width)
    return png(_labelled(pixels, f"{_NOTICE}. Blue: tissue. Orange, hatched: pen."))


def heat_overlay(
    base: Rgb,
    values: NDArray[np.float64],
    words: str,
    *,
    covers: tuple[float, float] = (1.0, 1.0),
) -> bytes:
    """Return the overview as PNG under a map of numbers, dark to bright, where there are any.

    Args:
        base: The overview.
        values: (rows, columns) of the map, 0 to 1; NaN where there is none.
        words: What the map shows; written below it.
        covers: Share of the overview's rows and columns that the map covers, from the upper left.
    """
    from matplotlib import colormaps

    rows, columns = (
        np.minimum((np.arange(side) + 0.5) / (side * share) * count, count - 1e-6).astype(int)
        for side, share, count in zip(base.shape[:2], covers, values.shape, strict=True)
    )
    big = values[np.ix_(rows, columns)]
    outside = (np.arange(base.shape[0])[:, None] >= base.shape[0] * covers[0]) | (
        np.arange(base.shape[1])[None, :] >= base.shape[1] * covers[1]
    )
    where = (np.isfinite(big) & ~outside)[..., None]
    colour = colormaps["viridis"](np.nan_to_num(big))[..., :3] * 255
    grey = base.mean(axis=2, keepdims=True).repeat(3, axis=2)
    mixed = np.where(where, 0.4 * grey + 0.6 * colour, grey)
    return png(_labelled(mixed.astype(np.uint8), f"{_NOTICE}. {words}"))


def _outline(pixels: Rgb, mask: Mask, colour: tuple[int, int, int], width: int) -> None:
    edge = ndimage.binary_dilation(mask, iterations=width) & ~mask
    pixels[edge] = colour


def _labelled(pixels: Rgb, words: str) -> Rgb:
    """Return the picture with a line of words below it."""
    from PIL import ImageDraw, ImageFont

    high = max(18, pixels.shape[1] // 60)
    font = ImageFont.load_default(size=high * 0.62)
    sheet = Image.new("RGB", (pixels.shape[1], pixels.shape[0] + high), (255, 255, 255))
    sheet.paste(Image.fromarray(pixels), (0, 0))
    ImageDraw.Draw(sheet).text(
        (6, pixels.shape[0] + high * 0.1), words, fill=(20, 20, 20), font=font
    )
    return np.asarray(sheet)
