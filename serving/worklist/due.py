"""What is to be done when, judged at the present moment: ``due ...``, ``overdue since ...``."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from agent.assessment import Recommended
from knowledge.clinical_time import ClinicalTime, elapsed
from serving.worklist.model import Due

LIVE_WITHIN = timedelta(minutes=30)
"""A version made within this time of the moment it is for is of the present. A case that states a
moment of its own (an example, a record looked at later) is judged at that moment."""


def is_live(at: datetime, made_at: datetime) -> bool:
    """Return whether a version is of the time it was made at, and not of a stated moment."""
    return abs(made_at - at) <= LIVE_WITHIN


def moment_of(at: datetime, made_at: datetime, now: datetime) -> datetime:
    """Return the moment a case is judged at: now, or the one it states for itself."""
    return now if is_live(at, made_at) else at


def due_of(
    recommendations: Iterable[Recommended], *, moment: datetime, live: bool, time_zone: str | None
) -> tuple[Due, ...]:
    """Return what is to be done when, the earliest first.

    Args:
        recommendations: Of an assessment; those without a time are left out.
        moment: The moment it is judged at, zoned.
        live: Whether that is now; else it is one that the case states.
        time_zone: IANA zone of the case, where it states one.
    """
    found = [
        _due(row.text, row.due, moment, live=live, time_zone=time_zone)
        for row in recommendations
        if row.due is not None
    ]
    return tuple(sorted(found, key=lambda due: due.at.sort_key))


def with_zone(at: ClinicalTime, time_zone: str | None) -> str:
    """Return a time with its date and its zone: a list holds cases of several days and zones.

    Examples:
        >>> from datetime import UTC
        >>> with_zone(ClinicalTime(at=datetime(2026, 11, 20, 9, 30, tzinfo=UTC)), "Europe/Berlin")
        '2026-11-20 10:30 Europe/Berlin'
    """
    shown = at.show(time_zone)
    return shown if time_zone is None or shown == str(at) else f"{shown} {time_zone}"


def _due(
    what: str, at: ClinicalTime, moment: datetime, *, live: bool, time_zone: str | None
) -> Due:
    left = elapsed(ClinicalTime(at=moment), at)
    shown = with_zone(at, time_zone)
    if left.minutes is None or left.minutes.high is None:
        return Due(
            what=what,
            at=at,
            words=f"due {at}; whether that has passed is not known: {left.not_assessed}",
            shown=shown,
            overdue=None,
            minutes=None,
            judged_at=moment,
        )
    overdue = left.minutes.high < 0
    stated = None if live else with_zone(ClinicalTime(at=moment), time_zone)
    said = f"{'overdue since' if overdue else 'due'} {shown}"
    return Due(
        what=what,
        at=at,
        words=said if stated is None else f"{said}, at the moment this case states: {stated}",
        shown=shown,
        overdue=overdue,
        minutes=round(left.minutes.high, 1),
        judged_at=moment,
        stated=stated,
    )
