"""Derived laboratory indices as data: inputs, units, contract, constants and categories.

The formulas are in ``tools/labs/indices``; every number in them is a row of
``laboratory_indices.yaml``.
"""

import math
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Self

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveFloat, model_validator

from knowledge.model import Frozen
from knowledge.pathways import Sourced
from knowledge.quantity import Interval
from knowledge.reference import Table, load

_FILE = "laboratory_indices"


class IndexInputRow(Frozen):
    """One measured input.

    Args:
        label: What it is.
        unit: UCUM unit the formula takes.
        analyte: Key of the analyte table, where it is one.
        form: What the number counts, where the unit of the analyte can mean two things.
        at_least, above, at_most, below: The contract: outside it the index is refused.
        because: Why it is refused there.
        assume_low, assume_high: Bounds the rule itself gives a missing input (its own limits).
        bounded_if_missing: Whether a missing input is replaced by those bounds.
        timed: Whether it must be collected together with the others.
        question: What to ask where it is missing.
    """

    label: str
    unit: str
    analyte: str | None = None
    form: str | None = None
    at_least: FiniteFloat | None = None
    above: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    below: FiniteFloat | None = None
    because: str = ""
    bounded_if_missing: bool = False
    assume_low: FiniteFloat | None = None
    assume_high: FiniteFloat | None = None
    timed: bool = True
    question: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        limits = (self.at_least, self.above, self.at_most, self.below)
        if any(limit is not None for limit in limits) and not self.because:
            raise ValueError("a contract says why it refuses")
        if (self.assume_low, self.assume_high) != (None, None) and not self.bounded_if_missing:
            raise ValueError("assume_low and assume_high are for bounded_if_missing")
        return self

    @property
    def completion(self) -> Interval | None:
        """All values a missing input may take by the rule's own limits; None where unlimited."""
        if not self.bounded_if_missing:
            return None
        return Interval(low=self.assume_low, high=self.assume_high)


class IndexOption(Frozen):
    """One input with a closed set of answers.

    Args:
        label: What it is.
        choices: The accepted answers.
        question: What to ask where it is missing.
    """

    label: str
    choices: tuple[str, ...] = Field(min_length=2)
    question: str = ""


class IndexCategory(Frozen):
    """One category by the value of the index; empty bounds are open to infinity."""

    name: str
    meaning: str = ""
    at_least: FiniteFloat | None = None
    above: FiniteFloat | None = None
    at_most: FiniteFloat | None = None
    below: FiniteFloat | None = None

    @property
    def low(self) -> tuple[float, bool]:
        """Lower bound and whether it belongs to the category."""
        if self.at_least is not None:
            return self.at_least, True
        return (-math.inf, False) if self.above is None else (self.above, False)

    @property
    def high(self) -> tuple[float, bool]:
        """Upper bound and whether it belongs to the category."""
        if self.at_most is not None:
            return self.at_most, True
        return (math.inf, False) if self.below is None else (self.below, False)

    def can_hold(self, value: Interval) -> bool:
        """Return whether some number inside `value` falls into the category."""
        (low, low_in), (high, high_in) = self.low, self.high
        above = value.compare("ge" if low_in else "gt", low) if math.isfinite(low) else True
        below = value.compare("le" if high_in else "lt", high) if math.isfinite(high) else True
        return above is not False and below is not False


class IndexRow(Sourced):
    """One index.

    Args:
        name: Name to show.
        terms: Words a person asks for it by, beside its name; without any it is not asked by name.
        family: Module of ``tools/labs/indices`` that holds the formula.
        unit: UCUM unit of the result.
        decimals: To show; the value itself is not rounded.
        inputs: Measured inputs, by the name of the argument.
        options: Inputs with a closed set of answers, by the name of the argument.
        constants: Every number of the formula.
        lowest, highest: Limits the rule sets to its result.
        categorised_at_decimals: Decimals at which the category is read; None for unrounded.
        categories: Sets of categories by name; each covers every number without overlap.
        caveats: What must be read with it.
        not_when: Clinical inputs that rule it out where they are present, each with the reason.
        not_available: Why it cannot be computed at all with what is held here.
        one_method: Whether a difference of its inputs is so small that two methods, or two kinds of
            specimen, must be told.
    """

    name: str
    terms: tuple[str, ...] = ()
    family: str
    unit: str
    decimals: NonNegativeInt
    inputs: Mapping[str, IndexInputRow]
    options: Mapping[str, IndexOption] = Field(default_factory=dict)
    constants: Mapping[str, FiniteFloat] = Field(default_factory=dict)
    lowest: FiniteFloat | None = None
    highest: FiniteFloat | None = None
    categorised_at_decimals: NonNegativeInt | None = None
    categories: Mapping[str, tuple[IndexCategory, ...]] = Field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    not_when: Mapping[str, str] = Field(default_factory=dict)
    not_available: str = ""
    one_method: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every word it is asked for by: its name, and its other names."""
        return tuple(dict.fromkeys((self.name, *self.terms)))

    @model_validator(mode="after")
    def _every_number_has_one_category(self) -> Self:
        for name, rows in self.categories.items():
            ordered = sorted(rows, key=lambda row: row.low)
            ends = (ordered[0].low[0], ordered[-1].high[0])
            if ends != (-math.inf, math.inf):
                raise ValueError(f"categories {name!r} do not cover every number")
            for first, second in pairwise(ordered):
                (high, high_in), (low, low_in) = first.high, second.low
                if high != low or high_in == low_in:
                    raise ValueError(f"{first.name!r} and {second.name!r} overlap or leave a gap")
        return self


class Together(Sourced):
    """How far apart the inputs of one index may have been collected, hours."""

    hours: PositiveFloat


class LaboratoryIndices(Table):
    """The whole file; `together` by index, else by family, ``other`` for those it does not name."""

    together: Mapping[str, Together]
    indices: Mapping[str, IndexRow]

    def together_hours(self, index_id: str) -> float:
        """Return how far apart the inputs of an index may have been collected, hours."""
        family = self.indices[index_id].family
        row = self.together.get(index_id) or self.together.get(family, self.together["other"])
        return row.hours


@cache
def laboratory_indices() -> LaboratoryIndices:
    """Return the packaged rows.

    Raises:
        ReferenceDataError: A row is not valid or cites no source.
    """
    table = load(_FILE, LaboratoryIndices)
    for key, row in table.indices.items():
        table.cite(f"{_FILE}: {key}", row.source, row.review)
    for key, rule in table.together.items():
        table.cite(f"{_FILE}: together.{key}", rule.source, rule.review)
    return table
