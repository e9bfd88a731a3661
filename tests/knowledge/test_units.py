"""Reading printed numbers and units; the parser's known misreadings stay refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.quantity import Interval
from knowledge.units import bounded, not_below, parse_stated, ucum_factor


@pytest.mark.parametrize(
    ("text", "interval", "unit"),
    [
        ("12", Interval.exact(12), None),
        ("12.5 ng/L", Interval.exact(12.5), "ng/L"),
        ("<6 ng/L", Interval(high=6, high_closed=False), "ng/L"),
        ("< 0.01", Interval(high=0.01, high_closed=False), None),
        (">10000ng/L", Interval(low=10000, low_closed=False), "ng/L"),
        ("≤5 mg/L", Interval(high=5), "mg/L"),
        ("≥ 60", Interval(low=60), None),
        ("400 ng/mL FEU", Interval.exact(400), "ng/mL FEU"),
        ("-3 ng/L", Interval.exact(-3), "ng/L"),
        ("37 °C", Interval.exact(37), "°C"),
    ],
)
def test_a_plain_number_is_read(text: str, interval: Interval, unit: str | None) -> None:
    assert parse_stated(text) == (interval, unit)


@pytest.mark.parametrize(
    "text",
    [
        "0,05",
        "1,200 ng/L",
        "10-20",
        "1:128",
        "12 (3)x<5",
        "negative",
        "",
        "<",
        "1e3",
        "007",
        "٣",
        "1٣",
        "10^3",
        "14 <20 ng/L",
        "5 5",
    ],
)
def test_what_is_not_one_plain_number_is_not_read(text: str) -> None:
    assert parse_stated(text) is None


@given(st.integers(0, 10**9), st.sampled_from(["", "<", "<=", ">", ">="]))
def test_a_printed_number_reads_back(number: int, sign: str) -> None:
    read = parse_stated(f"{sign}{number}")
    assert read is not None
    interval, unit = read
    assert unit is None
    assert number in (interval.low, interval.high)
    assert interval.is_exact == (sign == "")


def test_comparators_keep_or_leave_out_their_bound() -> None:
    assert not bounded(6, "<").contains(6)
    assert bounded(6, "<=").contains(6)
    assert not bounded(6, ">").contains(6)
    assert bounded(6, ">=").contains(6)


def test_an_amount_below_zero_does_not_exist() -> None:
    assert not_below(Interval(high=6, high_closed=False), 0) == Interval(
        low=0, high=6, high_closed=False
    )
    assert not_below(Interval(high=0, high_closed=False), 0) is None
    assert not_below(Interval(high=-1), 0) is None


@pytest.mark.parametrize(
    ("stated", "canonical"),
    [
        ("K/uL", "10*9/L"),
        ("{score}", "1"),
        ("mg/L{FEU}", "mg/L"),
        ("Cel", "K"),
        ("[degF]", "Cel"),
        ("mmol/L", "mg/dL"),
        ("", "1"),
        ("ug/L" * 20, "ug/L"),
        ("µg/L", "ug/L"),
    ],
)
def test_what_the_ucum_parser_misreads_is_never_asked(stated: str, canonical: str) -> None:
    assert ucum_factor(stated, canonical) is None


@pytest.mark.parametrize(
    ("stated", "canonical", "factor"),
    [("ng/dL", "ng/L", 10), ("10*3/uL", "10*9/L", 1), ("1/s", "/min", 60)],
)
def test_a_unit_of_the_same_dimension_is_read_by_the_optional_parser(
    stated: str, canonical: str, factor: float
) -> None:
    pytest.importorskip("ucumvert", reason="the optional UCUM parser is not installed")
    assert ucum_factor(stated, canonical) == pytest.approx(factor)
