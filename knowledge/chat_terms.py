"""Which words a question about a case may use, and which facts answer it, as reviewable data."""

from collections.abc import Mapping
from functools import cache
from typing import Literal, Self

from pydantic import model_validator

from knowledge.clinical_inputs import catalogue
from knowledge.model import Frozen
from knowledge.note_terms import note_terms
from knowledge.reference import Table, load

Does = Literal["facts", "plan", "remedy", "unread"]


class Questions(Frozen):
    """What a question asks for; see the file for each list."""

    rules: tuple[str, ...]
    commands: tuple[str, ...]
    before_commands: tuple[str, ...]
    asks_first: tuple[str, ...]
    missing: tuple[str, ...]
    overview: tuple[str, ...]
    days: tuple[str, ...]
    earlier: tuple[str, ...]
    persons: tuple[str, ...]
    history: tuple[str, ...]
    hypothetical: tuple[str, ...]
    generic: tuple[str, ...]
    part_names: tuple[str, ...]
    stop: tuple[str, ...]


class Said(Frozen):
    """One text in both languages."""

    en: str
    zh: str


class Subject(Frozen):
    """What a question can be about.

    Args:
        does: Whether it asks for facts, for what to do, for a remedy, or for what is not read here.
        weak: A general word, set aside where the question names something more special.
        terms: The words for it, in either language.
        first: The facts that are always shown, in this order.
        more: Those that follow, as many as fit.
        history_first: The facts of a remedy that is asked about as history.
        note: What must be said with the answer.
        unless: Words of the question that make the note needless.
        query: What guideline knowledge is asked for.
        topics: Topics of the passages that may be found.
    """

    does: Does = "facts"
    weak: bool = False
    terms: tuple[str, ...]
    first: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    history_first: tuple[str, ...] = ()
    note: Said | None = None
    unless: tuple[str, ...] = ()
    query: Said | None = None
    topics: tuple[str, ...] = ()


class OnlyFor(Frozen):
    """Topic of a card to the recommendations of which one must apply to the patient."""

    topics: Mapping[str, tuple[str, ...]]


class ChatTerms(Table):
    """The whole file."""

    questions: Questions
    subjects: Mapping[str, Subject]
    inputs: Mapping[str, tuple[str, ...]]
    only_for: OnlyFor

    @model_validator(mode="after")
    def _of_the_catalogue(self) -> Self:
        unknown = set(self.inputs) - set(catalogue().inputs)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: not inputs of the catalogue")
        return self


@cache
def chat_terms() -> ChatTerms:
    """Return the packaged lists."""
    return load("chat_terms", ChatTerms)


@cache
def input_terms() -> Mapping[str, tuple[str, ...]]:
    """Return the words of every clinical input: its label, those of note reading, and our own."""
    notes = note_terms().inputs
    own = chat_terms().inputs
    found: dict[str, tuple[str, ...]] = {}
    for key, row in catalogue().inputs.items():
        bare = row.label.partition(" (")[0]
        read = notes[key].terms if key in notes and not notes[key].family else ()
        words = (row.label, bare, *read, *own.get(key, ()))
        found[key] = tuple(dict.fromkeys(words))
    return found
