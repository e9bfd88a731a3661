"""Where the words of the tables stand in a question: the longest wins, each place counts once."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from agent.chat.laboratory_names import names_of_tests
from agent.facts import FactSheet
from agent.indices_by_name import index_names
from agent.on_request import on_request
from knowledge.chat_terms import chat_terms, input_terms
from knowledge.note_terms import pattern
from knowledge.scores import score

_HYPHEN = re.compile(r"(?<=\w)[-\u2010-\u2014](?=\w)")


class Target(NamedTuple):
    """What a word is about: a subject of the table, an input, a fact, a score, an index, a test."""

    kind: str
    key: str


class Found(NamedTuple):
    """The targets of a question, as they stand in it, and the question without their words."""

    targets: tuple[Target, ...]
    rest: str


class _Match(NamedTuple):
    places: frozenset[int]
    rank: int
    target: Target


_RANKS = {"subject": 0, "input": 1, "fact": 2, "score": 3, "index": 3, "test": 4}


def plain(text: str) -> str:
    """Return a text as it is compared: one form of each character, no hyphens within words."""
    return _HYPHEN.sub(" ", unicodedata.normalize("NFKC", text))


def holds(question: str, terms: Iterable[str]) -> bool:
    """Return whether any of the terms stands in a question."""
    text = plain(question)
    return any(next(_places(text, term), None) is not None for term in terms)


def found_in(question: str, sheet: FactSheet) -> Found:
    """Return what a question names; of words within others only the longest counts."""
    text = plain(question)
    matches = sorted(
        _matches(text, sheet), key=lambda m: (-len(m.places), m.rank, min(m.places), m.target)
    )
    taken: dict[frozenset[int], int] = {}
    used: set[int] = set()
    kept: list[_Match] = []
    for one in matches:
        beside = one.target.kind == "test" and one.places in taken
        if beside or taken.get(one.places) == one.rank or not one.places & used:
            taken.setdefault(one.places, one.rank)
            used |= one.places
            kept.append(one)
    kept.sort(key=lambda m: min(m.places))
    rest = "".join(" " if at in used else c for at, c in enumerate(text))
    return Found(tuple(dict.fromkeys(one.target for one in kept)), rest)


def _matches(text: str, sheet: FactSheet) -> Iterator[_Match]:
    for target, terms in _table():
        for term in terms:
            for places in _places(text, term):
                yield _Match(places, _RANKS[target.kind], target)
    for fact in sheet.facts:
        if fact.kind == "finding" and fact.names:
            for places in _named(text, fact.names):
                yield _Match(places, _RANKS["fact"], Target("fact", fact.subject))


@cache
def _table() -> tuple[tuple[Target, tuple[str, ...]], ...]:
    subjects = chat_terms().subjects.items()
    rows = [(Target("subject", key), row.terms) for key, row in subjects]
    rows += [(Target("input", key), terms) for key, terms in input_terms().items()]
    rows += [(Target("score", key), score(key).names) for key in on_request()]
    rows += [(Target("index", key), names) for key, names in index_names().items()]
    rows += [(Target("test", key), names) for key, names in names_of_tests().items()]
    return tuple(rows)


def _named(text: str, names: Sequence[str]) -> Iterator[frozenset[int]]:
    """Yield where a question holds a whole name; names may be a laboratory's own."""
    for name in names:
        wanted = rf"(?<![A-Za-z0-9]){re.escape(plain(name))}(?![A-Za-z0-9])"
        for match in re.finditer(wanted, text, re.IGNORECASE):
            yield frozenset(range(*match.span()))


def _places(text: str, term: str) -> Iterator[frozenset[int]]:
    """Yield the characters that a term takes up, once for each time it stands there."""
    if " & " in term:
        parts = [next(_places(text, part), None) for part in term.split(" & ")]
        if all(part is not None for part in parts):
            yield frozenset().union(*(part for part in parts if part is not None))
        return
    if term.startswith("="):
        wanted = re.compile(rf"(?<![A-Za-z0-9]){re.escape(term[1:])}(?![A-Za-z0-9])")
    else:
        wanted = pattern((plain(term),))
    for match in wanted.finditer(text):
        if match.end() > match.start():
            yield frozenset(range(*match.span()))


def first_word(text: str) -> str:
    """Return the first word of a question, in lower case."""
    return next(iter(words_of(text)), "")


def words_of(text: str) -> Sequence[str]:
    """Return the words of a text, in lower case, without marks."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()
