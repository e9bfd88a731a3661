"""HL7 v2 date/time (DT, DTM, TS) to FHIR dateTime: as precise as stated, zoned where it says so."""

import re

from knowledge.errors import InvalidValueError

_DTM = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(\.\d{1,6})?)?)?)?)?)?"
    r"([+-]\d{4})?"
)
_OFFSET = re.compile(r"[+-]\d{4}")
_FARTHEST = 14
"""Hours that civil time lies from UTC at most (IANA time zone database)."""


def offset_of(text: str) -> str | None:
    """Return the offset a time ends in, which also holds for the rest of its message.

    HL7 v2.5.1, 2.A.22: the offset of MSH-7 is that of every time in the message without its own.

    Examples:
        >>> offset_of("20261120080000-0500"), offset_of("20261120")
        ('-0500', None)
    """
    match = _DTM.fullmatch(text.strip())
    return match[8] if match is not None and match[8] and match[4] else None


def moment(text: str, offset: str | None = None) -> str:
    """Return an HL7 v2 time as FHIR dateTime.

    An hour without minutes is as precise as its day. A placeholder of zeros beyond the day is not
    told from midnight and stays.

    Args:
        text: ``YYYY[MM[DD[HH[MM[SS[.S...]]]]]][+-ZZZZ]``.
        offset: For a time of the day without its own.

    Raises:
        InvalidValueError: Not such a time.

    Examples:
        >>> moment("202611200810", "+0100"), moment("20261120")
        ('2026-11-20T08:10+01:00', '2026-11-20')
    """
    match = _DTM.fullmatch(text.strip())
    if match is None:
        raise InvalidValueError(
            "time", "not an HL7 date or time", "write YYYYMMDDHHMMSS with an offset"
        )
    year, month, day, hour, minute, second, fraction, own = match.groups()
    parts = [year, *(p for p in (month, day) if p is not None)]
    date = "-".join(parts)
    if minute is None:
        return date
    zone = own or offset or ""
    if zone and int(zone[1:3]) > _FARTHEST:
        raise InvalidValueError("time", "no such offset from UTC", "correct it at the source")
    written = f"{zone[:3]}:{zone[3:]}" if _OFFSET.fullmatch(zone) else ""
    clock = ":".join(p for p in (hour, minute, second) if p is not None)
    return f"{date}T{clock}{(fraction or '') if second else ''}{written}"
