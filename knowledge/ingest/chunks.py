"""Blocks of a document to passages: by heading and paragraph, at ends of sentences.

A passage is one span of the text of one page. Paragraphs under one heading join up to the size a
search works well with; a long paragraph is cut between sentences, a sentence that is longer than a
passage between words.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from pydantic import NonNegativeInt

from knowledge.ingest.extracted import Block, Extracted
from knowledge.model import Frozen

SHORTEST_WORDS = 60
LONGEST_WORDS = 150
"""The encoders used here read 256 word pieces, some 180 English words; 60 to 150 stay below it."""

_CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\s{_CJK}]{{1,40}}")
"""A Chinese character, or a word of up to 40 characters; what is longer (a link, a table that lost
its spaces) counts as several, so that no passage is without an end."""

_CJK_CHARACTER = re.compile(rf"[{_CJK}]")
_CJK_PER_WORD = 1.7
"""Chinese characters that count as one word: the mean length of a Chinese word in running text."""

_STOP = re.compile(
    r"(?<![.!?])[.!?]++[\"'\u2019\u201d)\]]*(?=\s+[^\sa-z])"
    r"|[\u3002\uff01\uff1f\uff1b]+[\u300d\u300f\u201d\u2019\uff09]*"  # Chinese stops, then brackets
    r"|\n{2,}"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|al|fig|figs|tab|ref|refs|dr|prof|mr|ms|st|no|nos|approx|ca|resp|sec|"
    r"ed|eds|vol|incl|max|min)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_LOOK_BACK = 12


class Chunk(Frozen):
    """One passage to be.

    Args:
        page: Index of the page, from 0.
        start, end: Half-open span in the text of the page.
        heading: The headings above it, outermost first.
    """

    page: NonNegativeInt
    start: NonNegativeInt
    end: NonNegativeInt
    heading: tuple[str, ...] = ()


def chunks(document: Extracted) -> tuple[Chunk, ...]:
    """Return the passages of a document, in order; the same document gives the same passages.

    Every paragraph is in exactly one or several of them; a heading is in `Chunk.heading` of what
    stands under it, and is a passage itself where nothing does.
    """
    found: list[Chunk] = []
    for heading, group in groupby(_sections(document), key=lambda item: item[1:]):
        path, page = heading
        text = document.pages[page].text
        spans = [part for block, *_ in group for part in _pieces(text, block.start, block.end)]
        found.extend(
            Chunk(page=page, start=start, end=end, heading=path)
            for start, end in _joined(text, spans)
        )
    return tuple(found)


def words(text: str) -> float:
    """Return the length in words; Chinese characters count in proportion.

    Examples:
        >>> words("Chest pain at rest.")
        4.0
    """
    characters = len(_CJK_CHARACTER.findall(text))
    return len(_WORD.findall(text)) - characters + characters / _CJK_PER_WORD


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the span of each sentence within a span, without the white space around it."""
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if text[stop.start()] == "." and _ABBREVIATION.search(
            text[max(begin, stop.start() - _LOOK_BACK) : stop.start() + 1]
        ):
            continue
        yield from _trimmed(text, begin, stop.end())
        begin = stop.end()
    yield from _trimmed(text, begin, end)


def _sections(document: Extracted) -> Iterator[tuple[Block, tuple[str, ...], int]]:
    """Yield each paragraph, and each heading without text, with its headings and its page."""
    path: list[Block] = []
    blocks = document.blocks
    for index, block in enumerate(blocks):
        if block.level:
            path = [above for above in path if above.level < block.level]
            following = blocks[index + 1] if index + 1 < len(blocks) else None
            if following is None or 0 < following.level <= block.level:
                yield block, _titles(document, path), block.page
            path.append(block)
        else:
            yield block, _titles(document, path), block.page


def _titles(document: Extracted, path: Sequence[Block]) -> tuple[str, ...]:
    texts = (document.pages[block.page].text[block.start : block.end] for block in path)
    return tuple(" ".join(text.split()) for text in texts)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield sentences, none longer than a passage."""
    for first, last in sentences(text, start, end):
        if words(text[first:last]) <= LONGEST_WORDS:
            yield first, last
        else:
            yield from _by_words(text, first, last)


def _by_words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first, count, last = start, 0.0, start
    for word in _WORD.finditer(text, start, end):
        size = words(word.group())
        if count and count + size > LONGEST_WORDS:
            yield first, last
            first, count = word.start(), 0.0
        count += size
        last = word.end()
    yield first, last


def _joined(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield spans joined until long enough; a short rest goes to the last where it fits."""
    done: list[tuple[int, int]] = []
    current: tuple[int, int] | None = None
    for start, end in spans:
        if current is None:
            current = (start, end)
        elif words(text[current[0] : end]) > LONGEST_WORDS or _is_long(text, current):
            done.append(current)
            current = (start, end)
        else:
            current = (current[0], end)
    if current is not None:
        if done and not _is_long(text, current):
            whole = (done[-1][0], current[1])
            if words(text[whole[0] : whole[1]]) <= LONGEST_WORDS:
                done[-1], current = whole, None
        if current is not None:
            done.append(current)
    yield from done


def _is_long(text: str, span: tuple[int, int]) -> bool:
    return words(text[span[0] : span[1]]) >= SHORTEST_WORDS


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
