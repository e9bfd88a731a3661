"""Delta checks: changes between two results that suggest a mix-up or a contaminated specimen.

The rows are data (``delta_checks.yaml``).
"""

from collections.abc import Mapping
from functools import cache
from typing import Self

from pydantic import PositiveFloat, PositiveInt, model_validator

from knowledge.biological_variation import NoChangeValue
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.reference import Table, load

_FILE = "delta_checks"


class LookBack(Sourced):
    """How far back an earlier result is looked at."""

    days: PositiveFloat


class DeltaRow(Sourced):
    """One analyte; the check is raised where any limit given is reached.

    Args:
        absolute: Change in `unit`.
        unit: UCUM unit of `absolute`.
        percent: Change in per cent of the earlier result.
        times: Ratio of the larger result to the smaller one.
        strict: The limit itself does not raise the check.
    """

    absolute: PositiveFloat | None = None
    unit: str | None = None
    percent: PositiveFloat | None = None
    times: PositiveFloat | None = None
    strict: bool = False

    @model_validator(mode="after")
    def _a_limit(self) -> Self:
        if self.absolute is None and self.percent is None and self.times is None:
            raise ValueError("give at least one of absolute, percent, times")
        if (self.absolute is None) != (self.unit is None):
            raise ValueError("an absolute limit has a unit")
        return self


class SomeOf(Frozen):
    """At least so many of these analytes."""

    of: tuple[str, ...]
    at_least: PositiveInt

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.at_least > len(self.of):
            raise ValueError("more are asked for than there are")
        return self


class DeltaPattern(Sourced):
    """One pattern of changes over several analytes of one specimen.

    Args:
        label: What it suggests.
        up, down: Analytes that must all rise, or fall.
        some_up, some_down: Analytes of which some must.
        signal: Signal of ``interference.yaml`` that the pattern answers.
        by_level: Whether results outside their intervals on these sides raise the suspicion where
            there is no earlier sample to compare with.
        level_down: Analytes of which some must lie below their intervals for that, where other than
            `some_down`.
        explains: Why.
        settles: What would settle it.
    """

    label: str
    signal: str
    by_level: bool = False
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    some_up: SomeOf | None = None
    some_down: SomeOf | None = None
    level_down: SomeOf | None = None
    explains: str
    settles: str

    @property
    def analytes(self) -> tuple[str, ...]:
        """Every analyte the pattern reads, once."""
        some = (*(self.some_up.of if self.some_up else ()),)
        some += self.some_down.of if self.some_down else ()
        return tuple(dict.fromkeys((*self.up, *self.down, *some)))


class DeltaChecks(Table):
    """The whole file."""

    window: LookBack
    rows: Mapping[str, DeltaRow]
    none: Mapping[str, NoChangeValue]
    patterns: Mapping[str, DeltaPattern]


@cache
def delta_checks() -> DeltaChecks:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid or cites no source.
    """
    table = load(_FILE, DeltaChecks)
    rows: tuple[Sourced, ...] = (
        table.window,
        *table.rows.values(),
        *table.none.values(),
        *table.patterns.values(),
    )
    for row in rows:
        table.cite(_FILE, row.source, row.review)
    return table
