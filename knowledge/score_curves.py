"""Points that follow a number along a curve, and sums that stand for another number."""

import math
from typing import Literal, Self

from pydantic import Field, FiniteFloat, field_validator, model_validator

from knowledge.model import Frozen
from knowledge.quantity import Interval
from knowledge.reference import Review

DIGITS = 9
"""Decimals kept of points along a line, so that a sum on the edge of a band stays on it."""

_EDGE = 6
"""Decimals at which the number of a model is read against a limit."""


class Curve(Frozen):
    """Points along a curve that rises or falls all the way; level beyond both ends.

    ``power``: coefficient x ((number / scale) ^ power - centre); ``log``: coefficient x
    (ln(number / scale) - centre). So the points of an interval lie between those of its ends.

    Args:
        input: A quantity, in its catalogue unit.
        coefficient: Of the term; in a logistic model the log odds.
        low, high: The ends.
        scale: What the number is divided by.
        shape: ``power`` or ``log``.
        power: Exponent; another one than 1 asks for numbers above 0.
        centre: What is subtracted.

    Examples:
        >>> Curve(input="nodule_diameter", coefficient=0.1274, low=1, high=30).at(20)
        2.548
    """

    input: str
    coefficient: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    scale: float = Field(default=1.0, gt=0)
    shape: Literal["power", "log"] = "power"
    power: FiniteFloat = 1.0
    centre: FiniteFloat = 0.0

    @model_validator(mode="after")
    def _monotone(self) -> Self:
        if self.low >= self.high:
            raise ValueError("the curve begins below its end")
        if self.power == 0 or not self.coefficient:
            raise ValueError("a curve that is level all the way says nothing")
        if (self.power != 1 or self.shape == "log") and self.low <= 0:
            raise ValueError("a logarithm, or a power other than 1, asks for numbers above 0")
        return self

    @property
    def knots(self) -> tuple[tuple[float, float], ...]:
        """Both ends, with their points."""
        return ((self.low, self.at(self.low)), (self.high, self.at(self.high)))

    def at(self, number: float) -> float:
        """Return the points of one number."""
        inside = min(max(number, self.low), self.high) / self.scale
        term = math.log(inside) if self.shape == "log" else inside**self.power
        return round(float(self.coefficient * (term - self.centre)), DIGITS)


class Model(Frozen):
    """What the sum of the items stands for; it rises with the sum all the way.

    Args:
        link: ``logistic``: a probability, 100 / (1 + exp(-(intercept + sum))) in %;
            ``exponential``: exp(intercept + sum), for a product whose items are logarithms.
        intercept: Added to the sum.
        outcome: What the number is.
        unit: What it is counted in; empty for a bare number.
        decimals: As it is shown; bands are read on the number itself.
    """

    link: Literal["logistic", "exponential"]
    intercept: FiniteFloat = 0.0
    outcome: str
    unit: str = ""
    decimals: int = Field(default=2, ge=0, le=6)
    source: str
    review: str

    @field_validator("review")
    @classmethod
    def _known_tag(cls, tag: str) -> str:
        return Review(tag=tag).tag

    def number(self, total: float) -> float:
        """Return the number of one sum of the items.

        Examples:
            >>> Model(link="logistic", outcome="x", source="s", review="R90").number(0.0)
            50.0
        """
        x = self.intercept + total
        if self.link == "exponential":
            return round(math.exp(x), _EDGE)
        return round(100.0 / (1.0 + math.exp(-x)), _EDGE)

    def image(self, span: Interval) -> Interval:
        """Return every number of an interval of sums."""
        low = None if span.low is None else self.number(span.low)
        high = None if span.high is None else self.number(span.high)
        if low is not None and low == high:
            return Interval.exact(low)
        return Interval(
            low=low, high=high, low_closed=span.low_closed, high_closed=span.high_closed
        )

    def shown(self, totals: tuple[float, ...]) -> tuple[float, ...]:
        """Return sums as they are shown: one to the nearest, several as bounds rounded outward."""
        step = 10**self.decimals
        if len(totals) == 1:
            return (round(self.number(totals[0]), self.decimals),)
        low = math.floor(self.number(totals[0]) * step)
        high = math.ceil(self.number(totals[-1]) * step)
        return (low / step, max(high, low + 1) / step)
