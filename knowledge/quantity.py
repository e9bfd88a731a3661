"""Values with units, and intervals for what is only known within bounds.

A laboratory that prints ``<6 ng/L`` has said ``[0, 6)``: never 6, and never nothing. A rule is
applied to both ends; where they disagree the comparison is unknown (``None``), not a guess.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from knowledge.model import Frozen

Operator = Literal["lt", "le", "gt", "ge", "eq"]


class Interval(Frozen):
    """All real numbers between two bounds, each bound included or not.

    Args:
        low: Lower bound; None for unbounded below.
        high: Upper bound; None for unbounded above.
        low_closed: The lower bound itself belongs to the interval.
        high_closed: The upper bound itself belongs to the interval.
    """

    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    low_closed: bool = True
    high_closed: bool = True

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.low is None or self.high is None:
            return self
        if self.low > self.high or (
            self.low == self.high and not (self.low_closed and self.high_closed)
        ):
            raise ValueError("the lower bound is above the upper bound")
        return self

    @classmethod
    def exact(cls, value: float) -> "Interval":
        """Return the interval that holds one number."""
        return cls(low=value, high=value)

    @property
    def is_exact(self) -> bool:
        """Whether the interval holds one number only."""
        return self.low is not None and self.low == self.high

    def contains(self, value: float) -> bool:
        """Return whether `value` lies inside."""
        return self._above_low(value) and self._below_high(value)

    def compare(self, operator: Operator, limit: float) -> bool | None:
        """Return whether every number inside stands in this relation to `limit`.

        Returns:
            True when all do, False when none does, None when some do and some do not.

        Examples:
            >>> Interval(low=0, high=6, high_closed=False).compare("lt", 12)
            True
            >>> Interval(low=0, high=6, high_closed=False).compare("ge", 6)
            False
            >>> Interval(low=0, high=6, high_closed=False).compare("lt", 5) is None
            True
        """
        match operator:
            case "lt":
                return self._lt(limit)
            case "ge":
                return _negate(self._lt(limit))
            case "gt":
                return self._gt(limit)
            case "le":
                return _negate(self._gt(limit))
            case "eq":
                if not self.contains(limit):
                    return False
                return True if self.is_exact else None

    def scaled(self, factor: float, offset: float = 0.0) -> "Interval":
        """Return the interval with every number multiplied by `factor` > 0, then shifted."""
        if factor <= 0:
            raise ValueError("the factor must be positive")
        return Interval(
            low=None if self.low is None else _tidy(self.low * factor + offset),
            high=None if self.high is None else _tidy(self.high * factor + offset),
            low_closed=self.low_closed,
            high_closed=self.high_closed,
        )

    def absolute_difference(self, other: "Interval") -> "Interval":
        """Return all values of ``abs(b - a)`` with a from `self` and b from `other`."""
        low, low_closed = _difference_low(self, other)
        ends = [_gap(self, other), _gap(other, self)]
        if any(end is None for end in ends):
            return Interval(low=low, low_closed=low_closed)
        high, high_closed = max(
            (end for end in ends if end is not None), key=lambda e: (e[0], e[1])
        )
        return Interval(low=low, low_closed=low_closed, high=high, high_closed=high_closed)

    def _above_low(self, value: float) -> bool:
        if self.low is None:
            return True
        return value >= self.low if self.low_closed else value > self.low

    def _below_high(self, value: float) -> bool:
        if self.high is None:
            return True
        return value <= self.high if self.high_closed else value < self.high

    def _lt(self, limit: float) -> bool | None:
        if self.high is not None and (
            self.high < limit or (self.high == limit and not self.high_closed)
        ):
            return True
        if self.low is not None and self.low >= limit:
            return False
        return None

    def _gt(self, limit: float) -> bool | None:
        if self.low is not None and (
            self.low > limit or (self.low == limit and not self.low_closed)
        ):
            return True
        if self.high is not None and self.high <= limit:
            return False
        return None

    def __str__(self) -> str:
        if self.low is not None and self.low == self.high:
            return format_number(self.low)
        if self.low in (None, 0.0) and self.high is not None:
            return f"{'<=' if self.high_closed else '<'}{format_number(self.high)}"
        if self.high is None and self.low is not None:
            return f"{'>=' if self.low_closed else '>'}{format_number(self.low)}"
        if self.low is None or self.high is None:
            return "unbounded"
        return (
            f"{'[' if self.low_closed else '('}{format_number(self.low)}, "
            f"{format_number(self.high)}{']' if self.high_closed else ')'}"
        )


class Quantity(Frozen):
    """One measured number with its UCUM unit (``"1"`` for a plain number)."""

    kind: Literal["quantity"] = "quantity"
    value: FiniteFloat
    unit: str

    @property
    def interval(self) -> Interval:
        """The value as an interval that holds one number."""
        return Interval.exact(self.value)

    def __str__(self) -> str:
        return _with_unit(format_number(self.value), self.unit)


class QuantityInterval(Frozen):
    """A value known only within bounds, with its UCUM unit: a censored or imprecise result."""

    kind: Literal["interval"] = "interval"
    interval: Interval
    unit: str

    def __str__(self) -> str:
        return _with_unit(str(self.interval), self.unit)


class Choice(Frozen):
    """One of a closed set of answers, by its id in the clinical-input catalogue."""

    kind: Literal["choice"] = "choice"
    choice: str

    def __str__(self) -> str:
        return self.choice


class Text(Frozen):
    """Free text from outside: data to show, never an instruction and never a number."""

    kind: Literal["text"] = "text"
    text: str = Field(max_length=4000)

    def __str__(self) -> str:
        return self.text


Measured = Quantity | QuantityInterval
Value = Annotated[Quantity | QuantityInterval | Choice | Text, Field(discriminator="kind")]


def measured(interval: Interval, unit: str) -> Measured:
    """Return a `Quantity` where the interval holds one number, else a `QuantityInterval`."""
    if interval.low is not None and interval.low == interval.high:
        return Quantity(value=interval.low, unit=unit)
    return QuantityInterval(interval=interval, unit=unit)


def format_number(value: float) -> str:
    """Return the shortest plain decimal that reads back as `value` to 6 significant digits.

    Examples:
        >>> [format_number(v) for v in (12.0, 0.05, 26.2, 1200000.0)]
        ['12', '0.05', '26.2', '1200000']
    """
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.6g}" if abs(value) >= 1e-4 else f"{value:.3g}"


def to_digits(interval: Interval, digits: int) -> Interval:
    """Return an interval with its ends to so many significant digits, to show.

    An end that is no whole number is not rounded onto one: a limit may stand there.

    Examples:
        >>> str(to_digits(Interval.exact(0.0992366), 3)), str(to_digits(Interval.exact(1.0007), 3))
        ('0.0992', '1.0007')
    """

    def end(number: float | None) -> float | None:
        if number is None:
            return None
        short = float(f"{number:.{digits}g}")
        return number if short == int(short) else short

    return interval.model_copy(update={"low": end(interval.low), "high": end(interval.high)})


def _with_unit(number: str, unit: str) -> str:
    return number if unit in ("1", "") else f"{number} {unit}"


def _tidy(value: float) -> float:
    """Drop the last bits that a unit conversion leaves, so that 0.012 x 1000 is 12."""
    return float(f"{value:.12g}") if math.isfinite(value) else value


def _negate(known: bool | None) -> bool | None:
    return None if known is None else not known


def _gap(a: Interval, b: Interval) -> tuple[float, bool] | None:
    """Return the largest ``b - a`` with whether it is reached, or None where unbounded."""
    if b.high is None or a.low is None:
        return None
    return max(_tidy(b.high - a.low), 0.0), a.low_closed and b.high_closed


def _difference_low(a: Interval, b: Interval) -> tuple[float, bool]:
    """Return the smallest ``abs(b - a)`` with whether it is reached."""
    low = max(-math.inf if i.low is None else i.low for i in (a, b))
    high = min(math.inf if i.high is None else i.high for i in (a, b))
    if low < high:
        return 0.0, True
    if low == high:
        return 0.0, a.contains(low) and b.contains(low)
    upper, lower = (a, b) if a.low == low else (b, a)
    return _tidy(low - high), upper.low_closed and lower.high_closed
