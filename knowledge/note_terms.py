"""The word lists by which notes are read and checked, as reviewable data.

Nothing here understands language: a list says which words speak of a clinical input, and which
words deny it, doubt it, or say it of somebody else or of another time.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Self

from pydantic import model_validator

from knowledge.clinical_inputs import catalogue
from knowledge.model import Frozen
from knowledge.reference import Table, load

_GAP = r"(?:[^\S\n]+[^\s.;,]+){0,3}[^\S\n]+"
"""Up to three words within one clause, for ``...`` between Latin words."""

_CJK_GAP = r"[^\s\u3002\uff1b\uff0c]{0,6}"
"""Up to six characters within one clause, for ``...`` between Chinese words."""

_LATIN = re.compile(r"[A-Za-z0-9]")


class InputTerms(Frozen):
    """The words of one clinical input.

    Args:
        terms: A quote must hold one of them.
        absent_terms: Only these, denied, answer "absent"; None for all terms, empty for none.
        denials: Phrases that by themselves mean "absent".
        not_this: Phrases that hold a term and mean something else.
        whole_terms: Abbreviations that say it only where nothing else is written.
        choices: For a choice: its id to the words that say it.
        past_counts: Whether what was once so still answers the input.
        family: The statement is about relatives.
    """

    terms: tuple[str, ...] = ()
    absent_terms: tuple[str, ...] | None = None
    denials: tuple[str, ...] = ()
    not_this: tuple[str, ...] = ()
    whole_terms: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = {}
    past_counts: bool = False
    family: bool = False

    @property
    def for_absent(self) -> tuple[str, ...]:
        """The terms that answer "absent" when they are denied."""
        return self.terms if self.absent_terms is None else self.absent_terms


class Cues(Frozen):
    """Words that change what a term means; see the file for each."""

    denies: tuple[str, ...]
    no: tuple[str, ...]
    between: tuple[str, ...]
    but_after: tuple[str, ...]
    denied_after: tuple[str, ...]
    ended: tuple[str, ...]
    broken: tuple[str, ...]
    list: tuple[str, ...]
    other_denial: tuple[str, ...]
    pseudo: tuple[str, ...]
    uncertain: tuple[str, ...]
    family: tuple[str, ...]
    other_person: tuple[str, ...]
    past: tuple[str, ...]
    now: tuple[str, ...]
    hypothetical: tuple[str, ...]
    instruction: tuple[str, ...]


class Window(Frozen):
    """How old a note may be for statements about this presentation."""

    max_age_hours: float
    source: str
    review: str


class NoteTerms(Table):
    """The whole file."""

    window: Window
    inputs: Mapping[str, InputTerms]
    cues: Cues

    @model_validator(mode="after")
    def _of_the_catalogue(self) -> Self:
        for key, row in self.inputs.items():
            entry = catalogue().inputs.get(key)
            if entry is None or entry.kind not in ("boolean", "choice"):
                raise ValueError(f"{key}: not a yes/no or choice input of the catalogue")
            if (entry.kind == "choice") != bool(row.choices) or set(row.choices) - set(
                entry.choices
            ):
                raise ValueError(f"{key}: the choices are not those of the catalogue")
            if bool(row.terms) == bool(row.choices):
                raise ValueError(f"{key}: has terms or choices, one of them")
        return self


@cache
def note_terms() -> NoteTerms:
    """Return the packaged lists."""
    return load("note_terms", NoteTerms)


@cache
def pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    r"""Return one expression for a list of words, the longest first, whole words only.

    Examples:
        >>> pattern(("sweat*", "radiat* ... arm")).findall("sweating, radiating to the left arm")
        ['sweating', 'radiating to the left arm']
    """
    ordered = sorted(words, key=lambda w: (-len(w), w))
    return re.compile("|".join(_one(word) for word in ordered) or r"(?!)", re.IGNORECASE)


def spans(words: Iterable[str], text: str) -> list[tuple[int, int]]:
    """Return where any of the words stand in a text."""
    return [match.span() for match in pattern(tuple(words)).finditer(text)]


def _one(word: str) -> str:
    """Return the expression of one entry; Chinese has no word boundaries, Latin words do."""
    parts = [part.strip() for part in word.split("...")]
    gap = _GAP if _LATIN.search(word) else _CJK_GAP
    body = gap.join(r"\s+".join(_token(t) for t in part.split()) for part in parts)
    before = r"(?<![A-Za-z0-9])" if _LATIN.match(word) else ""
    after = r"(?![A-Za-z0-9])" if _LATIN.match(word[-1:]) else ""
    return f"{before}{body}{after}"


def _token(token: str) -> str:
    return re.escape(token.removesuffix("*")) + (r"[A-Za-z]*" if token.endswith("*") else "")
