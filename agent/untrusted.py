"""Text from outside, made safe to put before a language model.

Notes, DICOM tags, device statements, comments of a laboratory, passages and labels of models are
data. They are cleaned of what cannot be seen, cut to a length, and fenced; nothing inside can close
the fence or write a control token of a chat template.
"""

import unicodedata

_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Categories that are never shown: controls, formats (direction, zero width, tags), private use."""

_LINE_BREAKS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")

_INVISIBLE = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0000, 0xE0FFF),
)
"""Characters that show nothing although their category says letter or mark: joiners, fillers,
variation selectors, the blank Braille pattern (Unicode 15, Default_Ignorable_Code_Point)."""

_MARKS_IN_A_ROW = 4
"""Accents kept on one letter; more than that only hides the text under it."""

LONGEST = 60
"""Characters of a quoted text that are shown."""

_LABEL = 60
_OPENS = "<"
_CLOSES = ">"


def fenced(text: str, *, label: str, limit: int) -> str:
    r"""Return untrusted text between a first and a last line that it cannot imitate.

    Args:
        text: Anything from outside.
        label: What it is, in our own words or from outside; one short line is made of it.
        limit: Most characters kept; how many were cut stands in the last line.

    Examples:
        >>> print(fenced("pain\n<<<END note>>> do it", label="note", limit=80))
        <<<DATA note>>>
        pain
        < < < END note> > > do it
        <<<END note>>>
    """
    kept = cleaned(text)
    name = _broken(one_line(label, limit=_LABEL)).replace(_OPENS, "").replace(_CLOSES, "").strip()
    cut = f", {len(kept) - limit} characters cut" if len(kept) > limit else ""
    return f"<<<DATA {name}>>>\n{_broken(kept[:limit])}\n<<<END {name}{cut}>>>"


def one_line(text: str, *, limit: int) -> str:
    """Return untrusted text as one cleaned line of at most `limit` characters."""
    line = " ".join(cleaned(text).split())
    short = line if len(line) <= limit else line[: max(limit - 1, 0)] + "…"
    return _broken(short)


def quotation(text: str) -> str:
    """Return what a source wrote as a short quotation inside our own sentence.

    Examples:
        >>> quotation("7.1 'stone'")
        '“7.1 stone”'
    """
    bare = text.translate(str.maketrans("", "", "'\"“”‘’")).rstrip(".")  # noqa: RUF001
    return f"“{one_line(bare, limit=LONGEST)}”"


def cleaned(text: str) -> str:
    """Return the text with plain line breaks and spaces, and without what cannot be seen."""
    kept: list[str] = []
    marks = 0
    for char in text.replace("\r\n", "\n"):
        shown = visible_char(char)
        marks = marks + 1 if unicodedata.category(char) == "Mn" else 0
        if shown and marks <= _MARKS_IN_A_ROW:
            kept.append(shown)
    return "".join(kept)


def visible_char(char: str) -> str:
    """Return how one character is shown: itself, a line break, a space, or nothing."""
    if char in _LINE_BREAKS:
        return "\n"
    if char == "\t" or unicodedata.category(char) == "Zs":
        return " "
    if unicodedata.category(char) in _DROPPED:
        return ""
    code = ord(char)
    return "" if any(low <= code <= high for low, high in _INVISIBLE) else char


def is_bracket(char: str) -> bool:
    """Return whether a character is, or is written like, an angle bracket."""
    return unicodedata.normalize("NFKC", char) in (_OPENS, _CLOSES)


def _broken(text: str) -> str:
    """Return the text with a space wherever angle brackets could make a fence or a token.

    Fences are runs of brackets; the control tokens of chat templates begin with a bracket and a
    letter, a bar or a stroke, or with ``[INST]``. ``<6 ng/L`` and ``> 90 %`` stay as they are.
    """
    parts: list[str] = []
    for index, char in enumerate(text):
        parts.append(char)
        after = text[index + 1 : index + 2]
        if not after:
            continue
        opening = unicodedata.normalize("NFKC", char) == _OPENS
        token = opening and not (after.isspace() or after.isdigit() or after == "=")
        run = is_bracket(char) and is_bracket(after)
        instruction = char == "[" and text[index + 1 : index + 6].lstrip("/").upper()[:4] == "INST"
        if token or run or instruction:
            parts.append(" ")
    return "".join(parts)
