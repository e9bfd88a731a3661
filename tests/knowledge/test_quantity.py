"""Intervals: what holds for every number inside, and nothing more."""

import math
import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from knowledge.quantity import (
    Choice,
    Interval,
    Operator,
    Quantity,
    QuantityInterval,
    Text,
    Value,
    format_number,
    measured,
)

OPERATORS: dict[Operator, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
}
# Quarters: exact in binary, so that the reference arithmetic below has no rounding.
NUMBERS = st.integers(-400, 400).map(lambda n: n / 4)


@st.composite
def intervals(draw: st.DrawFn, *, bounded: bool = False) -> Interval:
    ends = NUMBERS if bounded else st.none() | NUMBERS
    low, high = draw(ends), draw(ends)
    if low is not None and high is not None and low > high:
        low, high = high, low
    closed = draw(st.booleans()), draw(st.booleans())
    if low is not None and low == high:
        closed = (True, True)
    return Interval(low=low, high=high, low_closed=closed[0], high_closed=closed[1])


def members(interval: Interval) -> list[float]:
    """Numbers inside, dense enough to meet every case: ends, near the ends, far away."""
    low = -1000.0 if interval.low is None else interval.low
    high = 1000.0 if interval.high is None else interval.high
    steps = [low, low + 1e-6, (low + high) / 2, high - 1e-6, high]
    steps += [low + (high - low) * k / 7 for k in range(1, 7)]
    return [x for x in steps if interval.contains(x)]


@given(intervals(), st.sampled_from(sorted(OPERATORS)), NUMBERS)
def test_a_known_comparison_holds_for_every_member(
    interval: Interval, op: Operator, limit: float
) -> None:
    known = interval.compare(op, limit)
    if known is not None:
        assert all(OPERATORS[op](x, limit) == known for x in members(interval))


@given(intervals(), st.sampled_from(sorted(OPERATORS)), NUMBERS)
def test_an_unknown_comparison_has_members_on_both_sides(
    interval: Interval, op: Operator, limit: float
) -> None:
    if interval.compare(op, limit) is not None:
        return
    probes = [*members(interval)]
    probes += [x for x in (limit, limit - 1e-9, limit + 1e-9) if interval.contains(x)]
    assert {OPERATORS[op](x, limit) for x in probes} == {True, False}


@given(intervals(), intervals())
def test_the_absolute_difference_holds_every_difference(a: Interval, b: Interval) -> None:
    difference = a.absolute_difference(b)
    for x in members(a):
        for y in members(b):
            gap = abs(y - x)
            near = any(
                end is not None and math.isclose(gap, end, rel_tol=1e-9, abs_tol=1e-9)
                for end in (difference.low, difference.high)
            )
            assert difference.contains(gap) or near


@given(intervals(bounded=True), intervals(bounded=True))
def test_the_ends_of_the_absolute_difference_are_approached(a: Interval, b: Interval) -> None:
    difference = a.absolute_difference(b)
    gaps = [abs(y - x) for x in _closure(a) for y in _closure(b)]
    assert difference.high == max(gaps)
    overlap = max(a.low or 0, b.low or 0) <= min(a.high or 0, b.high or 0)
    assert difference.low == (0.0 if overlap else min(gaps))


@given(intervals(), intervals())
def test_the_absolute_difference_does_not_depend_on_the_order(a: Interval, b: Interval) -> None:
    assert a.absolute_difference(b) == b.absolute_difference(a)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Interval.exact(10), Interval.exact(13), Interval.exact(3)),
        (
            Interval(low=0, high=6, high_closed=False),
            Interval.exact(12),
            Interval(low=6, low_closed=False, high=12),
        ),
        (
            Interval(low=0, high=6, high_closed=False),
            Interval(low=0, high=6, high_closed=False),
            Interval(low=0, high=6, high_closed=False),
        ),
        (
            Interval.exact(5),
            Interval(low=10000, low_closed=False),
            Interval(low=9995, low_closed=False),
        ),
    ],
    ids=["exact", "below detection then measured", "both below detection", "above range"],
)
def test_the_change_between_two_troponins(a: Interval, b: Interval, expected: Interval) -> None:
    assert a.absolute_difference(b) == expected


def _closure(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


@pytest.mark.parametrize(
    "bounds",
    [
        {"low": 2, "high": 1},
        {"low": 1, "high": 1, "high_closed": False},
        {"low": math.inf},
        {"high": math.nan},
    ],
)
def test_an_empty_or_infinite_interval_cannot_be_made(bounds: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"bound|finite"):
        Interval.model_validate(bounds)


VALUES: list[Value] = [
    Quantity(value=12.5, unit="ng/L"),
    QuantityInterval(interval=Interval(low=0, high=6, high_closed=False), unit="ng/L"),
    QuantityInterval(interval=Interval(low=10000, low_closed=False), unit="ng/L"),
    Choice(choice="female"),
    Text(text="haemolysed"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: v.kind)
def test_a_value_survives_json(value: Value) -> None:
    adapter: TypeAdapter[Value] = TypeAdapter(Value)
    assert adapter.validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval.exact(12), "12"),
        (Interval(low=0, high=6, high_closed=False), "<6"),
        (Interval(high=6), "<=6"),
        (Interval(low=10000, low_closed=False), ">10000"),
        (Interval(low=1, high=2, low_closed=False), "(1, 2]"),
    ],
)
def test_an_interval_is_printed_as_a_laboratory_prints_it(interval: Interval, text: str) -> None:
    assert str(interval) == text


def test_scaling_keeps_open_ends_open() -> None:
    scaled = Interval(high=0.006, high_closed=False).scaled(1000)
    assert scaled == Interval(high=6.0, high_closed=False)


def test_one_number_is_a_quantity_and_a_range_is_not() -> None:
    assert isinstance(measured(Interval.exact(3), "1"), Quantity)
    assert isinstance(measured(Interval(low=3), "1"), QuantityInterval)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_number_reads_back_to_six_digits(value: float) -> None:
    assert float(format_number(value)) == pytest.approx(value, rel=6e-3, abs=1e-300)
