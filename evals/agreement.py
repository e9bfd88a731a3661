"""How near measurements are to the truth: bias, limits of agreement, and the stated error."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Literal

from knowledge.model import Frozen

Error = Literal["mean absolute", "largest", "bias"]


class Stated(Frozen):
    """An error as a tool's card states it.

    Args:
        error: Which: of absolute values the mean or the largest, or the mean with its sign.
        value: In the unit of the quantity.
        n: Measurements it rests on; with fewer a mean is not held against it.
    """

    error: Error
    value: float
    n: int = 0


class Quantity(Frozen):
    """One measurement of one kind of thing.

    Args:
        id: Key in `Measured.differences`.
        title: What is measured on what.
        unit: Of the differences.
        stated: Errors of the card; empty where none is stated.
    """

    id: str
    title: str
    unit: str
    stated: tuple[Stated, ...] = ()


class Agreement(Frozen):
    """Differences, measured less true (Bland and Altman 1999, 10.1177/096228029900800204).

    Args:
        n: Measurements.
        bias: Their mean; `bias_ci` its 95 % interval by Student's t; None below 2.
        limits: Bias less and plus 1.96 standard deviations; None below 2.
        low_ci, high_ci: The 95 % interval of each limit.
        mean_absolute, largest: Of absolute values.
    """

    n: int
    bias: float
    bias_ci: tuple[float, float] | None = None
    limits: tuple[float, float] | None = None
    low_ci: tuple[float, float] | None = None
    high_ci: tuple[float, float] | None = None
    mean_absolute: float
    largest: float

    def of(self, error: Error) -> float:
        """Return one error; a bias with its size alone."""
        match error:
            case "mean absolute":
                return self.mean_absolute
            case "largest":
                return self.largest
            case "bias":
                return abs(self.bias)


def agreement(differences: Sequence[float]) -> Agreement | None:
    """Return how near measurements are; None where there is none.

    Examples:
        >>> found = agreement([1.0, -1.0, 2.0, 0.0])
        >>> found.bias, found.mean_absolute, found.largest
        (0.5, 1.0, 2.0)
    """
    n = len(differences)
    if n == 0:
        return None
    bias = fmean(differences)
    absolute = [abs(d) for d in differences]
    plain = Agreement(n=n, bias=bias, mean_absolute=fmean(absolute), largest=max(absolute))
    if n < 2:
        return plain
    from scipy import stats

    sd, t = stdev(differences), float(stats.t.ppf(0.975, n - 1))
    low, high = bias - 1.96 * sd, bias + 1.96 * sd
    around_bias = t * sd / sqrt(n)
    around_limit = t * sd * sqrt(1 / n + 1.96**2 / (2 * (n - 1)))
    return plain.model_copy(
        update={
            "bias_ci": (bias - around_bias, bias + around_bias),
            "limits": (low, high),
            "low_ci": (low - around_limit, low + around_limit),
            "high_ci": (high - around_limit, high + around_limit),
        }
    )


def exceeded(quantity: Quantity, found: Agreement | None) -> tuple[str, ...]:
    """Return each stated error that was not met, in words.

    A stated error is rounded: half a unit of its last digit is allowed. A mean is only judged on as
    many measurements as it was stated of; a largest error holds for any of them.
    """
    if found is None:
        return ()
    return tuple(
        f"{quantity.title}: {one.error} error {found.of(one.error):.3g} {quantity.unit}, "
        f"stated {one.value:g}"
        for one in quantity.stated
        if (one.error == "largest" or found.n >= one.n)
        and found.of(one.error) > abs(one.value) + rounding(one.value)
    )


def rounding(value: float) -> float:
    """Return half a unit of the last digit of a number as it is written.

    Examples:
        >>> rounding(0.13), rounding(2.4), rounding(18)
        (0.005, 0.05, 0.5)
    """
    decimals = f"{value:g}".partition(".")[2]
    return float(f"5e-{len(decimals) + 1}")
