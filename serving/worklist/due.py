"""What is to be done when, judged at the present moment: ``due 10:42``, ``overdue since 10:42``."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from agent.assessment import Recommended
from knowledge.clinical_time import ClinicalTime, elapsed
from serving.worklist.model import Due

LIVE_WITHIN = timedelta(minutes=30)
"""A version made within this time of the moment it is for is of the present. A case that states a
moment of its own (an example, a record looked at later) is judged at that moment."""

_DAY = timedelta(days=1)


def moment_of(at: datetime, made_at: datetime, now: datetime) -> datetime:
    """Return the moment a case is judged at: now, or the one it states for itself."""
    return now if abs(made_at - at) <= LIVE_WITHIN else at


def due_of(
    recommendations: Iterable[Recommended], *, moment: datetime, time_zone: str | None
) -> tuple[Due, ...]:
    """Return what is to be done when, the earliest first.

    Args:
        recommendations: Of an assessment; those without a time are left out.
        moment: The moment it is judged at, zoned.
        time_zone: IANA zone of the case, where it states one.
    """
    found = [
        _due(row.text, row.due, moment, time_zone) for row in recommendations if row.due is not None
    ]
    return tuple(sorted(found, key=lambda due: due.at.sort_key))


def _due(what: str, at: ClinicalTime, moment: datetime, time_zone: str | None) -> Due:
    left = elapsed(ClinicalTime(at=moment), at)
    if left.minutes is None or left.minutes.high is None:
        return Due(
            what=what,
            at=at,
            words=f"due {at}; whether that has passed is not known: {left.not_assessed}",
            overdue=None,
            minutes=None,
            judged_at=moment,
        )
    overdue = left.minutes.high < 0
    word = "overdue since" if overdue else "due"
    return Due(
        what=what,
        at=at,
        words=f"{word} {_shown(at, moment, time_zone)}",
        overdue=overdue,
        minutes=round(left.minutes.high, 1),
        judged_at=moment,
    )


def _shown(at: ClinicalTime, moment: datetime, time_zone: str | None) -> str:
    """Return the time; within a day of the moment without the date."""
    whole = at.show(time_zone)
    near = at.at.tzinfo is not None and abs(at.at - moment) < _DAY
    day, _, rest = whole.partition(" ")
    return rest if near and rest and len(day) == len("2026-11-20") else whole
