"""The rows a score file is made of: items, bands, decisions, its population and its caveats."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Literal, Protocol, Self

from pydantic import Field, FiniteFloat, field_validator, model_validator

from knowledge.model import Frozen
from knowledge.quantity import Interval, Operator, format_number
from knowledge.reference import Review
from knowledge.rules import Condition
from knowledge.score_curves import DIGITS, Curve

Topic = Literal[
    "chest pain",
    "aortic syndrome",
    "pulmonary embolism and thrombosis",
    "pneumonia",
    "sepsis and deterioration",
    "coagulation and platelets",
    "bleeding",
    "atrial fibrillation",
    "liver and pancreas",
    "kidney and muscle",
    "pulmonary nodule",
    "general",
]
"""What a score is about; ``epicrisis tool list`` groups by it."""


class Row(Frozen):
    """A row that says where it comes from and how sure we are."""

    source: str
    review: str

    @field_validator("review")
    @classmethod
    def _known_tag(cls, tag: str) -> str:
        return Review(tag=tag).tag


class _Limited(Protocol):
    """What has numeric limits."""

    @property
    def lt(self) -> float | None: ...
    @property
    def le(self) -> float | None: ...
    @property
    def gt(self) -> float | None: ...
    @property
    def ge(self) -> float | None: ...
    @property
    def eq(self) -> float | None: ...


def limits_given(row: _Limited) -> tuple[tuple[Operator, float], ...]:
    """Return the limits that a row gives."""
    pairs: tuple[tuple[Operator, float | None], ...] = (
        ("lt", row.lt),
        ("le", row.le),
        ("gt", row.gt),
        ("ge", row.ge),
        ("eq", row.eq),
    )
    return tuple((op, limit) for op, limit in pairs if limit is not None)


class PointRule(Frozen):
    """Points given where a condition is true."""

    when: Condition
    points: FiniteFloat


class Line(Frozen):
    """Points that rise or fall in straight pieces with one number; level beyond the ends.

    Args:
        input: A quantity, in its catalogue unit.
        knots: (number, points), ascending by number.

    Examples:
        >>> Line(input="age_years", knots=((35, 0), (45, 18))).at(40)
        9.0
    """

    input: str
    knots: tuple[tuple[FiniteFloat, FiniteFloat], ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(a[0] >= b[0] for a, b in itertools.pairwise(self.knots)):
            raise ValueError("the knots ascend")
        return self

    def at(self, number: float) -> float:
        """Return the points of one number."""
        (first, low), (last, high) = self.knots[0], self.knots[-1]
        if number <= first:
            return low
        if number >= last:
            return high
        for (x, y), (x2, y2) in itertools.pairwise(self.knots):
            if number == x2:
                return y2
            if number < x2:
                return round(y + (y2 - y) * (number - x) / (x2 - x), DIGITS)
        return high


class Item(Row):
    """One item of a score: the first rule that is true gives its points, or a line does.

    Args:
        id: Key within the score.
        label: Name to show.
        rules: In order; the first true one counts.
        otherwise: Points where none is true.
        line: Points along a line or a curve, instead of rules.
    """

    id: str
    label: str
    rules: tuple[PointRule, ...] = ()
    otherwise: FiniteFloat = 0.0
    line: Line | Curve | None = None

    @model_validator(mode="after")
    def _rules_or_line(self) -> Self:
        if bool(self.rules) == (self.line is not None):
            raise ValueError("an item has rules or a line, one of them")
        return self

    def inputs(self) -> tuple[str, ...]:
        """Return the ids of the inputs the item reads, each once, in order."""
        if self.line is not None:
            return (self.line.input,)
        return once(i for rule in self.rules for i in rule.when.inputs())

    def steps(self) -> tuple[float, ...]:
        """Return the points it can give, of a line those at its knots."""
        if self.line is not None:
            return tuple(points for _, points in self.line.knots)
        return (self.otherwise, *(rule.points for rule in self.rules))


class ScoreBand(Row):
    """A category: of a score by its total, of a rule by name alone.

    Args:
        name: For example ``low``.
        lt, le, gt, ge, eq: Limits on the total; all given must hold. None for a rule.
        meaning: What the source reports for it.
    """

    name: str
    meaning: str
    lt: float | None = None
    le: float | None = None
    gt: float | None = None
    ge: float | None = None
    eq: float | None = None

    @property
    def limits(self) -> tuple[tuple[Operator, float], ...]:
        """The limits given."""
        return limits_given(self)

    def holds(self, total: float) -> bool:
        """Return whether a total falls into the band."""
        number = Interval.exact(total)
        return all(number.compare(op, limit) for op, limit in self.limits)

    @property
    def points(self) -> str:
        """The limits in words, for example ``4 to 6``; empty for a rule."""
        if self.eq is not None:
            return format_number(self.eq)
        if self.ge is not None and self.le is not None:
            return f"{format_number(self.ge)} to {format_number(self.le)}"
        words = {"lt": "below", "le": "at most", "gt": "above", "ge": "at least", "eq": "exactly"}
        return ", ".join(f"{words[op]} {format_number(limit)}" for op, limit in self.limits)


class PartialSum(Frozen):
    """A test of some of a score's items: of the sum of their points, or of how many give many.

    Args:
        items: Ids of the items; empty for all.
        from_points: Given: the items that give at least these points are counted, not added.
        lt, le, gt, ge, eq: Limits on the sum or the count; all given must hold.

    Examples:
        >>> PartialSum(items=("platelets", "inr"), gt=2).limits
        (('gt', 2.0),)
    """

    items: tuple[str, ...] = ()
    from_points: FiniteFloat | None = None
    lt: float | None = None
    le: float | None = None
    gt: float | None = None
    ge: float | None = None
    eq: float | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if not self.limits:
            raise ValueError("a partial sum is tested against a limit")
        return self

    @property
    def limits(self) -> tuple[tuple[Operator, float], ...]:
        """The limits given."""
        return limits_given(self)

    def of(self, item: str, points: float) -> float:
        """Return what one item with these points adds."""
        if self.items and item not in self.items:
            return 0.0
        if self.from_points is None:
            return points
        return float(points >= self.from_points)

    def holds(self, total: float) -> bool:
        """Return whether a sum or a count is within the limits."""
        number = Interval.exact(total)
        return all(number.compare(op, limit) for op, limit in self.limits)


class DecisionRow(Row):
    """One row of a rule; the last row has no condition and always applies.

    Args:
        when: Over inputs and over totals of scores, ``{score: heart, le: 3}``.
        parts: Tests of some of its own items; all must hold, beside `when`.
        category: Name of a band.
        statement: What follows, in one sentence; beside a total the meaning of the category.
    """

    when: Condition | None = None
    parts: tuple[PartialSum, ...] = ()
    category: str
    statement: str


class Clause(Row):
    """A condition on one input that decides whether the score applies at all.

    Args:
        when: The condition.
        reason: Why the score does not apply, or what it needs.
    """

    when: Condition
    reason: str


class Population(Frozen):
    """For whom the score holds.

    Args:
        text: In words.
        outside_if: Where one is true the score is refused. Where one is unknown the result holds
            only if it is false, and says so.
        requires: Where one is not known to be true the score is refused.
    """

    text: str
    outside_if: tuple[Clause, ...] = ()
    requires: tuple[Clause, ...] = ()


class Note(Row):
    """A caveat; with `when` it is shown unless that is known to be false."""

    text: str
    when: Condition | None = None


class ProbabilityRow(Frozen):
    """The probability, in %, that the source gives for a total."""

    points: float
    percent: float


class ProbabilityTable(Row):
    """A table from totals to an approximate probability; between rows both neighbours are shown."""

    outcome: str
    rows: tuple[ProbabilityRow, ...]


class Term(Frozen):
    """One term of a regression: ``coefficient`` x number, or where `when` is true.

    Args:
        coefficient: Log odds for one unit.
        input: A quantity in its catalogue unit, or a choice mapped by `values`.
        values: For a choice, the number of each answer.
        when: An indicator instead of a number.
    """

    coefficient: float
    input: str | None = None
    values: Mapping[str, float] = {}
    when: Condition | None = None

    @model_validator(mode="after")
    def _number_or_indicator(self) -> Self:
        if (self.input is None) == (self.when is None):
            raise ValueError("a term has either an input or a condition")
        return self


class Regression(Row):
    """A published logistic regression: p = 1 / (1 + exp(-(intercept + terms)))."""

    outcome: str
    intercept: float
    terms: tuple[Term, ...]


def once(ids: Iterable[str]) -> tuple[str, ...]:
    """Return each id once, in the order first met."""
    return tuple(dict.fromkeys(ids))
