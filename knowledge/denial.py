"""Whether a clause says, in a wording this short list knows, that what it names is not there.

Conservative on purpose: a clause counts as denied only if every word of it is known: one denying or
normal word before or beside the terms, the terms themselves, and words without weight; and two
terms are joined by "or". Whatever else stands in it ("but", "change", "excluded", a question mark)
leaves it undecided.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from knowledge.model import Frozen

_BREAK = re.compile(
    r"[.,:](?!\d)|[;\n\r。\uff1b\uff1a\uff0c、!\uff01()\[\]{}<>=|*•#\\\"]|\s[-\u2013—]+\s|[\u2013—]"
)
_QUESTION = re.compile(r"[?\uff1f]")
_LATIN = re.compile(r"[^\W_]", re.ASCII)


class Wording(Frozen):
    """The words by which a clause denies.

    Args:
        denies: Stand before the terms: "no", "kein", "未见".
        normal: Stand beside the terms: "normal", "unauffällig", "正常".
        relatives: Begin a clause that speaks of relatives only: "family history of".
        neutral: Words that change nothing: "evidence of", "seen", "acute".
        joins: Stand between two denied terms: "or".
        adjectives: Terms that may stand right before another: "aortic" dissection.
        family_codes: ICD-10 prefixes that speak of relatives only.
    """

    denies: tuple[str, ...]
    normal: tuple[str, ...]
    relatives: tuple[str, ...]
    neutral: tuple[str, ...]
    joins: tuple[str, ...]
    adjectives: tuple[str, ...]
    family_codes: tuple[str, ...]
    source: str
    review: str

    def denied(self, clause: str, spans: Sequence[tuple[int, int]]) -> bool:
        """Return whether a clause denies everything it names.

        Args:
            clause: Folded text without a break.
            spans: Where terms stand in it.
        """
        if not spans or _QUESTION.search(clause) or not self._joined(clause, sorted(spans)):
            return False
        rest = _blanked(clause, spans)
        first = min(start for start, _ in spans)
        for cues, before in ((self.relatives, True), (self.denies, True), (self.normal, False)):
            found = _first(rest, cues)
            if found is None or (before and found[1] > first):
                continue
            left = _without(_blanked(rest, [found]), (*self.neutral, *self.joins))
            if not re.search(r"\w", left):
                return True
        return False

    def _joined(self, clause: str, spans: Sequence[tuple[int, int]]) -> bool:
        """Return whether each term is joined to the one before it, so that one word denies both."""
        for (start, end), (after, _) in pairwise(spans):
            between = clause[end:after]
            adjective = clause[start:end] in self.adjectives and not between.strip()
            if after >= end and not adjective and _first(between, self.joins) is None:
                return False
        return True


def clauses(text: str) -> tuple[str, ...]:
    """Return the clauses of a text, folded.

    Examples:
        >>> clauses("No pneumothorax. Normal aortic contour, 3.5 cm")
        ('no pneumothorax', 'normal aortic contour', '3.5 cm')
    """
    folded = (" ".join(part.casefold().split()) for part in _BREAK.split(text))
    return tuple(part for part in folded if part)


def word_spans(text: str, word: str, *, whole: bool) -> list[tuple[int, int]]:
    """Return where a word stands in a folded text.

    A span of Latin letters is widened to the whole word it lies in, so that "dissection" covers
    "aortendissektion"-like compounds.

    Args:
        text: Folded text.
        word: In lower case.
        whole: Whether it must be a word of its own.
    """
    pattern = re.escape(word)
    if whole:
        pattern = rf"(?<![a-z0-9]){pattern}(?![a-z0-9])"
    return [_widened(text, m.start(), m.end()) for m in re.finditer(pattern, text)]


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _joins(text[start - 1]) and _joins(text[start]):
        start -= 1
    while end < len(text) and _joins(text[end]) and _joins(text[end - 1]):
        end += 1
    return start, end


def _joins(letter: str) -> bool:
    return bool(_LATIN.match(letter)) or letter in "-äöüßéèêàáíóúñçâîôûì"


def _first(text: str, words: Iterable[str]) -> tuple[int, int] | None:
    """Return where the first of some words stands, the longest of those that begin there."""
    found = [m.span() for word in words if (m := _of(word).search(text)) is not None]
    return min(found, key=lambda span: (span[0], -span[1]), default=None)


def _without(text: str, words: Iterable[str]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = _of(word).sub(lambda m: " " * len(m.group()), text)
    return text


def _of(word: str) -> re.Pattern[str]:
    if _joins(word[0]):
        return re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    return re.compile(re.escape(word))


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
