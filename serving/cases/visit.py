"""Which case is of a visit: one rule for every way in."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from serving.cases.model import Case

SAME_VISIT = timedelta(hours=72)
"""A case without an encounter is of this visit while it is not older: the pathway's look back."""


def case_of_visit(cases: Iterable[Case], *, encounter: str | None, now: datetime) -> Case | None:
    """Return the case of a visit; None where there is none.

    That of the encounter, where one is named and has a case; else the newest of the last days.
    Where one is named, a case of another encounter is never taken.

    Args:
        cases: Of the patient, newest first.
        encounter: As in `Case.encounter`; None where it is not known.
        now: The current moment, zoned.
    """
    found = list(cases)
    if encounter is not None:
        for case in found:
            if case.encounter == encounter:
                return case
        found = [case for case in found if case.encounter is None]
    return next((case for case in found if case.created_at >= now - SAME_VISIT), None)
