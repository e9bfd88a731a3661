"""The characters of a PDF page as PDFium finds them, gathered to words and lines."""

import ctypes
from collections.abc import Sequence
from typing import Any

from knowledge.ingest.extracted import NoteKind, PageText
from knowledge.ingest.page_layout import Line, Word

_HYPHEN = "\x02"
"""What PDFium gives for the hyphen within a word that goes on in the next line."""

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
            word.append((character, index))
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
