"""What is due and when: an absolute time for everybody, a countdown where a clock can run."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from serving.web.values import clock, span
from serving.web.words import Say

LIVE_WITHIN = timedelta(minutes=30)
"""An assessment computed within this time of the moment it is for is of now: its clock runs. A
case that states a moment of its own (an example, a record looked at later) keeps that moment."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """One thing that is due.

    Args:
        what: In words.
        shown: The time, as the page writes times.
        moment: The same for a script, ISO 8601.
        overdue: Whether it had passed at the page's moment.
        relation: ``in 44 min`` or ``overdue by 12 min``, at the page's moment.
        live: Whether a script may count on from the server's time.
    """

    what: str
    shown: str
    moment: str
    overdue: bool
    relation: str
    live: bool


def is_live(at: datetime, made_at: datetime) -> bool:
    """Return whether an assessment is of the time it was made at, and not of a stated moment."""
    return abs(made_at - at) <= LIVE_WITHIN


def page_moment(at: datetime, made_at: datetime, now: datetime) -> datetime:
    """Return the moment that ``due`` and ``overdue`` are judged at: now, or the stated one."""
    return now if is_live(at, made_at) else at


def due(
    what: str, time: ClinicalTime, *, moment: datetime, live: bool, time_zone: str | None, say: Say
) -> Due | None:
    """Return what is due; None for a time whose zone is not known, which no clock can reach.

    At a moment that the case states for itself the time has its date: nobody's clock is there.
    """
    if time.at.tzinfo is None:
        return None
    minutes = (time.at - moment).total_seconds() / 60
    overdue = minutes < 0
    length = span(minutes, say)
    return Due(
        what=what,
        shown=clock(time, time_zone, beside=moment) if live else time.show(time_zone),
        moment=time.at.isoformat(),
        overdue=overdue,
        relation=(say("overdue by %s") if overdue else say("in %s")) % length,
        live=live,
    )


def next_due(assessment: Assessment, *, moment: datetime, live: bool, say: Say) -> Due | None:
    """Return what is due first, of everything that the actions date; None where nothing is."""
    found = [
        made
        for action in assessment.recommendations
        if action.due is not None
        and (
            made := due(
                action.text,
                action.due,
                moment=moment,
                live=live,
                time_zone=assessment.time_zone,
                say=say,
            )
        )
        is not None
    ]
    return min(found, key=lambda d: d.moment, default=None)
