"""Text from outside, made safe to show: no control, direction or invisible characters.

A file name or a case id may carry terminal escapes or direction overrides that change what a reader
sees. They are shown as nothing; line breaks and tabs become spaces.
"""

import unicodedata

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
