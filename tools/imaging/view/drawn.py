"""One frame as a PNG: windowed, turned, no larger than asked for."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from tools.imaging.view.pixels import Pixels
from tools.imaging.view.window import chosen, to_grey, windows

_FAST = 1
"""Compression of the PNG: a person waits for it, and it stays on one network."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a frame is asked for.

    Args:
        window: Key of a window of the image; empty for its default.
        center, width: Of a window that a person set, in pixel values.
        invert: Black and white exchanged.
        longest: Largest number of rows or columns drawn; None for all of them.
    """

    window: str = ""
    center: float | None = None
    width: float | None = None
    invert: bool = False
    longest: int | None = None


def draw(pixels: Pixels, asked: Asked, *, frame: int = 0) -> bytes:
    """Return a PNG of a frame.

    Args:
        pixels: Of the frame.
        asked: How.
        frame: Which one, for the windows of its own that it may have.

    Raises:
        InvalidValueError: The window that is asked for is none.
    """
    if pixels.is_colour:
        shown: npt.NDArray[np.uint8] = 255 - pixels.values if asked.invert else pixels.values
    else:
        window = chosen(windows(pixels, frame), asked.window, asked.center, asked.width)
        shown = to_grey(pixels, window, invert=asked.invert)
    return png(shown, longest=asked.longest)


def png(shown: npt.NDArray[np.uint8], *, longest: int | None = None) -> bytes:
    """Return a PNG of grey, RGB or RGBA values, made smaller where it is longer than `longest`."""
    picture = Image.fromarray(np.ascontiguousarray(shown))
    if longest is not None and max(picture.size) > longest:
        picture.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    picture.save(out, format="PNG", compress_level=_FAST)
    return out.getvalue()
