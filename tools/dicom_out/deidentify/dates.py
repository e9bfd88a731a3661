"""Dates moved by whole days: the way between two of them stays, the days themselves do not."""

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})[.]?(\d{2})[.]?(\d{2})")
_REST = re.compile(r"(\d{2}|\d{4}|\d{6}(\.\d{1,6})?)?([+-]\d{4})?")
_WHOLE = 8


def shifted_date(text: str, by: timedelta) -> str:
    """Return a date (VR DA) moved; empty where it is no date.

    Examples:
        >>> from datetime import timedelta
        >>> shifted_date("20240301", timedelta(days=-1))
        '20240229'
        >>> shifted_date("soon", timedelta(days=-1))
        ''
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return ""
    try:
        moved = date(int(found[1]), int(found[2]), int(found[3])) + by
    except (ValueError, OverflowError):
        return ""
    return f"{moved.year:04}{moved.month:02}{moved.day:02}"


def shifted_moment(text: str, by: timedelta) -> str:
    """Return a moment (VR DT) moved, its time of day and zone kept; empty where it has no day.

    Examples:
        >>> from datetime import timedelta
        >>> shifted_moment("20240301101500.5+0100", timedelta(days=-1))
        '20240229101500.5+0100'
        >>> shifted_moment("2024", timedelta(days=-1))
        ''
    """
    moved = shifted_date(text[:_WHOLE], by)
    rest = text[_WHOLE:].strip()
    return moved + (rest if _REST.fullmatch(rest) else "") if moved else ""
