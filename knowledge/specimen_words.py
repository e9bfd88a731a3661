"""What a laboratory's comment says of the state of its specimen, by words that are data.

They are ``specimen_words.yaml``: German and Chinese words of haemolysis, and of lipaemia and
icterus also the English ones. A word that is denied states nothing.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from itertools import pairwise
from typing import Literal

from knowledge.identity_words import Words
from knowledge.reference import Table, load

FILE = "specimen_words"

State = Literal["haemolysed", "lipaemic", "icteric"]

_CLAUSE = re.compile(r"[.;:!?\n\u3002\uff1b\uff1a\uff0c]|,(?=\s)")
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_BEFORE, _BEHIND = 3, 2
"""Words among which one that denies is looked for."""

_NOT_LATIN = re.compile(r"[\u4e00-\u9fff]")


class SpecimenWords(Table):
    """The whole file.

    Args:
        states: Flag of a result to the beginnings of words that say it.
        denied: Words that say the opposite.
        not_a_state: Words that look like one and are the name of a test or a disease.
    """

    states: Mapping[State, Words]
    denied: Words
    not_a_state: Words

    @cached_property
    def plain_states(self) -> tuple[tuple[State, tuple[str, ...]], ...]:
        """The states with their words as they are compared."""
        return tuple((s, tuple(_plain(w) for w in said.words)) for s, said in self.states.items())


@cache
def specimen_words() -> SpecimenWords:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(FILE, SpecimenWords)


def specimen_states(texts: Iterable[str]) -> tuple[State, ...]:
    """Return the states that comments say of a specimen.

    Examples:
        >>> specimen_states(["Probe stark haemolytisch, leicht ikterisch"])
        ('haemolysed', 'icteric')
        >>> specimen_states(["nicht hämolytisch", "keine Lipämie", "Hämolyseindex 3"])
        ()
    """
    table = specimen_words()
    others = [_plain(word) for word in table.not_a_state.words]
    clauses = []
    for text in texts:
        said = _plain(text)
        for other in others:
            said = said.replace(other, " ")
        clauses += _clauses(said)
    return tuple(
        state
        for state, words in table.plain_states
        if any(_says(clause, words, table) for clause in clauses)
    )


def _clauses(text: str) -> list[str]:
    """Return the clauses; what stands behind a colon or a comma may deny what is before it."""
    parts = _CLAUSE.split(text)
    joined = [f"{a} {b}" for a, b in pairwise(parts) if _only_denies(b)]
    return [a for a, b in pairwise([*parts, ""]) if not _only_denies(b)] + joined


def _only_denies(clause: str) -> bool:
    words = _WORD.findall(clause)
    return len(words) == 1 and words[0] in specimen_words().denied.words


def _says(clause: str, beginnings: tuple[str, ...], table: SpecimenWords) -> bool:
    denied = frozenset(_plain(word) for word in table.denied.words)
    words = _WORD.findall(clause)
    for place, word in enumerate(words):
        if _NOT_LATIN.search(word):
            if any(b in word for b in beginnings) and not any(d in word for d in denied):
                return True
            continue
        if not word.startswith(beginnings):
            continue
        near = words[max(0, place - _BEFORE) : place] + words[place + 1 : place + 1 + _BEHIND]
        if not denied.intersection(near):
            return True
    return False


def _plain(text: str) -> str:
    said = text.casefold()
    for letter, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        said = said.replace(letter, written)
    return said
