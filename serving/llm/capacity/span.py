"""A figure that is known within two bounds only."""

from pydantic import model_validator

from knowledge.model import Frozen
from serving.llm.capacity.bounds import require_figures


class Span(Frozen):
    """The lowest and the highest value that the assumptions allow, both finite.

    Raises:
        InvalidValueError: One is not.

    Examples:
        >>> Span.of(30.0, 12.0)
        Span(low=12.0, high=30.0)
        >>> Span.of(0.031, 0.012).text("s", scale=1)
        '0.012 to 0.031 s'
    """

    low: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> "Span":
        require_figures("a range", {"low": self.low, "high": self.high})
        if self.low > self.high:
            raise ValueError(f"the low end {self.low} is above the high end {self.high}")
        return self

    @classmethod
    def of(cls, *values: float) -> "Span":
        """Return the span of some values, in any order."""
        return cls(low=min(values), high=max(values))

    def times(self, factor: float) -> "Span":
        """Return both ends multiplied by a factor."""
        return Span.of(self.low * factor, self.high * factor)

    def text(self, unit: str = "", *, scale: float = 1.0) -> str:
        """Return it in words, two digits each, one number where the two ends read the same."""
        low, high = (two_digits(end * scale) for end in (self.low, self.high))
        words = low if low == high else f"{low} to {high}"
        return f"{words} {unit}".rstrip()


def two_digits(value: float) -> str:
    """Return a number with two significant digits and thousands separated.

    Examples:
        >>> [two_digits(x) for x in (0.01234, 5.06, 87.4, 1234.0, 46592.0, 0.0)]
        ['0.012', '5.1', '87', '1,200', '47,000', '0']
    """
    if value == 0 or value != value or value in (float("inf"), float("-inf")):
        return f"{value:g}"
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 else f"{rounded:.2g}"
