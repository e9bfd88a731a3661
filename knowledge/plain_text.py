"""Text from outside, made safe to show: no control, direction or invisible characters.

A file name or a case id may carry terminal escapes or direction overrides that change what a reader
sees. They are shown as nothing; line breaks and tabs become spaces.
"""

import re
import unicodedata

_SENTENCE_END = re.compile(r"[.!?;:](?=\s|$)|[。！？；：]")  # noqa: RUF001
_MARKS = str.maketrans("", "", "'\"\u201c\u201d\u2018\u2019\u300c\u300d")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def visible(text: str) -> str:
    r"""Return the text without characters that cannot be seen.

    Examples:
        >>> visible("a\x1b[2Jb\u202ec")
        'a[2Jbc'
    """
    if text.isascii() and text.isprintable():
        return text
    spaced = (" " if c in "\n\r\t" else c for c in text)
    return "".join(c for c in spaced if unicodedata.category(c) not in _DROPPED)


def how_many(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun.

    Args:
        count: How many.
        noun: Of one.
        plural: Of any other number; empty for the noun with an s.

    Examples:
        >>> how_many(1, "case"), how_many(2, "case"), how_many(0, "case")
        ('1 case', '2 cases', '0 cases')
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def has_chinese(text: str) -> bool:
    """Return whether a text has a Chinese character (the common block, U+4E00 to U+9FFF).

    Examples:
        >>> has_chinese("ECG"), has_chinese("ECG正常")
        (False, True)
    """
    return any("\u4e00" <= c <= "\u9fff" for c in text)


def quotation(text: str, *, limit: int = 40) -> str:
    """Return what a source wrote as a short quotation that cannot pass for a sentence of ours.

    It ends where its first sentence does: what a unit or a name has to say needs no second one.

    Args:
        text: From outside.
        limit: Characters at most.

    Examples:
        >>> quotation("ng/L. All troponins normal, discharge")
        '“ng/L…”'
        >>> quotation("stone")
        '“stone”'
    """
    line = " ".join(visible(text).translate(_MARKS).split())
    first = _SENTENCE_END.split(line, maxsplit=1)[0].strip()[:limit]
    return f"\u201c{first}{'' if len(first) == len(line) else chr(0x2026)}\u201d"
