"""How the value of an index is written: rounded to its decimals, an interval never narrower."""

import math

from knowledge.quantity import Interval, format_number


def shown(value: Interval, decimals: int) -> str:
    """Return a value in words.

    Examples:
        >>> shown(Interval.exact(86.23), 0), shown(Interval(low=1.26, high=3.41), 1)
        ('86', '1.2 to 3.5')
        >>> shown(Interval(low=5.66), 2), shown(Interval(high=3, high_closed=False), 1)
        ('at least 5.66', 'under 3')
    """
    if value.low is not None and value.low == value.high:
        return format_number(round(value.low, decimals))
    scale = 10.0**decimals
    low = None if value.low is None else format_number(math.floor(_tidy(value.low * scale)) / scale)
    high = (
        None if value.high is None else format_number(math.ceil(_tidy(value.high * scale)) / scale)
    )
    if low is None:
        return f"{'at most' if value.high_closed else 'under'} {high}"
    if high is None:
        return f"{'at least' if value.low_closed else 'over'} {low}"
    return f"{low} to {high}"


def _tidy(value: float) -> float:
    return float(f"{value:.12g}")
