"""Running heads and page numbers of a PDF: lines at the edge of many pages."""

import re
from collections import Counter
from collections.abc import Sequence

from knowledge.ingest.page_layout import Line

_EDGE = 2
"""Lines at the top and at the foot of a page that may be a running head."""

_SHARE = 0.3
"""On at least this share of the pages: heads of left and right pages differ, and chapters begin
without one."""

_FEWEST = 3
_DIGITS = re.compile(r"\d+|\b[ivxl]+\b", re.IGNORECASE)


def without_running_heads(
    pages: Sequence[Sequence[Line]],
) -> tuple[list[list[Line]], list[list[str]]]:
    """Return the lines of each page without running heads, and the running heads of each page.

    A line counts as one where lines at the same edge of other pages differ from it in numbers only.
    """
    often = Counter(head for lines in pages for head in {_head(lines[i]) for i in _edge(lines)})
    least = max(_FEWEST, _SHARE * len(pages))
    kept: list[list[Line]] = []
    heads: list[list[str]] = []
    for lines in pages:
        running = {i for i in _edge(lines) if often[_head(lines[i])] >= least}
        kept.append([line for i, line in enumerate(lines) if i not in running])
        heads.append([_text(lines[i]) for i in sorted(running)])
    return kept, heads


def _edge(lines: Sequence[Line]) -> set[int]:
    """Return the indices of the highest and lowest lines of a page."""
    by_height = sorted(range(len(lines)), key=lambda i: lines[i].baseline)
    return {*by_height[:_EDGE], *by_height[-_EDGE:]}


def _head(line: Line) -> str:
    return _DIGITS.sub("#", _text(line))


def _text(line: Line) -> str:
    return " ".join(word.text for word in line.words)
