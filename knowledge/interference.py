"""Interferences: what can falsify a result, in which direction, with what consequence.

The rows are data (``interference.yaml``). There is no corrected value anywhere: a result that an
interference reaches is repeated or confirmed, never computed.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal, Self

from pydantic import Field, model_validator

from knowledge.clinical_inputs import catalogue
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.reference import Table, load
from knowledge.rules import Condition

_FILE = "interference"
Direction = Literal["raises", "lowers", "either"]


class Signal(Frozen):
    """Something that can tell of an interference.

    Args:
        label: What to look at, in words that fit after "would tell:".
        kind: Yes or no, a number with a unit, or one of a list of words.
        unit: UCUM unit of a number.
        choices: The words.
        analyte: Key of the analyte table, where a result of the same specimen answers it.
        flags: Flags of a finding that answer it with yes, in every spelling.
        input: Id of a clinical input that answers it, for example a medicine of the chart.
    """

    label: str
    kind: Literal["yes-no", "number", "choice"]
    unit: str | None = None
    choices: tuple[str, ...] = ()
    analyte: str | None = None
    flags: tuple[str, ...] = ()
    input: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind == "number") != (self.unit is not None):
            raise ValueError("a number, and nothing else, has a unit")
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError("a choice, and nothing else, lists its words")
        if self.flags and self.kind != "yes-no":
            raise ValueError("a flag answers a yes-or-no signal")
        if self.input is not None and self.input not in catalogue().every:
            raise ValueError(f"{self.input}: not an input of the catalogue")
        return self


class Effect(Sourced):
    """What an interference does to some analytes.

    Args:
        analytes: Keys of the analyte table.
        direction: Of the error.
        size: In words; empty where no size is known.
        only_when: Method, level or phase it needs; None for any.
        consequence: What the result may not be used for, and what to do.
    """

    analytes: tuple[str, ...] = Field(min_length=1)
    direction: Direction
    size: str = ""
    only_when: Condition | None = None
    consequence: str


class Interference(Sourced):
    """One interference.

    Args:
        label: Name to show.
        present_when: True where it is known to be there.
        absent_when: True where it is known not to be.
        effects: What it does.
    """

    label: str
    present_when: Condition
    absent_when: Condition
    effects: tuple[Effect, ...] = Field(min_length=1)

    def on(self, analyte: str) -> tuple[Effect, ...]:
        """Return the effects on an analyte."""
        return tuple(effect for effect in self.effects if analyte in effect.analytes)

    def conditions(self) -> Iterator[Condition]:
        """Yield every condition of the row."""
        yield self.present_when
        yield self.absent_when
        yield from (e.only_when for e in self.effects if e.only_when is not None)


class Interferences(Table):
    """The whole file."""

    signals: Mapping[str, Signal]
    interferences: Mapping[str, Interference]


@cache
def interferences() -> Interferences:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid, cites no source, or asks for an unknown signal.
    """
    table = load(_FILE, Interferences)
    for key, row in table.interferences.items():
        for sourced in (row, *row.effects):
            table.cite(f"{_FILE}: {key}", sourced.source, sourced.review)
        for condition in row.conditions():
            _check(table, key, condition)
    return table


def _check(table: Interferences, key: str, condition: Condition) -> None:
    for leaf in condition.leaves():
        signal = table.signals.get(leaf.input or "")
        if signal is None:
            raise ReferenceDataError(f"{_FILE}: {key}", f"no signal {leaf.input!r}")
        words = (leaf.is_,) if isinstance(leaf.is_, str) else leaf.is_ or ()
        allowed = signal.choices or ("present", "absent")
        if (signal.kind == "number") != bool(leaf.limits) or not set(words) <= set(allowed):
            raise ReferenceDataError(f"{_FILE}: {key}", f"{leaf.input}: not a test of that signal")
