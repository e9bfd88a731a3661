"""Lines of a PDF page to paragraphs and headings, by the distances and sizes a reader goes by."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import pairwise
from statistics import median

from knowledge.model import Frozen

_GAP = 1.6
"""A line further below than 1.6 times the usual distance begins a paragraph (half a line more)."""

_WIDEST = 2.5
"""Lines of one paragraph are at most 2.5 times the size of the text apart (double spacing: 2.4)."""

_HEADING = 1.15
"""A heading is set in at least 1.15 times the size of the text (12 points over 10)."""

_LARGEST = 1.6
"""From 1.6 times the size of the text on, a heading is of the first level."""

_HEADING_WORDS = 25
_ITEM = re.compile(r"(?:[\u2022\u25aa\u25cf\u2023\u25e6*]|[-\u2013]\s|\(?(?:\d{1,2}|[a-z])[.)]\s)")


class Word(Frozen):
    """A word upon a page.

    Args:
        text: Its characters.
        box: Left, bottom, right, top, in points of the page.
        size: Of its letters, points.
        fill: Colour of its letters, RGB 0 to 255; None for a pattern or shading.
        drawn: Whether its letters are painted; the text laid over a scan is not.
        broken: Whether it goes on in the next line after a hyphen, which `text` leaves out.
    """

    text: str
    box: tuple[float, float, float, float]
    size: float
    fill: tuple[int, int, int] | None = None
    drawn: bool = True
    broken: bool = False


class Line(Frozen):
    """Words in one line, in the order they are read."""

    words: tuple[Word, ...]

    @property
    def size(self) -> float:
        """Size of its letters, points: that of most of its characters."""
        sizes: Counter[float] = Counter()
        for word in self.words:
            sizes[round(word.size, 1)] += len(word.text)
        return sizes.most_common(1)[0][0]

    @property
    def baseline(self) -> float:
        """Lower edge, points from the foot of the page."""
        return median(word.box[1] for word in self.words)


class Paragraph(Frozen):
    """Lines that belong together.

    Args:
        lines: In order.
        level: 0 for text, 1 to 3 for a heading.
    """

    lines: tuple[Line, ...]
    level: int = 0

    def text(self, vocabulary: Set[str]) -> str:
        """Return the text; lines are joined by a space.

        Args:
            vocabulary: Lower-case words of the document. A word broken at the end of a line loses
                its hyphen where the whole word stands elsewhere in the document; else it keeps it.
        """
        parts: list[str] = []
        for line in self.lines:
            for word in line.words:
                parts.append(word.text)
                parts.append("-" if word.broken else " ")
        for index in range(1, len(parts) - 1, 2):
            if parts[index] == "-" and _bare(parts[index - 1] + parts[index + 1]) in vocabulary:
                parts[index] = ""
        return "".join(parts).rstrip()


def paragraphs(lines: Sequence[Line], *, text_size: float) -> Iterator[Paragraph]:
    """Yield the paragraphs and headings of a page, in order.

    Args:
        lines: Without empty ones.
        text_size: Size of most of the document's text, points.
    """
    steps = [a.baseline - b.baseline for a, b in pairwise(lines)]
    usual = median([step for step in steps if 0 < step < _WIDEST * text_size] or [text_size])
    group: list[Line] = []
    for line in lines:
        if group and _begins(group[-1], line, usual):
            yield _paragraph(group, text_size)
            group = []
        group.append(line)
    if group:
        yield _paragraph(group, text_size)


def usual_size(pages: Iterable[Sequence[Line]]) -> float:
    """Return the size of most of a document's characters, points; 10 where there are none."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += sum(len(word.text) for word in line.words)
    return sizes.most_common(1)[0][0] if sizes else 10.0


def vocabulary(pages: Iterable[Sequence[Line]]) -> frozenset[str]:
    """Return the words of a document that are not broken, in lower case."""
    found: set[str] = set()
    for lines in pages:
        after_break = False
        for word in (word for line in lines for word in line.words):
            if not word.broken and not after_break:
                found.add(_bare(word.text))
            after_break = word.broken
    return frozenset(found)


def _begins(above: Line, line: Line, usual: float) -> bool:
    if above.words[-1].broken:
        return False
    step = above.baseline - line.baseline
    return (
        step > _GAP * max(usual, line.size)
        or step < -line.size
        or abs(above.size - line.size) > 0.1 * line.size
        or _ITEM.match(f"{line.words[0].text} ") is not None
    )


def _paragraph(lines: Sequence[Line], text_size: float) -> Paragraph:
    size = lines[0].size
    level = 0
    if size >= _HEADING * text_size and sum(len(line.words) for line in lines) <= _HEADING_WORDS:
        level = 1 if size >= _LARGEST * text_size else 2
    return Paragraph(lines=tuple(lines), level=level)


def _bare(word: str) -> str:
    return word.strip(".,;:()[]\"'\u201c\u201d\u2019").lower()
