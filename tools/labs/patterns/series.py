"""Readings over several results of one analyte: a rise, a fall, two specimens, three months apart.

Two results are put together where the change between them may be told (`tools.labs.paired_result`):
never of point of care and laboratory, of two kinds of specimen or of two tests. Where one of a time
that counts is left out for such a reason, that is the reason; one result alone says nothing.
"""

from collections.abc import Callable, Sequence

from knowledge.clinical_time import elapsed
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.laboratory_patterns import FactRow
from knowledge.quantity import Interval, format_number
from tools.labs.paired_result import known_to_differ
from tools.labs.patterns.fact import test_label
from tools.labs.patterns.window import Reading, Window
from tools.labs.result_source import comparable_result

_MINUTES_PER_HOUR = 60
_HOURS_PER_DAY = 24

Series = tuple[Interval, tuple[Reading, ...]]
"""A value and the readings it was made of."""


def over_series(row: FactRow, window: Window) -> Series | NotAssessed:
    """Return a reading over several results, or why there is none.

    Args:
        row: With an analyte and one of the readings over several results.
        window: Which results count.
    """
    analyte = str(row.analyte)
    newest = window.newest(analyte)
    if isinstance(newest, NotAssessed):
        return newest
    if row.days_apart is not None:
        return _sustained(row, window, newest, row.days_apart)
    hours = row.within_hours or 0.0
    earlier, unlike = _earlier(window, newest, analyte, hours)
    if not earlier and unlike is not None:
        return unlike
    if not earlier:
        detail = (
            f"no earlier comparable result of {test_label(analyte).en} within "
            f"{format_number(hours)} h"
        )
        return NotAssessed(why=Why.MISSING, detail=detail)
    value = _COMBINE[row.read](newest.value, [reading.value for reading in earlier])
    if value is None:
        return NotAssessed(why=Why.CENSORED, detail="the earlier results give no bound")
    return value, (newest, *earlier)


def _earlier(
    window: Window, newest: Reading, analyte: str, hours: float
) -> tuple[list[Reading], NotAssessed | None]:
    """Return the comparable results certainly collected before the newest, within some hours.

    With the reason why the last of those that are not comparable is none of them.
    """
    found, unlike = [], None
    for result in window.chart.usable(analyte):
        minutes = elapsed(result.finding.time, newest.result.finding.time).minutes
        if result is newest.result or result.finding.interval is None or minutes is None:
            continue
        inside = minutes.compare("gt", 0) and minutes.compare("le", hours * _MINUTES_PER_HOUR)
        if not inside:
            continue
        why = set_apart(result.finding, newest.result.finding)
        if why is None:
            found.append(window.reading(result, analyte))
        unlike = why or unlike
    return found, unlike


def set_apart(earlier: Finding, later: Finding) -> NotAssessed | None:
    """Return why two results may not be put together in one series; None where they may.

    What is not stated of them does not stand between them: it is told beside what they show.
    """
    first, second = comparable_result(earlier), comparable_result(later)
    if isinstance(first, NotAssessed):
        return first
    if isinstance(second, NotAssessed):
        return second
    return known_to_differ(first, second)


def not_stated(readings: Sequence[Reading]) -> bool:
    """Return whether it is not stated that all results of a series were measured alike."""
    newest = comparable_result(readings[0].result.finding)
    for reading in readings[1:]:
        other = comparable_result(reading.result.finding)
        if isinstance(newest, NotAssessed) or isinstance(other, NotAssessed):
            return True
        if newest.method_kind is None or other.method_kind is None:
            return True
    return False


def _sustained(row: FactRow, window: Window, newest: Reading, days: float) -> Series | NotAssessed:
    """Return the highest or lowest of the newest result and one at least some days earlier."""
    analyte = str(row.analyte)
    unlike: NotAssessed | None = None
    for result in reversed(window.chart.usable(analyte)):
        minutes = elapsed(result.finding.time, newest.result.finding.time).minutes
        if minutes is None or result.finding.interval is None:
            continue
        if not minutes.compare("ge", days * _HOURS_PER_DAY * _MINUTES_PER_HOUR):
            continue
        why = set_apart(result.finding, newest.result.finding)
        if why is None:
            old = window.reading(result, analyte)
            pair = [newest.value, old.value]
            found = _highest(pair) if row.read == "sustained_max" else _lowest(pair)
            return found, (newest, old)
        unlike = unlike or why
    if unlike is not None:
        return unlike
    detail = f"no result of {test_label(analyte).en} at least {format_number(days)} days earlier"
    return NotAssessed(why=Why.MISSING, detail=detail)


def _highest(values: Sequence[Interval]) -> Interval:
    highs = [value.high for value in values]
    return Interval(
        low=max(-1e300 if value.low is None else value.low for value in values),
        high=None if None in highs else max(high for high in highs if high is not None),
    )


def _lowest(values: Sequence[Interval]) -> Interval:
    highs = [value.high for value in values if value.high is not None]
    lows = [value.low for value in values]
    return Interval(
        low=None if None in lows else min(low for low in lows if low is not None),
        high=min(highs) if highs else None,
    )


def _rise(newest: Interval, earlier: Sequence[Interval]) -> Interval | None:
    base = _lowest(earlier)
    low = _less(newest.low, base.high)
    high = _less(newest.high, base.low)
    return None if low is None and high is None else Interval(low=low, high=high)


def _times_lowest(newest: Interval, earlier: Sequence[Interval]) -> Interval | None:
    base = _lowest(earlier)
    if base.high is None or base.high <= 0 or newest.low is None:
        return None
    high = newest.high / base.low if newest.high is not None and base.low else None
    return Interval(low=_tidy(newest.low / base.high), high=None if high is None else _tidy(high))


def _fall_percent(newest: Interval, earlier: Sequence[Interval]) -> Interval | None:
    base = _highest(earlier)
    if base.low is None or base.low <= 0 or newest.high is None:
        return None
    low = max((base.low - newest.high) / base.low * 100, 0.0)
    if base.high is None or newest.low is None:
        return Interval(low=_tidy(low), high=100.0)
    return Interval(
        low=_tidy(low), high=_tidy(max((base.high - newest.low) / base.high * 100, 0.0))
    )


def _lowest_of_two(newest: Interval, earlier: Sequence[Interval]) -> Interval:
    return _lowest([newest, *earlier])


_COMBINE: dict[str, Callable[[Interval, Sequence[Interval]], Interval | None]] = {
    "rise": _rise,
    "times_lowest": _times_lowest,
    "fall_percent": _fall_percent,
    "lowest_of_two": _lowest_of_two,
}


def _less(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else _tidy(first - second)


def _tidy(number: float) -> float:
    """Drop the last bits of a difference or quotient, so that 1.3 less 1.0 is 0.3."""
    return float(f"{number:.10g}")
