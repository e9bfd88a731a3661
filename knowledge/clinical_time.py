"""When something happened, and how far apart two things are.

A FHIR instant carries its own offset. DICOM, HL7 v2 and WFDB times often carry none: they take the
zone declared for the case or the site. Where none is declared, the time stays on its source's own
clock: two times of one clock can still be subtracted, two of different clocks cannot.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import model_validator

from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.quantity import Interval

EARLIEST_YEAR, LATEST_YEAR = 1850, 2200
"""The years a time may be in.

Nobody treated today was born before 1850, and de-identified research records are shifted to years
up to 2200. Systems write 0001, 1753 or 9999 for "not known" or "no end": such a date is a
placeholder and says nothing, and near the limits of the calendar no distance can be computed.
"""

_MINUTE_US = 60_000_000


class Precision(StrEnum):
    """How finely a time was stated."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"


class ClinicalTime(Frozen):
    """One point in time as it was stated.

    Args:
        at: Start of the stated span; zoned (UTC) where the zone is known, else naive.
        precision: The stated span: a year, month, day, minute, or second and finer.
        zone: `stated` by the source, `declared` for the case or site, or `unknown`.
        clock: For an unknown zone, which clock it was read from (the source file).
    """

    at: datetime
    precision: Precision = Precision.SECOND
    zone: Literal["stated", "declared", "unknown"] = "stated"
    clock: str | None = None

    @model_validator(mode="after")
    def _zoned_or_on_a_clock(self) -> Self:
        if (self.at.tzinfo is None) != (self.zone == "unknown"):
            raise ValueError("a time is zoned exactly when its zone is known")
        if self.zone == "unknown" and not self.clock:
            raise ValueError("a time without a zone needs the clock it was read from")
        return self

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        # one year of room: the last evening of a year may lie in the next one in UTC
        if not EARLIEST_YEAR - 1 <= self.at.year <= LATEST_YEAR + 1:
            raise ValueError(f"a time lies in the years {EARLIEST_YEAR} to {LATEST_YEAR}")
        if self.precision in (Precision.YEAR, Precision.MONTH) and self.at.day != 1:
            raise ValueError("a year or month starts on its first day")
        return self

    @property
    def end(self) -> datetime:
        """First moment after the stated span."""
        match self.precision:
            case Precision.YEAR:
                return _shift(self.at, years=1)
            case Precision.MONTH:
                return _shift(self.at, months=1)
            case Precision.DAY:
                return self.at + timedelta(days=1)
            case Precision.MINUTE | Precision.SECOND:
                return self.at

    @property
    def sort_key(self) -> tuple[datetime, str]:
        """Order for display; a time of unknown zone sorts as if it were UTC."""
        at = self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)
        return at, self.clock or ""

    def __str__(self) -> str:
        form = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "minute": "%Y-%m-%d %H:%M"}.get(
            self.precision, "%Y-%m-%d %H:%M:%S" if self.at.second else "%Y-%m-%d %H:%M"
        )
        text = self.at.strftime(form)
        if self.precision in (Precision.YEAR, Precision.MONTH, Precision.DAY):
            return text
        return f"{text} (time zone unknown)" if self.zone == "unknown" else f"{text} UTC"

    def show(self, zone: str | None) -> str:
        """Return the time in words, in the wall time of `zone` where the zone is known."""
        if zone is None or self.at.tzinfo is None or self.precision not in ("minute", "second"):
            return str(self)
        local = self.at.astimezone(load_zone(zone))
        return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


class Elapsed(Frozen):
    """Time from one moment to another, or why it is not known.

    Args:
        minutes: All possible lengths, minutes; negative where the second came first.
        not_assessed: The reason, where `minutes` is None.
    """

    minutes: Interval | None = None
    not_assessed: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.minutes is None) == (self.not_assessed is None):
            raise ValueError("an elapsed time is either known or has a reason")
        return self


def elapsed(start: ClinicalTime | None, end: ClinicalTime | None) -> Elapsed:
    """Return the time from `start` to `end` in minutes.

    Imprecise times give an interval. Two times of unknown zone compare only on one clock; a date
    without a time of day is taken to be that date in any zone of the world, and compares as such.
    """
    if start is None or end is None:
        return Elapsed(not_assessed="time not given")
    if start.zone == "unknown" and end.zone == "unknown" and start.clock == end.clock:
        first, second = (start.at, start.end), (end.at, end.end)
    elif _has_unknown_clock(start) or _has_unknown_clock(end):
        return Elapsed(not_assessed="time zone unknown")
    else:
        first, second = _anywhere(start), _anywhere(end)
    return Elapsed(
        minutes=Interval(low=_minutes(first[1], second[0]), high=_minutes(first[0], second[1]))
    )


