"""The vocabulary of the verifier: reviewable data, one block for each language."""

from collections.abc import Iterable, Mapping
from functools import cache

from pydantic import Field

from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.reference import Table, load

_TABLE = "verifier_terms"


class Numerals(Frozen):
    """Number words in order: position is value, except tens, which start at twenty."""

    en_small: tuple[str, ...]
    en_tens: tuple[str, ...]
    zh_digits: str


class Words(Frozen):
    """The words of one language; see the file for what each list is."""

    neutral: tuple[str, ...]
    articles: tuple[str, ...]
    inner: tuple[str, ...]
    inner_name: tuple[str, ...]
    name_joints: tuple[str, ...]
    copulas: tuple[str, ...]
    glue: Mapping[str, tuple[str, ...]]
    opens_rate: tuple[str, ...]
    past: tuple[str, ...]
    graded: tuple[str, ...]
    breaks: tuple[str, ...]
    strong_breaks: tuple[str, ...]
    verbs: tuple[str, ...]
    no: tuple[str, ...]
    absent: tuple[str, ...]
    present: tuple[str, ...]
    not_assessed: tuple[str, ...]
    not_determined: tuple[str, ...]
    supported: tuple[str, ...]
    argued_against: tuple[str, ...]
    same: Mapping[str, tuple[str, ...]]
    series: Mapping[str, tuple[str, ...]]
    context: Mapping[str, tuple[str, ...]]
    classes: Mapping[str, tuple[str, ...]]
    phrases: Mapping[str, str] = Field(default_factory=dict)


class VerifierTerms(Table):
    """The whole file."""

    units: Mapping[str, tuple[str, ...]]
    numerals: Numerals
    en: Words
    zh: Words

    def words(self, language: Language) -> Words:
        """Return the words of one language."""
        return self.zh if language == "zh" else self.en


@cache
def verifier_terms() -> VerifierTerms:
    """Return the packaged vocabulary."""
    return load(_TABLE, VerifierTerms)


STATES = (
    "not_assessed",
    "not_determined",
    "argued_against",
    "supported",
    "absent",
    "present",
    "no",
)
"""Lists of markers, each compared as one token ``~<list>``."""


def markers(words: Words) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Yield each compared-as key with the words that mean it: states first, then synonyms."""
    for state in STATES:
        yield f"~{state}", getattr(words, state)
    for key, same in words.same.items():
        yield f"={key}", same
