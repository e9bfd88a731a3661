"""The whole slide small enough to look at: made of its levels, never of the file's own thumbnail.

The thumbnail that a file carries may be of another picture, and its overview may show the label.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from knowledge.errors import TooLargeError
from knowledge.slide_measurements import slide_limit
from tools.pathology.slide.colour import shrunk
from tools.pathology.slide.model import Rgb, Slide

_STRIP_PIXELS = 8_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Overview:
    """A small picture of a slide.

    Args:
        pixels: (rows, columns, 3) uint8.
        shrink: Pixels of the first level across one of its own.
    """

    pixels: Rgb = field(repr=False)
    shrink: float


def overview(slide: Slide, *, longest: int | None = None) -> Overview:
    """Return a picture of the slide of at most `longest` pixels.

    Raises:
        UnreadableError: A part cannot be decoded.
        TooLargeError: The smallest level is too large to be read whole.
    """
    most = longest or int(slide_limit("thumbnail_max"))
    facts = slide.facts
    wanted = max(facts.columns, facts.rows) / most
    fitting = [n for n, level in enumerate(facts.levels) if level.shrink <= max(wanted, 1) * 1.001]
    number = fitting[-1]
    level = facts.levels[number]
    if level.columns * level.rows > slide_limit("pixels_max"):
        raise TooLargeError(
            facts.file,
            f"its smallest fitting level has {level.columns} x {level.rows} pixels",
            "export it with smaller levels",
        )
    times = max(1, math.ceil(max(level.columns, level.rows) / most - 1e-9))
    columns = math.ceil(level.columns / times) * times
    strip = max(1, _STRIP_PIXELS // columns // times) * times
    parts = [
        shrunk(slide.read(number, 0, top, columns, _tall(level.rows - top, strip, times)), times)
        for top in range(0, level.rows, strip)
    ]
    return Overview(pixels=np.concatenate(parts), shrink=level.shrink * times)


def _tall(left: int, strip: int, times: int) -> int:
    """Return the rows of a strip: whole blocks, what is beyond the slide being white."""
    return min(strip, math.ceil(left / times) * times)
