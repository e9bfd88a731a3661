r"""Text for the `detail` of a card: Markdown of our own, and nothing that outside text can bring.

Some clients render `detail` with raw HTML. So there is no HTML, no image and no link in it: what
stands in the chart is escaped, and addresses in it are taken out.
"""

import re

from knowledge.cds_cards import SHORT
from knowledge.plain_text import visible

LONGEST = 12_000
"""Characters of a whole detail: some ten screens of a sidebar; the workspace has everything."""

_PIECE = 600
_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.\-]{1,20}:\s*/{1,2}|\bwww\s*\.)\S*", re.IGNORECASE)
_SCRIPT = re.compile(r"\b(javascript|vbscript|data)\s*:", re.IGNORECASE)
_MAIL = re.compile(r"(\S)@(\S)")
_MARKUP = re.compile(r"([\\`*_\[\]#|~])")
_LINE_START = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-=+])")
_CUT = "…"


def md(text: str, *, longest: int = _PIECE) -> str:
    r"""Return outside text as Markdown that shows it as it is: on one line, with no live part.

    Examples:
        >>> md("a <img src=x> [b](http://c)")
        'a &lt;img src=x&gt; \\[b\\]((address removed)'
    """
    one_line = " ".join(visible(text).split())
    if len(one_line) > longest:
        one_line = one_line[: longest - 1].rstrip() + _CUT
    bare = _ADDRESS.sub("\ue000", one_line)
    bare = _SCRIPT.sub(r"\1 ", bare)
    bare = _MAIL.sub(r"\1 at \2", bare)
    bare = bare.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    bare = _MARKUP.sub(r"\\\1", bare)
    bare = _LINE_START.sub(_escaped_start, bare)
    return bare.replace("\ue000", "(address removed)")


def bullets(lines: list[str]) -> str:
    """Return a Markdown list of lines that are Markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def bounded(detail: str) -> str:
    """Return a detail that is not over the limit; one that was cut says so."""
    if len(detail) <= LONGEST:
        return detail
    kept = detail[:LONGEST].rpartition("\n")[0]
    return f"{kept}\n\nCut here: open the workspace for the rest."


def short(text: str, *, lead: str = "") -> str:
    """Return a summary under 140 characters; one that was cut ends with an ellipsis.

    Examples:
        >>> short("a" * 200)[-3:], len(short("a" * 200))
        ('aa…', 139)
    """
    whole = " ".join(visible(f"{lead}{text}").split())
    if len(whole) <= SHORT:
        return whole
    cut = whole[: SHORT - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > SHORT // 2 else cut).rstrip(" ,;:") + _CUT


def _escaped_start(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"{match[1]}\\{match[2]}"
    return f"\\{match[3]}"
