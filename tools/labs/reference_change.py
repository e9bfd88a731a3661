"""Reference change values: how large a change is more than analytical and biological noise."""

import math

from knowledge.model import Frozen


class ChangeLimit(Frozen):
    """The largest rise and fall that noise explains, at one two-sided level.

    Args:
        percent: The level, per cent.
        model: ``linear`` (Harris and Yasaka 1983) or ``log-normal`` (Fokkema 2006).
        up: Rise, % of the earlier result.
        down: Fall, % of the earlier result, as a positive number.
    """

    percent: int
    model: str
    up: float
    down: float


def linear(*, cva: float, cvi: float, deviate: float) -> float:
    """Return the symmetric reference change value, %: sqrt(2) z sqrt(CVA^2 + CVI^2).

    Args:
        cva: Analytical coefficient of variation, %.
        cvi: Within-subject coefficient of variation, %.
        deviate: Standard normal deviate of the two-sided level, for example 1.96.

    Examples:
        >>> round(linear(cva=1.5, cvi=3.9, deviate=1.96), 1)
        11.6
    """
    return math.sqrt(2.0) * deviate * math.hypot(cva, cvi)


def log_normal(*, cva: float, cvi: float, deviate: float) -> tuple[float, float]:
    """Return the asymmetric reference change values, %: (rise, fall), both positive.

    With s = sqrt(ln(1 + CVA^2) + ln(1 + CVI^2)), CV as fractions: rise exp(z sqrt(2) s) - 1, fall
    1 - exp(-z sqrt(2) s).

    Examples:
        >>> up, down = log_normal(cva=4, cvi=34.68, deviate=1.96)
        >>> round(up), round(down)
        (156, 61)
    """
    spread = math.sqrt(math.log1p((cva / 100.0) ** 2) + math.log1p((cvi / 100.0) ** 2))
    exponent = deviate * math.sqrt(2.0) * spread
    return 100.0 * math.expm1(exponent), -100.0 * math.expm1(-exponent)
