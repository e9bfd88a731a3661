"""Facts that are listed but not used: from the future, or contradicting themselves."""

from datetime import UTC, timedelta

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.timeline import Fact

_FARTHEST_WEST = timedelta(hours=12)
_FARTHEST_EAST = timedelta(hours=14)
"""Offsets of civil time lie between UTC-12 and UTC+14 (IANA time zone database)."""


def is_future(time: ClinicalTime | None, at: ClinicalTime | None) -> bool:
    """Return whether a time is certainly later than the moment of assessment.

    Where a zone is unknown it is later only if it is so in every zone on earth.
    """
    if time is None or at is None:
        return False
    earliest = time.at.replace(tzinfo=UTC) if time.at.tzinfo is None else time.at
    latest = at.end.replace(tzinfo=UTC) if at.at.tzinfo is None else at.end
    if at.precision is Precision.MINUTE:
        latest += timedelta(minutes=1)
    if time.zone == "unknown" and at.zone == "unknown" and time.clock == at.clock:
        return earliest > latest
    if time.at.tzinfo is None:
        earliest -= _FARTHEST_EAST
    if at.at.tzinfo is None:
        latest += _FARTHEST_WEST
    return earliest > latest


def withheld(fact: Fact, why: Why, detail: str, flag: str) -> Fact:
    """Return a fact as not assessed, with its value kept only as what was reported."""
    finding = fact.finding
    reported = finding.reported or (str(finding.value) if finding.value is not None else None)
    changed = Finding(
        concept=finding.concept,
        state=State.NOT_ASSESSED,
        not_assessed=NotAssessed(why=why, detail=detail),
        time=finding.time,
        body_site=finding.body_site,
        method=finding.method,
        reported=reported,
        flags=(*finding.flags, flag),
        evidence=finding.evidence,
        specimen=finding.specimen,
        method_kind=finding.method_kind,
        derived_from=finding.derived_from,
        note=finding.note,
    )
    return fact.model_copy(update={"finding": changed})
