"""What signed structured readings of images say to a clinical input."""

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import EPICRISIS
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.quantity import format_number
from knowledge.reading_inputs import reading_inputs
from knowledge.timeline import Category, Timeline

_HOUR = 60.0


def from_readings(input_id: str, timeline: Timeline, *, at: ClinicalTime) -> tuple[Finding, ...]:
    """Return every answer that readings give now: two that differ are a contradiction.

    Returns:
        Where no reading answers, why the last one does not; empty where none was asked.
    """
    said = [
        _of_now(fact.finding, input_id, at)
        for fact in timeline.in_category(Category.READING)
        if fact.finding.concept.has(EPICRISIS, input_id)
    ]
    known = tuple(finding for finding in said if finding.state is not State.NOT_ASSESSED)
    return known or tuple(said[-1:])


def _of_now(finding: Finding, input_id: str, at: ClinicalTime) -> Finding:
    """Return an answer, or why the examination is not one of this presentation."""
    if finding.state is State.NOT_ASSESSED:
        return finding
    limit = reading_inputs().limit(input_id)
    since = elapsed(finding.time, at)
    minutes = since.minutes
    if minutes is None:
        if limit is None:
            return finding
        why = Why.TIME_ZONE_UNKNOWN if finding.time is not None else Why.TIME_NOT_GIVEN
        detail = f"the reading does not say when the images were made ({since.not_assessed})"
    elif minutes.high is not None and minutes.high < 0:
        why = Why.CONFLICTING
        detail = "the examination is later than the moment of assessment"
    elif limit is not None and minutes.low is not None and minutes.low > limit * _HOUR:
        why = Why.STALE
        detail = f"the examination is of {finding.time}, older than {format_number(limit)} h"
    else:
        return finding
    return not_assessed(
        catalogue().concept(input_id), why, detail, evidence=finding.evidence, time=finding.time
    )
