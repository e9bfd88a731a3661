"""Times of a recording: one that cannot be is left out and told, and the signal is still read."""

from datetime import datetime

from knowledge.clinical_time import ClinicalTime, Precision, place, zoned
from knowledge.errors import InvalidValueError


def placed(
    at: datetime,
    what: str,
    *,
    clock: str,
    zone: str | None,
    notes: list[str],
    precision: Precision = Precision.SECOND,
) -> ClinicalTime | None:
    """Return a time of a file, or None with the reason added to `notes`.

    Args:
        at: Naive, or with the offset the file states.
        what: What it is the time of, in words.
        clock: The file.
        zone: IANA zone declared for a naive time; already known to be one.
        notes: Collects what was not used.
        precision: The stated span.
    """
    try:
        if at.tzinfo is not None:
            return zoned(at, precision=precision)
        return place(at, clock=clock, zone=zone, precision=precision)
    except InvalidValueError as error:
        notes.append(f"{what} is not used: {error.reason}")
        return None
