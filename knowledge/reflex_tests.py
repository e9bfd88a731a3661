"""Reflex tests as data: given a result or a pattern, which tests to add, unless they are there.

A condition reads ``level.<analyte>`` (low, normal, high), ``value.<analyte>``,
``times_upper.<analyte>``, ``reported.<analyte>`` (whatever interferes with it),
``pattern.<id>`` (a verdict), ``grade.<id>``, or a clinical input.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Self

from pydantic import Field, PositiveFloat, model_validator

from knowledge.analytes import analytes
from knowledge.clinical_inputs import ClinicalInput, catalogue
from knowledge.errors import ReferenceDataError
from knowledge.laboratory_patterns import LEVELS, laboratory_patterns
from knowledge.laboratory_tests import laboratory_tests
from knowledge.pathways import Sourced
from knowledge.reference import Table, load
from knowledge.rule_check import condition_faults
from knowledge.rules import Condition
from knowledge.words import Words

FILE = "reflex_tests"
SUPPORT = ("supported", "argued against", "not assessed")
READINGS = ("level", "value", "times_upper", "reported")


class RecentHours(Sourced):
    """How old, hours, a result may be that calls for another test."""

    hours: PositiveFloat


class ReflexTest(Sourced):
    """One suggestion.

    Args:
        id: Key.
        when: What calls for it; a suggestion is made only where this is true.
        adds: Analytes, worded tests or clinical inputs.
        named: Tests that no chart of ours can hold, by their name.
        not_again_hours: A test that was done within these hours is not suggested again.
        en, zh: Why, in one sentence.
    """

    id: str
    when: Condition
    adds: tuple[str, ...] = ()
    named: tuple[Words, ...] = ()
    not_again_hours: PositiveFloat
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)

    @model_validator(mode="after")
    def _adds_something(self) -> Self:
        if not self.adds and not self.named:
            raise ValueError("a suggestion adds a test")
        return self

    @property
    def why(self) -> Words:
        """Why it is suggested."""
        return Words(en=self.en, zh=self.zh)


class ReflexTests(Table):
    """The whole file.

    Args:
        recent: Which results a condition reads.
        instead: By test, groups of tests that tell the same where all of a group are there.
        tests: The suggestions.
    """

    recent: RecentHours
    instead: Mapping[str, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)
    tests: tuple[ReflexTest, ...]


@cache
def reflex_tests() -> ReflexTests:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid; the message names it.
    """
    table = load(FILE, ReflexTests)
    for where, problem in _problems(table):
        raise ReferenceDataError(f"{FILE}.yaml: {where}", problem)
    return table


def _problems(table: ReflexTests) -> Iterator[tuple[str, str]]:
    ids = [row.id for row in table.tests]
    yield from ((key, "given twice") for key in sorted(set(ids)) if ids.count(key) > 1)
    held = laboratory_tests()
    for key, groups in table.instead.items():
        for name in (key, *(one for group in groups for one in group)):
            if name not in held.tests and name not in held.worded:
                yield f"instead.{key}", f"no such test: {name}"
    for row in table.tests:
        if row.source not in table.sources:
            yield row.id, f"no such source: {row.source}"
        for key in row.adds:
            if key not in held.tests and key not in held.worded and key not in catalogue().every:
                yield row.id, f"no such test: {key}"
        names = {name: _as_input(name) for name in row.when.inputs()}
        known = {name: entry for name, entry in names.items() if entry is not None}
        yield from ((row.id, fault) for fault in condition_faults(row.when, known))


def _as_input(name: str) -> ClinicalInput | None:
    """Return what a condition may read by a name; None where there is no such thing."""
    kind, dot, key = name.partition(".")
    if not dot:
        return catalogue().every.get(name)
    if kind in READINGS and key in analytes().analytes:
        return _choice(name, LEVELS) if kind == "level" else _number(name)
    pattern = laboratory_patterns().get(key)
    if pattern is None or kind not in ("pattern", "grade"):
        return None
    grades = tuple(grade.id for grade in pattern.sets[0].grades)
    return _choice(name, SUPPORT if kind == "pattern" else grades or ("none",))


def _choice(name: str, words: tuple[str, ...]) -> ClinicalInput:
    choices: Mapping[str, str] = {word: word for word in words}
    return ClinicalInput(label=name, kind="choice", question=name, choices=choices)


def _number(name: str) -> ClinicalInput:
    return ClinicalInput(label=name, kind="quantity", question=name, unit="1")