def parse_fhir(text: str, *, clock: str, zone: str | None = None) -> ClinicalTime:
    """Return a FHIR date, dateTime or instant (R4 datatypes) as a `ClinicalTime`.

    Args:
        text: For example ``2026-11-20``, ``2026-11-20T08:10:00+01:00``.
        clock: The source, for a time without an offset.
        zone: IANA zone declared for the case or site, for a time without an offset.

    Raises:
        InvalidValueError: Not a date or time, a placeholder, or a wall time that does not exist in
            the declared zone.
    """
    match = _FHIR.fullmatch(text.strip())
    if match is None:
        raise InvalidValueError("time", "not a FHIR date or dateTime", "write YYYY-MM-DDThh:mm:ssZ")
    year, month, day, hour, minute, second, offset = match.groups()
    precision = (
        Precision.SECOND
        if second
        else Precision.MINUTE
        if hour
        else Precision.DAY
        if day
        else Precision.MONTH
        if month
        else Precision.YEAR
    )
    try:
        if offset:
            at = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
            return zoned(at, precision=precision)
        whole, _, fraction = (second or "0").partition(".")
        naive = datetime(  # noqa: DTZ001 - the zone is attached by `place`
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(whole),
            int((fraction + "000000")[:6]),
        )
    except ValueError as error:
        raise InvalidValueError(
            "time", "no such date or time", "correct it at the source"
        ) from error
    return place(naive, clock=clock, zone=zone, precision=precision)


def place(
    naive: datetime, *, clock: str, zone: str | None, precision: Precision = Precision.SECOND
) -> ClinicalTime:
    """Return a naive wall time in the declared zone, or on its source's own clock without one.

    In the hour that comes twice when the clock is put back, which of the two is meant is not
    known: such a time stays on a clock of its own. A bare date is there however its midnight lies.

    Raises:
        InvalidValueError: The zone is not an IANA time zone, the date is a placeholder, or the
            wall time does not exist in the zone (it was skipped when the clock was put forward).
    """
    _check_year(naive)
    if zone is None:
        return ClinicalTime(at=naive, precision=precision, zone="unknown", clock=clock)
    local = naive.replace(tzinfo=load_zone(zone))
    if precision not in (Precision.MINUTE, Precision.SECOND):
        fixed = timezone(local.utcoffset() or timedelta())
        return ClinicalTime(at=local.replace(tzinfo=fixed), precision=precision, zone="declared")
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        back = local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None)
        if back != naive:
            raise InvalidValueError(
                "time", f"does not exist in {zone}: the clock was put forward", "give its offset"
            )
        own = f"{clock}, ambiguous {naive.isoformat()}"
        return ClinicalTime(at=naive, precision=precision, zone="unknown", clock=own)
    return ClinicalTime(at=local.astimezone(UTC), precision=precision, zone="declared")


def zoned(at: datetime, *, precision: Precision = Precision.SECOND) -> ClinicalTime:
    """Return a time that its source stated with its offset.

    Args:
        at: With its offset.
        precision: The stated span.

    Raises:
        InvalidValueError: The date is a placeholder.
    """
    _check_year(at)
    return ClinicalTime(at=at.astimezone(UTC), precision=precision)


def age_years(birth: ClinicalTime, at: ClinicalTime) -> Interval:
    """Return the age in completed years at a moment, as all whole numbers it may be.

    A date of birth has no time zone; the calendar date of `at` may be a day off where its zone is
    not known, so the age is an interval around a birthday and for an imprecise date of birth.

    Examples:
        >>> born = parse_fhir("1960-05-01", clock="chart")
        >>> str(age_years(born, parse_fhir("2026-11-20T10:00:00Z", clock="chart")))
        '66'
    """
    day = timedelta(days=1)
    first = (at.at - day).replace(tzinfo=None)
    last = (at.end + day).replace(tzinfo=None)
    youngest = birth.end.replace(tzinfo=None) - day
    return Interval(low=_completed(youngest, first), high=_completed(birth.at, last))


def load_zone(name: str) -> ZoneInfo:
    """Return an IANA time zone by name.

    Raises:
        InvalidValueError: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValueError(
            "time zone", f"{name!r} is not an IANA time zone", "write for example Europe/Berlin"
        ) from error


_FHIR = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


def _check_year(at: datetime) -> None:
    if not EARLIEST_YEAR <= at.year <= LATEST_YEAR:
        raise InvalidValueError(
            "time", "no such date: placeholder", "leave out a date that is not known"
        )


def _has_unknown_clock(time: ClinicalTime) -> bool:
    return time.zone == "unknown" and time.precision in (Precision.MINUTE, Precision.SECOND)


def _anywhere(time: ClinicalTime) -> tuple[datetime, datetime]:
    """Return the stated span; for a bare date, that date in every zone from UTC+14 to UTC-12."""
    if time.zone != "unknown":
        return time.at, time.end
    earliest, latest = timedelta(hours=14), timedelta(hours=12)
    return time.at.replace(tzinfo=UTC) - earliest, time.end.replace(tzinfo=UTC) + latest


def _completed(birth: datetime, on: datetime) -> int:
    birthday_passed = (on.month, on.day) >= (birth.month, birth.day)
    return max(on.year - birth.year - (not birthday_passed), 0)


def _minutes(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(microseconds=1) / _MINUTE_US


def _shift(at: datetime, *, years: int = 0, months: int = 0) -> datetime:
    month = at.month - 1 + months
    return at.replace(year=at.year + years + month // 12, month=month % 12 + 1)
