"""Times: zoned, on a clock, or imprecise; never silently one for another."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical_time import (
    ClinicalTime,
    Precision,
    age_years,
    elapsed,
    parse_fhir,
    place,
)
from knowledge.errors import InvalidValueError
from knowledge.quantity import Interval

OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda q: timezone(timedelta(minutes=15 * q)))
MOMENTS = st.datetimes(
    min_value=datetime(1950, 1, 1),  # noqa: DTZ001
    max_value=datetime(2080, 1, 1),  # noqa: DTZ001
).map(lambda d: d.replace(microsecond=0, tzinfo=UTC))


@given(MOMENTS, OFFSETS, OFFSETS)
def test_the_notation_of_the_zone_changes_nothing(
    moment: datetime, a: timezone, b: timezone
) -> None:
    first = parse_fhir(moment.astimezone(a).isoformat(), clock="one")
    second = parse_fhir(moment.astimezone(b).isoformat(), clock="two")
    assert first == second
    assert first.at == moment
    assert elapsed(first, second).minutes == Interval.exact(0)


def test_zulu_and_plus_zero_are_one_time() -> None:
    assert parse_fhir("2026-11-20T10:00:00Z", clock="c") == parse_fhir(
        "2026-11-20T10:00:00+00:00", clock="c"
    )


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("1960", Precision.YEAR),
        ("1960-05", Precision.MONTH),
        ("1960-05-01", Precision.DAY),
        ("2026-11-20T10:00Z", Precision.MINUTE),
        ("2026-11-20T10:00:00Z", Precision.SECOND),
        ("2026-11-20T10:00:00.123Z", Precision.SECOND),
    ],
)
def test_a_time_keeps_the_precision_it_was_stated_with(text: str, precision: Precision) -> None:
    assert parse_fhir(text, clock="c").precision is precision


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "2026-02-30", "20261120", "", "2026-11-20T25:00:00Z", "12"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="time"):
        parse_fhir(text, clock="c")


def test_a_naive_time_takes_the_declared_zone() -> None:
    # 20 November: Berlin is UTC+1; 20 July: UTC+2 (IANA).
    winter = parse_fhir("2026-11-20T10:00:00", clock="c", zone="Europe/Berlin")
    summer = parse_fhir("2026-07-20T10:00:00", clock="c", zone="Europe/Berlin")
    assert (winter.at, winter.zone) == (datetime(2026, 11, 20, 9, tzinfo=UTC), "declared")
    assert summer.at == datetime(2026, 7, 20, 8, tzinfo=UTC)


def test_two_clocks_without_a_zone_cannot_be_compared() -> None:
    naive = datetime(2026, 11, 20, 10)  # noqa: DTZ001
    one, two = place(naive, clock="a.dcm", zone=None), place(naive, clock="b.hea", zone=None)
    zoned = parse_fhir("2026-11-20T10:00:00Z", clock="chart")
    assert elapsed(one, two).not_assessed == "time zone unknown"
    assert elapsed(one, zoned).not_assessed == "time zone unknown"
    assert elapsed(one, one).minutes == Interval.exact(0)


def test_a_missing_time_has_no_distance() -> None:
    assert elapsed(None, parse_fhir("2026", clock="c")).not_assessed == "time not given"


def test_a_day_is_an_interval_of_minutes() -> None:
    day = parse_fhir("2026-11-20", clock="c", zone="UTC")
    noon = parse_fhir("2026-11-20T12:00:00Z", clock="c")
    assert elapsed(day, noon).minutes == Interval(low=-720, high=720)


@pytest.mark.parametrize(
    ("born", "at", "age"),
    [
        ("1960-05-01", "2026-11-20T10:00:00Z", Interval.exact(66)),
        ("1960-11-20", "2026-11-20T10:00:00Z", Interval(low=65, high=66)),
        ("1960", "2026-06-01T00:00:00Z", Interval(low=65, high=66)),
        ("2026-11-01", "2026-11-20T10:00:00Z", Interval.exact(0)),
        ("1964-02-29", "2026-02-25T00:00:00Z", Interval.exact(61)),
    ],
    ids=["plain", "around the birthday", "year only", "newborn", "leap day"],
)
def test_the_age_is_every_number_it_may_be(born: str, at: str, age: Interval) -> None:
    assert age_years(parse_fhir(born, clock="c"), parse_fhir(at, clock="c")) == age


@given(MOMENTS, st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", None]))
def test_a_time_survives_json(moment: datetime, zone: str | None) -> None:
    time = place(moment.replace(tzinfo=None), clock="c", zone=zone)
    assert ClinicalTime.model_validate_json(time.model_dump_json()) == time


def test_a_zone_and_a_naive_time_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="zoned exactly when"):
        ClinicalTime(at=datetime(2026, 1, 1), zone="stated")  # noqa: DTZ001
    with pytest.raises(ValueError, match="needs the clock"):
        ClinicalTime(at=datetime(2026, 1, 1), zone="unknown")  # noqa: DTZ001


def test_an_unknown_zone_name_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="not an IANA time zone"):
        parse_fhir("2026-01-01T00:00:00", clock="c", zone="Mars/Olympus")
