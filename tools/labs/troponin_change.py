"""Relative change between two samples, in three-valued logic."""

from knowledge.quantity import Interval


def percent_change_exceeds(first: Interval, later: Interval, percent: float) -> bool | None:
    """Return whether the change, up or down, is more than `percent` of `first`.

    Args:
        first: Possible first values; all above zero.
        later: Possible later values.
        percent: The limit, itself not included.

    Examples:
        >>> percent_change_exceeds(Interval.exact(20), Interval.exact(24), 20)
        False
        >>> percent_change_exceeds(Interval.exact(20), Interval.exact(15.9), 20)
        True
    """
    high = None
    if later.high is not None and first.low:
        high = _percent(first.low, later.high)
    low = -100.0
    if later.low is not None and first.high is not None:
        low = _percent(first.high, later.low)
    change = Interval(
        low=low,
        high=high,
        low_closed=later.low_closed and first.high_closed,
        high_closed=later.high_closed and first.low_closed,
    )
    rises, falls = change.compare("gt", percent), change.compare("lt", -percent)
    if rises or falls:
        return True
    return False if rises is False and falls is False else None


def _percent(first: float, later: float) -> float:
    """Return the change in per cent of `first`, without the last bits a division leaves."""
    return round((later - first) / first * 100, 9)
