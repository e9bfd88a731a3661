"""Points along a line: every total that a number known only within bounds can still give.

A number with a line is read by one item alone, so what it can give is a set of points that simply
adds to the rest. Such a set is kept as intervals, the fewest that hold it.
"""

from collections.abc import Iterable, Sequence

from knowledge.quantity import Interval
from knowledge.rules import Answer
from knowledge.score_curves import DIGITS, Curve
from knowledge.score_rows import Item, Line, ScoreBand

NOTHING = (Interval.exact(0.0),)
"""No points from any line."""


def is_spread(item: Item, values: Sequence[Answer]) -> bool:
    """Return whether an item has a line and its number is known only to lie between two."""
    return item.line is not None and any(
        isinstance(value, Interval) and not value.is_exact for value in values
    )


def image(line: Line | Curve, values: Iterable[Answer]) -> tuple[Interval, ...]:
    """Return every number of points that these values give.

    Args:
        line: The line.
        values: Exact numbers, and gaps without a knot inside.

    Examples:
        >>> falling = Line(input="systolic_bp", knots=((80, 40), (100, 34)))
        >>> [str(points) for points in image(falling, [Interval(low=90, high=100)])]
        ['[34, 37]']
    """
    return merged(_image(line, value) for value in values if isinstance(value, Interval))


def added(some: Iterable[Interval], more: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return every sum of a number of each set."""
    return merged(_sum(a, b) for a in some for b in more)


def merged(spans: Iterable[Interval]) -> tuple[Interval, ...]:
    """Return the fewest intervals that hold the same numbers, ascending; all are bounded."""
    found: list[Interval] = []
    for span in sorted(spans, key=lambda s: (_low(s), not s.low_closed)):
        if found and _touch(found[-1], span):
            found[-1] = _joined(found[-1], span)
        else:
            found.append(span)
    return tuple(found)


def meets(band: ScoreBand, span: Interval) -> bool:
    """Return whether a band holds some number of an interval."""
    return all(span.compare(op, limit) is not False for op, limit in band.limits)


def ends(spans: Sequence[Interval]) -> tuple[float, ...]:
    """Return the lowest and the highest number; once where it is the only one."""
    low, high = _low(spans[0]), _high(spans[-1])
    return (low,) if low == high else (low, high)


def _image(line: Line | Curve, value: Interval) -> Interval:
    a, b = line.at(_low(value)), line.at(_high(value))
    if a == b:
        return Interval.exact(a)
    sides = [(a, value.low_closed), (b, value.high_closed)]
    (low, low_closed), (high, high_closed) = sides if a < b else sides[::-1]
    return Interval(low=low, high=high, low_closed=low_closed, high_closed=high_closed)


def _sum(a: Interval, b: Interval) -> Interval:
    return Interval(
        low=round(_low(a) + _low(b), DIGITS),
        high=round(_high(a) + _high(b), DIGITS),
        low_closed=a.low_closed and b.low_closed,
        high_closed=a.high_closed and b.high_closed,
    )


def _touch(a: Interval, b: Interval) -> bool:
    return _low(b) < _high(a) or (_low(b) == _high(a) and (a.high_closed or b.low_closed))


def _joined(a: Interval, b: Interval) -> Interval:
    high = max(_high(a), _high(b))
    closed = any(s.high_closed for s in (a, b) if _high(s) == high)
    return Interval(low=a.low, low_closed=a.low_closed, high=high, high_closed=closed)


def _low(span: Interval) -> float:
    return float("-inf") if span.low is None else span.low


def _high(span: Interval) -> float:
    return float("inf") if span.high is None else span.high
