"""Where a quote stands in a note: exactly, but for white space and what cannot be seen."""

from agent.untrusted import is_bracket, visible_char


def find(text: str, quote: str) -> tuple[tuple[int, int], ...]:
    r"""Return every span of `text` that reads as `quote`; none where it is not there.

    White space of any kind and length is one space, and characters that cannot be seen are not
    there; everything else must be equal, letter case too.

    Examples:
        >>> find("denies chest\n pain", "chest pain")
        ((7, 18),)
    """
    folded, origin = _folded(text)
    wanted = _folded(quote)[0].strip()
    found: list[tuple[int, int]] = []
    start = folded.find(wanted) if wanted else -1
    while start >= 0:
        last = start + len(wanted) - 1
        found.append((origin[start], origin[last] + 1))
        start = folded.find(wanted, start + 1)
    return tuple(found)


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text as a model was shown it, folded, and where each character came from.

    A fence puts spaces behind some brackets; so a space behind a bracket never counts.
    """
    chars: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        shown = visible_char(char)
        if not shown:
            continue
        if shown.isspace():
            if chars and chars[-1] != " " and not is_bracket(chars[-1]) and chars[-1] != "[":
                chars.append(" ")
                origin.append(index)
            continue
        chars.append(shown)
        origin.append(index)
    return "".join(chars), origin
