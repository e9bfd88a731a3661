"""Times: zoned, on a clock, or imprecise; never silently one for another."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical_time import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    ClinicalTime,
    Precision,
    age_years,
    elapsed,
    parse_fhir,
    place,
    zoned,
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
    wall = moment if zone is None else moment.astimezone(ZoneInfo(zone))
    time = place(wall.replace(tzinfo=None), clock="c", zone=zone)
    assert ClinicalTime.model_validate_json(time.model_dump_json()) == time


def test_a_zone_and_a_naive_time_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="zoned exactly when"):
        ClinicalTime(at=datetime(2026, 1, 1), zone="stated")  # noqa: DTZ001
    with pytest.raises(ValueError, match="needs the clock"):
        ClinicalTime(at=datetime(2026, 1, 1), zone="unknown")  # noqa: DTZ001


def test_an_unknown_zone_name_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="not an IANA time zone"):
        parse_fhir("2026-01-01T00:00:00", clock="c", zone="Mars/Olympus")


PLACEHOLDERS = [
    "9999-12-31",
    "9999",
    "9999-12",
    "9999-12-31T23:59:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
    "0001-01-01",
    "0001",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "1753-01-01",
    "1849-12-31T23:59:59Z",
    "2201-01-01",
]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "Pacific/Kiritimati"])
@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_a_placeholder_is_no_date(text: str, zone: str | None) -> None:
    with pytest.raises(InvalidValueError, match="no such date: placeholder"):
        parse_fhir(text, clock="c", zone=zone)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("year", [1, 1752, 9999])
def test_a_placeholder_is_not_placed(year: int, zone: str | None) -> None:
    with pytest.raises(InvalidValueError, match="placeholder"):
        place(datetime(year, 1, 1), clock="c", zone=zone)  # noqa: DTZ001
    with pytest.raises(InvalidValueError, match="placeholder"):
        zoned(datetime(year, 1, 1, tzinfo=timezone(timedelta(hours=14))))


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_no_time_can_be_made_whose_span_overflows(at: datetime) -> None:
    with pytest.raises(ValueError, match="a time lies in the years"):
        ClinicalTime(at=at, precision=Precision.YEAR)
    with pytest.raises(ValueError, match="a time lies in the years"):
        ClinicalTime(at=at.replace(tzinfo=None), zone="unknown", clock="c")


@pytest.mark.parametrize("precision", [Precision.YEAR, Precision.MONTH])
def test_a_month_that_starts_on_its_last_day_is_refused(precision: Precision) -> None:
    with pytest.raises(ValueError, match="starts on its first day"):
        ClinicalTime(at=datetime(2026, 1, 31, tzinfo=UTC), precision=precision)


@given(
    st.datetimes(datetime(EARLIEST_YEAR, 1, 1), datetime(LATEST_YEAR, 12, 31, 23, 59)),  # noqa: DTZ001
    st.sampled_from(list(Precision)),
    st.sampled_from([None, "Pacific/Kiritimati", "Etc/GMT+12"]),
    OFFSETS,
)
def test_every_time_that_can_be_made_has_a_span_an_age_and_a_distance(
    naive: datetime, precision: Precision, zone: str | None, offset: timezone
) -> None:
    other = zoned(datetime(2026, 11, 20, tzinfo=UTC))
    month = 1 if precision is Precision.YEAR else naive.month
    start = naive.replace(month=month, day=1) if precision in ("year", "month") else naive
    for time in (
        place(start, clock="c", zone=zone, precision=precision),
        zoned(naive.replace(tzinfo=offset)),
    ):
        assert time.end >= time.at
        assert age_years(time, other).low is not None
        assert age_years(other, time).low == 0 or time.at.year > 2026
        distance = elapsed(time, other)
        assert (distance.minutes is None) == (distance.not_assessed is not None)
        assert time.show("Europe/Berlin")


def test_the_hour_that_comes_twice_is_not_guessed() -> None:
    # 25 October 2026, 03:00 CEST becomes 02:00 CET (EU rule: last Sunday of October, 01:00 UTC).
    twice = parse_fhir("2026-10-25T02:30", clock="a.json", zone="Europe/Berlin")
    before = parse_fhir("2026-10-25T01:30", clock="a.json", zone="Europe/Berlin")
    after = parse_fhir("2026-10-25T03:30", clock="a.json", zone="Europe/Berlin")
    assert twice.zone == "unknown"
    assert elapsed(before, twice).not_assessed == "time zone unknown"
    assert elapsed(before, after).minutes == Interval.exact(180)
    assert parse_fhir("2026-10-25T02:30:00+01:00", clock="a.json").at.hour == 1


def test_an_ambiguous_hour_is_not_subtracted_from_its_own_clock() -> None:
    twice = parse_fhir("2026-10-25T02:30", clock="a.json", zone="Europe/Berlin")
    bare = parse_fhir("2026-10-25T01:30", clock="a.json")
    assert elapsed(bare, twice).not_assessed == "time zone unknown"


def test_a_wall_time_that_was_skipped_is_refused() -> None:
    # 29 March 2026, 02:00 CET becomes 03:00 CEST (EU rule: last Sunday of March, 01:00 UTC).
    with pytest.raises(InvalidValueError, match="does not exist in Europe/Berlin"):
        parse_fhir("2026-03-29T02:30", clock="c", zone="Europe/Berlin")
    assert parse_fhir("2026-03-29T02:30:00+01:00", clock="c").at.minute == 30


@pytest.mark.parametrize(
    ("day", "zone", "starts"),
    [
        # Brazil: the clock went from 00:00 to 01:00 (-03 to -02) on 4 November 2018.
        ("2018-11-04", "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # Cuba: the clock goes from 01:00 back to 00:00 (-04 to -05) on 1 November 2026.
        ("2026-11-01", "America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
    ids=["midnight skipped", "midnight twice"],
)
def test_a_bare_date_is_there_however_its_midnight_lies(
    day: str, zone: str, starts: datetime
) -> None:
    time = parse_fhir(day, clock="c", zone=zone)
    assert (time.at, time.zone, str(time)) == (starts, "declared", day)


def test_only_ascii_digits_make_a_date() -> None:
    with pytest.raises(InvalidValueError, match="not a FHIR date"):
        parse_fhir("\u0662\u0660\u0662\u0666-11-20", clock="c")
