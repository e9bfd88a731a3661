"""Which words of a PDF page a reader can see, judged on the rendered page.

A word whose place shows one colour only, or whose letters have the colour of their ground, cannot
be seen, whatever made it so: white, transparent, off the page, covered or tiny. The text of a
recognised scan is not painted, but lies over the ink it names, and is kept; text that is not
painted and lies over other text is not.
"""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ingest.page_layout import Line, Word

_SCALE = 2.0
"""Pixels per point: a stem of 8-point text is about one pixel wide."""

_MOST_PIXELS = 16_000_000
"""Larger pages (posters) are rendered at a lower scale."""

_CONTRAST = 24
"""Largest difference in any channel (of 255) at which nothing is seen."""

_SMALLEST_POINTS = 2.0
"""Text of less than 2 points cannot be read on paper."""

_MARGIN = 2
"""Pixels around a word that show its ground."""


class RenderedPage:
    """A page as it looks, and where the words are on it."""

    def __init__(self, page: Any) -> None:
        width, height = page.get_size()
        scale = min(_SCALE, (_MOST_PIXELS / max(width * height, 1.0)) ** 0.5)
        bitmap = page.render(scale=scale, may_draw_forms=False)
        self._pixels: NDArray[np.int16] = bitmap.to_numpy()[..., :3].astype(np.int16)
        bitmap.close()
        self._page = page

    def why_unseen(self, word: Word, painted: Sequence[Word]) -> str:
        """Return why a word cannot be seen, in words; empty where it can.

        Args:
            word: The word.
            painted: The words of the page that are painted.
        """
        if 0 < word.size < _SMALLEST_POINTS:
            return "of no readable size"
        place = self._place(word)
        if place is None:
            return ""
        if place.size == 0:
            return "off the page"
        if int((place.max(axis=(0, 1)) - place.min(axis=(0, 1))).max()) <= _CONTRAST:
            return "not seen on the page"
        if not word.drawn:
            over = any(_overlap(word.box, other.box) for other in painted)
            return "not painted, and over other text" if over else ""
        ground = np.median(_rim(place), axis=0)
        # The bitmap is BGR.
        if word.fill is not None and np.abs(ground - word.fill[::-1]).max() <= _CONTRAST:
            return "in the colour of its background"
        return ""

    def _place(self, word: Word) -> NDArray[np.int16] | None:
        """Return the pixels of a word and its margin; None for one without an extent."""
        left, bottom, right, top = word.box
        if not (right > left and top > bottom):
            return None
        (x0, y0), (x1, y1) = self._pixel(left, bottom), self._pixel(right, top)
        rows, columns = self._pixels.shape[:2]
        if max(x0, x1) < 0 or max(y0, y1) < 0 or min(x0, x1) >= columns or min(y0, y1) >= rows:
            return self._pixels[:0, :0]
        across = slice(max(0, min(x0, x1) - _MARGIN), max(x0, x1) + _MARGIN + 1)
        down = slice(max(0, min(y0, y1) - _MARGIN), max(y0, y1) + _MARGIN + 1)
        return self._pixels[down, across]

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        import pypdfium2.raw as raw  # type: ignore[import-untyped]

        rows, columns = self._pixels.shape[:2]
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(self._page, 0, 0, columns, rows, 0, x, y, across, down)
        return across.value, down.value


def seen(lines: Sequence[Line], page: Any) -> tuple[list[Line], dict[str, list[str]]]:
    """Return the lines without unseen words, and the unseen words by the reason.

    Args:
        lines: Of the page.
        page: An open page of pypdfium2.
    """
    shown = RenderedPage(page)
    painted = [word for line in lines for word in line.words if word.drawn]
    kept: list[Line] = []
    hidden: dict[str, list[str]] = {}
    for line in lines:
        words: list[Word] = []
        for word in line.words:
            why = shown.why_unseen(word, painted)
            if why:
                hidden.setdefault(why, []).append(word.text)
            else:
                words.append(word)
        if words:
            kept.append(Line(words=tuple(words)))
    return kept, hidden


def _rim(place: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the outermost pixels, shape ``(n, 3)``."""
    edges = (place[0], place[-1], place[:, 0], place[:, -1])
    return np.concatenate(edges)


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
