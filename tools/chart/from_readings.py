"""What signed structured readings of images say to a clinical input."""

from collections.abc import Sequence

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import EPICRISIS
from knowledge.evidence import RecordEvidence, describe
from knowledge.finding import Finding, State, Why, not_assessed
from knowledge.quantity import format_number
from knowledge.reading_inputs import FORM, reading_inputs
from knowledge.timeline import Category, Timeline
from tools.chart.from_statements import statements
from tools.readings.in_case import CLOCKS, WITHDRAWN

_HOUR = 60.0
_ONSET = "onset"
LATER = "a later reading or examination answers it"
_UNTIMED = "the reading does not say when the images were made"
_WRONG_CLOCK = "the images are said to be made after the reading was signed: a clock is wrong"
BEFORE_PAIN = "done before the pain began"


def from_readings(input_id: str, timeline: Timeline, *, at: ClinicalTime) -> tuple[Finding, ...]:
    """Return every answer that readings give now: two that differ are a contradiction.

    The latest examination counts: what an earlier one said is told beside it. An examination that
    was done before the pain began never answers "absent" where the question has a limit of age.

    Returns:
        Where no reading answers, why the last one does not; empty where none was asked.
    """
    said = [_of_now(finding, input_id, at) for finding in _asked(input_id, timeline)]
    latest = _latest([finding for finding in said if _says(finding)])
    timed = [_since_onset(finding, input_id, timeline, at) for finding in latest]
    known = tuple(finding for finding in timed if finding.state is not State.NOT_ASSESSED)
    return known or tuple((timed or said)[-1:])


def unused(input_id: str, file: str, timeline: Timeline, *, at: ClinicalTime) -> str:
    """Return why what a file answers by itself is not used now; empty where it is used.

    Args:
        input_id: A question that the file answers.
        file: Of the reading.
        timeline: The patient's facts.
        at: The moment of assessment.
    """
    answered = from_readings(input_id, timeline, at=at)
    if any(_file(f) == file and f.state is not State.NOT_ASSESSED for f in answered):
        return ""
    own = [_of_now(f, input_id, at) for f in _asked(input_id, timeline) if _file(f) == file]
    judged = [_since_onset(finding, input_id, timeline, at) for finding in own]
    return next((f.not_assessed.detail for f in judged if f.not_assessed is not None), LATER)


def _asked(input_id: str, timeline: Timeline) -> list[Finding]:
    return [
        fact.finding
        for fact in timeline.in_category(Category.READING)
        if fact.finding.concept.has(EPICRISIS, input_id)
    ]


def _says(finding: Finding) -> bool:
    """Return whether a finding answers, or takes an earlier answer back."""
    return finding.state is not State.NOT_ASSESSED or WITHDRAWN in finding.flags


def _file(finding: Finding) -> str:
    first = next(iter(finding.evidence), None)
    return first.file if isinstance(first, RecordEvidence) else ""


def _latest(known: Sequence[Finding]) -> list[Finding]:
    """Return what no later examination replaces; what that one said otherwise is told."""
    kept = []
    for finding in known:
        if any(_replaces(other, finding) for other in known):
            continue
        old = [
            f
            for f in known
            if _replaces(finding, f) and f.state not in (finding.state, State.NOT_ASSESSED)
        ]
        kept.append(_telling(finding, old) if old else finding)
    return kept


def _replaces(newer: Finding, older: Finding) -> bool:
    """Return whether one is of a later examination; a film without a sign does not undo a CT."""
    if newer.derived_from[:1] == older.derived_from[:1]:
        return False
    minutes = elapsed(older.time, newer.time).minutes
    if minutes is None or minutes.low is None or minutes.low <= 0:
        return False
    weaker = (
        f"{FORM}chest_film" in newer.derived_from
        and newer.derived_from[1:] != (older.derived_from[1:])
    )
    return not (weaker and newer.state is not State.PRESENT and older.state is State.PRESENT)


def _telling(finding: Finding, old: Sequence[Finding]) -> Finding:
    told = "; ".join(
        f"an earlier examination of {f.time} ({describe(f.evidence[0])}): {f.state.value}"
        for f in old
    )
    evidence = (*finding.evidence, *(e for f in old for e in f.evidence))
    return finding.model_copy(
        update={"reported": f"{finding.reported}; {told}", "evidence": evidence}
    )


def _since_onset(finding: Finding, input_id: str, timeline: Timeline, at: ClinicalTime) -> Finding:
    """Return the answer, or why an "absent" is not one of this pain."""
    table = reading_inputs()
    if finding.state is not State.ABSENT or table.limit(input_id) is None:
        return finding
    stated = statements(timeline, at=at).get(_ONSET, ())
    onset = stated[-1].finding.time if stated and stated[-1].finding.not_assessed is None else None
    since = elapsed(onset, finding.time).minutes
    if since is not None:
        if since.low is not None and since.low >= 0:
            return finding
        sure = since.high is not None and since.high < 0
        detail = BEFORE_PAIN if sure else "not shown to be done after the pain began"
        return _without(finding, input_id, f"the examination of {finding.time} was {detail}")
    hours = table.without_onset.absent_within_hours
    age = elapsed(finding.time, at).minutes
    if age is not None and age.high is not None and age.high <= hours * _HOUR:
        return finding
    detail = f"older than {format_number(hours)} h, and it is not known when the pain began"
    return _without(finding, input_id, f"the examination of {finding.time} is {detail}")


def _without(finding: Finding, input_id: str, detail: str) -> Finding:
    return not_assessed(
        catalogue().concept(input_id),
        Why.OUTSIDE_WINDOW,
        f"{detail}: it does not answer absent ({finding.reported})",
        evidence=finding.evidence,
        time=finding.time,
    )


def _of_now(finding: Finding, input_id: str, at: ClinicalTime) -> Finding:
    """Return an answer, or why the examination is not one of this presentation."""
    if not _says(finding):
        return finding
    limit = reading_inputs().limit(input_id)
    since = elapsed(finding.time, at)
    minutes = since.minutes
    if minutes is None:
        if limit is None:
            return finding
        why = Why.TIME_ZONE_UNKNOWN if finding.time is not None else Why.TIME_NOT_GIVEN
        detail = _WRONG_CLOCK if CLOCKS in finding.flags else f"{_UNTIMED} ({since.not_assessed})"
    elif minutes.high is not None and minutes.high < 0:
        why = Why.FUTURE_TIME
        detail = f"the examination of {finding.time} is in the future: later than the assessment"
    elif limit is not None and minutes.low is not None and minutes.low > limit * _HOUR:
        why = Why.STALE
        detail = f"the examination is of {finding.time}, older than {format_number(limit)} h"
    else:
        return finding
    return not_assessed(
        catalogue().concept(input_id), why, detail, evidence=finding.evidence, time=finding.time
    )
