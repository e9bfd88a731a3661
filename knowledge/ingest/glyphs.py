"""The characters of a PDF page as PDFium finds them, gathered to words and lines."""

import ctypes
from collections.abc import Sequence
from typing import Any

from knowledge.ingest.extracted import NoteKind, PageText
from knowledge.ingest.page_layout import Line, Word

_HYPHEN = "\x02"
"""What PDFium gives for the hyphen within a word that goes on in the next line."""

_LEAST, _MOST, _SMALLER = 0.15, 0.8, 0.9
"""Raised text: its base line above the line's by this much of the size, and smaller than it."""

_INVISIBLE = 3
"""Text rendering mode "neither fill nor stroke" (ISO 32000-1, table 106)."""


def lines(text: Any, built: PageText) -> list[Line]:
    """Return the lines of a page, in PDFium's reading order.

    Args:
        text: An open text page of pypdfium2.
        built: Takes the note of characters that have no Unicode value.
    """
    import pypdfium2.raw as raw  # type: ignore[import-untyped]

    found: list[Line] = []
    words: list[Word] = []
    word: list[tuple[str, int]] = []
    undecoded = 0
    place = _Place(raw, text)

    def end_word(*, broken: bool = False) -> None:
        nonlocal word
        if word:
            words.append(_word(raw, text, word, broken=broken))
        word = []

    for index in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(text, index)
        undecoded += code in (0, 0xFFFD) or raw.FPDFText_HasUnicodeMapError(text, index) == 1
        character = chr(code) if code else "\ufffd"
        if character == _HYPHEN:
            end_word(broken=True)
        elif character.isspace():
            end_word()
        else:
            word.append((place.mark(index, within=bool(word)) + character, index))
            if place.raised and place.ends(index):
                word[-1] = (word[-1][0] + ")", index)
        if character in "\n\r\x02" and words:
            found.append(Line(words=tuple(words)))
            words.clear()
    end_word()
    if words:
        found.append(Line(words=tuple(words)))
    if undecoded:
        built.left_out(
            NoteKind.UNDECODED, "the font does not tell which characters they are", count=undecoded
        )
    return found


class _Place:
    """Tells which characters are raised above the line: "10" and a raised "3" are never "103".

    Args:
        raw: PDFium's functions.
        text: An open text page.
    """

    def __init__(self, raw: Any, text: Any) -> None:
        self._raw = raw
        self._text = text
        self._line: tuple[float, float] | None = None
        self.raised = False

    def mark(self, index: int, *, within: bool) -> str:
        """Return what opens raised text before a character; empty where it goes on or is none."""
        was = self.raised and within
        self.raised = self._is_raised(index)
        if not self.raised:
            self._line = self._at(index)
        return "^(" if self.raised and not was else ""

    def ends(self, index: int) -> bool:
        """Return whether the raised text ends with this character."""
        if index + 1 >= self._text.count_chars():
            return True
        after = chr(self._raw.FPDFText_GetUnicode(self._text, index + 1) or 0xFFFD)
        return after.isspace() or after == _HYPHEN or not self._is_raised(index + 1)

    def _is_raised(self, index: int) -> bool:
        here = self._at(index)
        if self._line is None or here is None:
            return False
        height, size = self._line
        above = here[0] - height
        return _LEAST * size < above < _MOST * size and here[1] < _SMALLER * size

    def _at(self, index: int) -> tuple[float, float] | None:
        x, y = ctypes.c_double(), ctypes.c_double()
        if not self._raw.FPDFText_GetCharOrigin(self._text, index, x, y):
            return None
        return y.value, _size(self._raw, self._text, index)


def _word(raw: Any, text: Any, characters: Sequence[tuple[str, int]], *, broken: bool) -> Word:
    left = bottom = float("inf")
    right = top = float("-inf")
    sides = [ctypes.c_double() for _ in range(4)]
    for _, index in characters:
        if raw.FPDFText_GetCharBox(text, index, *sides):
            left, right = min(left, sides[0].value), max(right, sides[1].value)
            bottom, top = min(bottom, sides[2].value), max(top, sides[3].value)
    first = characters[0][1]
    channels = [ctypes.c_uint() for _ in range(4)]
    coloured = raw.FPDFText_GetFillColor(text, first, *channels)
    drawn = raw.FPDFText_GetTextObject(text, first)
    return Word(
        text="".join(character for character, _ in characters),
        box=(left, bottom, right, top),
        size=_size(raw, text, first),
        fill=(channels[0].value, channels[1].value, channels[2].value) if coloured else None,
        drawn=not drawn or raw.FPDFTextObj_GetTextRenderMode(drawn) != _INVISIBLE,
        broken=broken,
    )


def _size(raw: Any, text: Any, index: int) -> float:
    """Return the size of a character in points as shown: its font size under its matrix."""
    matrix = raw.FS_MATRIX()
    size = float(raw.FPDFText_GetFontSize(text, index))
    if raw.FPDFText_GetMatrix(text, index, matrix):
        size *= float((matrix.c**2 + matrix.d**2) ** 0.5)
    return size
