"""Characters that a reader of a document cannot see, taken out of its text and counted.

They are a channel for text that only a machine reads (tag characters, zero-width codes), and for
text that reads otherwise than it is stored (direction overrides).
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks without a glyph (Unicode, Default_Ignorable_Code_Point; U+2800 is blank)."""

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
"""Typographic ligatures as the letters they stand for (Unicode, U+FB00 to U+FB06)."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """Text without invisible characters.

    Args:
        text: The rest; line breaks and tabs stay, other spaces are plain spaces.
        dropped: How many of each were dropped, by code point and name.
    """

    text: str
    dropped: Mapping[str, int]


def clean(text: str) -> Cleaned:
    r"""Return the text without characters that cannot be seen, and what was dropped.

    Examples:
        >>> clean("a\u202eb\u00a0c").text
        'ab c'
        >>> clean("a\u202eb").dropped
        {'U+202E RIGHT-TO-LEFT OVERRIDE': 1}
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_LIGATURES)
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return Cleaned(text=text, dropped={})
    kept: list[str] = []
    dropped: Counter[str] = Counter()
    for character in text:
        category = unicodedata.category(character)
        if character in "\n\t":
            kept.append(character)
        elif category in ("Zl", "Zp"):
            kept.append("\n")
        elif category == "Zs":
            kept.append(" ")
        elif category in _DROPPED or _unseen(character):
            dropped[_name(character)] += 1
        else:
            kept.append(character)
    return Cleaned(text="".join(kept), dropped=dict(dropped))


def _unseen(character: str) -> bool:
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F
    return selector or character in _BLANK


def _name(character: str) -> str:
    code = ord(character)
    if 0xE0000 <= code <= 0xE007F:
        return "U+E00xx TAG CHARACTER"
    if unicodedata.category(character) == "Cs":
        return "SURROGATE"
    return f"U+{code:04X} {unicodedata.name(character, 'CONTROL OR UNASSIGNED')}"
