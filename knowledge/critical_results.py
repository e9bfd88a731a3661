"""Results that a person must acknowledge at once: limits, and when an unanswered one escalates.

The rows are data (``critical_results.yaml``).
"""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, FiniteFloat, PositiveFloat, PositiveInt, model_validator

from knowledge.analytes import analytes
from knowledge.errors import ReferenceDataError
from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.reference import Table, load

_FILE = "critical_results"


class Limit(Sourced):
    """One bound; the bound itself is critical.

    Args:
        limit: In the analyte's unit.
    """

    limit: FiniteFloat


class CriticalRange(Frozen):
    """The bounds of one analyte; at least one.

    Args:
        low: At or below this.
        high: At or above this.
    """

    low: Limit | None = None
    high: Limit | None = None

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if self.low is None and self.high is None:
            raise ValueError("give a lower or an upper limit")
        if self.low and self.high and self.low.limit >= self.high.limit:
            raise ValueError("the lower limit is not below the upper one")
        return self


class ConditionalLimit(Limit):
    """A bound that holds for some people, or at some moment, only.

    Args:
        side: Critical at or below the bound, or at or above it.
        to_age_days: Up to this age, days.
        when: A circumstance of the laboratory tests that must be so.
    """

    side: Literal["low", "high"]
    to_age_days: PositiveFloat | None = None
    when: str | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if self.to_age_days is None and self.when is None:
            raise ValueError("give the condition, or list the limit under `values`")
        return self


class Window(Sourced):
    """How old a result may be, hours, to be news."""

    hours: PositiveFloat


class CriticalCategories(Sourced):
    """Categories of one rule that must be known at once."""

    categories: tuple[str, ...]


class SaidByValues(Sourced):
    """Recommendations that only say that a value is critical: the value says it already."""

    recommendations: tuple[str, ...]


class Escalation(Sourced):
    """When an unacknowledged result is due, and when it goes up a level.

    Args:
        due_minutes: Minutes from when it was raised to when it should be acknowledged.
        levels_minutes: Minutes from when it was raised to level 1, 2, ...; rising.
    """

    due_minutes: PositiveInt
    levels_minutes: tuple[PositiveInt, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        levels = self.levels_minutes
        if any(a >= b for a, b in pairwise(levels)):
            raise ValueError("each level comes later than the one before")
        return self


class CriticalResults(Table):
    """The whole file."""

    values: Mapping[str, CriticalRange]
    conditional: Mapping[str, tuple[ConditionalLimit, ...]] = {}
    window: Window
    risks: Mapping[str, CriticalCategories]
    said_by_values: SaidByValues
    escalation: Escalation


@cache
def critical_results() -> CriticalResults:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid, of no analyte we know, or cites no source.
    """
    table = load(_FILE, CriticalResults)
    unknown = sorted({*table.values, *table.conditional} - set(analytes().analytes))
    if unknown:
        raise ReferenceDataError(f"{_FILE}.yaml", f"no such analytes: {', '.join(unknown)}")
    for key, row in table.values.items():
        for bound in (row.low, row.high):
            if bound is not None:
                table.cite(f"{_FILE}: {key}", bound.source, bound.review)
    for key, limits in table.conditional.items():
        for limit in limits:
            table.cite(f"{_FILE}: {key}", limit.source, limit.review)
    for part in (table.window, table.said_by_values, table.escalation, *table.risks.values()):
        table.cite(_FILE, part.source, part.review)
    return table
