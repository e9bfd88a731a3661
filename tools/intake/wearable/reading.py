"""Making a reading: its number must be one that can be measured, its time one that can be."""

import re
from datetime import datetime

from knowledge.clinical_time import ClinicalTime, Precision, place, zoned
from knowledge.errors import InvalidValueError
from knowledge.wearable import wearable
from tools.intake.wearable.model import Kind

_APPLE = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4})")
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M")
_DATES = ("%Y-%m-%d", "%Y/%m/%d")


def number(text: str, kind: Kind, *, times: float = 1.0) -> float:
    """Return a measured number.

    Args:
        text: As printed.
        kind: What was measured.
        times: What it is multiplied with, where it is printed in another unit.

    Raises:
        InvalidValueError: No number, or one that cannot be measured.
    """
    shown = text.strip()
    if re.fullmatch(r"\d{1,3}(?:[.,]\d{1,6})?", shown) is None:
        raise InvalidValueError(kind, "no number")
    value = float(shown.replace(",", "."))
    if times != 1.0:
        value = round(value * times, 1)
    span = getattr(wearable().plausible, kind)
    if not span.low <= value <= span.high:
        raise InvalidValueError(kind, f"{value:g} cannot be measured")
    return value


def moment(text: str, *, clock: str, zone: str | None) -> tuple[ClinicalTime, datetime | None]:
    """Return a time as devices write it, and the same on the wearer's own clock.

    The year comes first, an offset may follow; of a bare date there is no clock time.

    Args:
        text: For example ``2026-11-20 13:20:05 +0100`` or ``2026-11-20 13:20``.
        clock: The file, for a time without an offset and a zone.
        zone: IANA zone declared for a time without an offset.

    Raises:
        InvalidValueError: Another form, such as one in which day and month can be confused.
    """
    shown = text.strip().replace("T", " ").removesuffix("Z")
    if text.strip().endswith("Z"):
        shown += " +0000"
    stated = _APPLE.fullmatch(shown)
    if stated is not None:
        at = _parsed(" ".join(stated.groups()), "%Y-%m-%d %H:%M:%S %z")
        return zoned(at), at.replace(tzinfo=None)
    for form in _FORMS:
        try:
            at = _parsed(shown, form)
        except InvalidValueError:
            continue
        precision = Precision.SECOND if "%S" in form else Precision.MINUTE
        return place(at, clock=clock, zone=zone, precision=precision), at
    for form in _DATES:
        try:
            at = _parsed(shown, form)
        except InvalidValueError:
            continue
        return place(at, clock=clock, zone=zone, precision=Precision.DAY), None
    raise InvalidValueError("time", "not written as year-month-day and a clock time")


def _parsed(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - placed by the caller
    except ValueError as error:
        raise InvalidValueError("time", "no such date") from error
