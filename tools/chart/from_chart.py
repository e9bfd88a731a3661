"""What coded chart entries say to a clinical input."""

import re

from knowledge.clinical_inputs import ClinicalInput, FromCondition, FromObservation, catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE, ICD10, ICD10CM, LOINC, Concept
from knowledge.finding import Finding, NotAssessed, State, Why, not_assessed
from knowledge.plain_text import quotation
from knowledge.quantity import format_number
from knowledge.timeline import Category, Fact, Timeline
from tools.chart.same_time import latest
from tools.intake.fhir.specimen import WRONG_SPECIMEN

_TAG = re.compile(r"\s*\([a-z /]+\)\s*$")
_HOUR = 60.0
_AGE_UNKNOWN = (Why.TIME_NOT_GIVEN, Why.TIME_ZONE_UNKNOWN)


def from_conditions(
    input_id: str, entry: ClinicalInput, timeline: Timeline, *, at: ClinicalTime
) -> Finding | None:
    """Return what the problem list says, or None where it does not mention the input.

    An active entry means present; so does a past one where the catalogue says a past one counts.
    A refuted entry alone means absent. Silence means nothing. An entry of an acute condition that
    is old, or of which nobody knows how old it is, does not say that it is so now: it is asked.
    """
    rule = entry.condition
    if rule is None:
        return None
    concept = catalogue().concept(input_id)
    charted = _charted_as(rule, timeline, at)
    entries = [fact for fact in charted if _age_fault(fact, at, rule.max_age_hours) is None]
    active = [
        fact
        for fact in entries
        if fact.finding.state is State.PRESENT and (rule.past_counts or not _is_past(fact, at))
    ]
    if active:
        return _retold(concept, State.PRESENT, active[-1].finding)
    refuted = [fact for fact in entries if fact.finding.state is State.ABSENT]
    if refuted:
        return _retold(concept, State.ABSENT, refuted[-1].finding)
    if entries:
        last = entries[-1].finding
        detail = last.not_assessed.detail if last.not_assessed else "only a past entry in the chart"
        return not_assessed(concept, Why.MISSING, detail, evidence=last.evidence, time=last.time)
    return _not_of_now(concept, rule, charted, at)


def undated_diagnoses(timeline: Timeline, *, at: ClinicalTime) -> dict[str, Finding]:
    """Return the chart entries of acute conditions whose age is not known, by input.

    Such an entry is neither of this presentation nor of an earlier one: somebody has to say.
    """
    found: dict[str, Finding] = {}
    for input_id, entry in catalogue().inputs.items():
        rule = entry.condition
        if rule is None or rule.max_age_hours is None:
            continue
        for fact in _charted_as(rule, timeline, at):
            asked = fact.finding.state is State.PRESENT and not _is_past(fact, at)
            if asked and _age_fault(fact, at, rule.max_age_hours) in _AGE_UNKNOWN:
                found[input_id] = fact.finding
    return found


def from_medications(
    input_id: str, entry: ClinicalInput, timeline: Timeline, *, at: ClinicalTime
) -> Finding | None:
    """Return `present` where a current medicine of the chart carries one of the words."""
    rule = entry.medication
    if rule is None:
        return None
    current = [
        fact.finding
        for fact in timeline.in_category(Category.MEDICATION)
        if fact.finding.state is State.PRESENT
        and not _is_past(fact, at)
        and not _after(fact, at)
        and rule.names(fact.finding.concept.text)
    ]
    if not current:
        return None
    told = _retold(catalogue().concept(input_id), State.PRESENT, current[-1])
    names = tuple(dict.fromkeys(finding.concept.text for finding in current))
    evidence = tuple(dict.fromkeys(e for finding in current for e in finding.evidence))
    return told.model_copy(update={"reported": ", ".join(names), "evidence": evidence})


def _charted_as(rule: FromCondition, timeline: Timeline, at: ClinicalTime) -> list[Fact]:
    return [
        fact
        for fact in timeline.in_category(Category.CONDITION, Category.PROCEDURE)
        if _names(fact.finding.concept, rule.icd10, rule.names) and not _after(fact, at)
    ]


def _age_fault(fact: Fact, at: ClinicalTime, limit_hours: float | None) -> Why | None:
    """Return why an entry is not one of this presentation; None where it is, or has no limit."""
    if limit_hours is None:
        return None
    since = elapsed(fact.finding.time, at).minutes
    if since is None or since.low is None:
        return Why.TIME_ZONE_UNKNOWN if fact.finding.time is not None else Why.TIME_NOT_GIVEN
    return Why.STALE if since.low > limit_hours * _HOUR else None


def _not_of_now(
    concept: Concept, rule: FromCondition, charted: list[Fact], at: ClinicalTime
) -> Finding | None:
    """Return "not assessed" for a positive entry that is old or not dated, else None."""
    for fact in reversed(charted):
        why = _age_fault(fact, at, rule.max_age_hours)
        finding = fact.finding
        if why is None or finding.state is not State.PRESENT:
            continue
        if _is_past(fact, at):
            detail = f"only a past entry in the chart, of {finding.time or 'unknown time'}"
        elif why is Why.STALE:
            detail = f"the chart holds an old entry, of {finding.time}; is it so now?"
        else:
            detail = "the chart holds an entry whose time is not known; is it so now?"
        return not_assessed(concept, why, detail, evidence=finding.evidence, time=finding.time)
    return None


def from_observations(
    input_id: str, entry: ClinicalInput, timeline: Timeline, *, at: ClinicalTime
) -> Finding | None:
    """Return the latest observation that answers the input, or why none of them does.

    Returns:
        None where there is no such observation at all.
    """
    rule = entry.observation
    if rule is None:
        return None
    facts = _observed(entry, rule, timeline)
    if not facts:
        return None
    concept = catalogue().concept(input_id)
    judged = [_in_time(fact.finding, rule, concept, at) for fact in facts]
    usable = [f for f in judged if f.state is not State.NOT_ASSESSED]
    if not usable:
        return judged[-1]
    found = _as_input(usable[-1], entry, rule, concept)
    if entry.kind != "quantity" or found.state is State.NOT_ASSESSED:
        return found
    return latest(chart_values(input_id, entry, timeline, at=at), entry)


def chart_values(
    input_id: str, entry: ClinicalInput, timeline: Timeline, *, at: ClinicalTime
) -> tuple[Finding, ...]:
    """Return every charted number that answers the input now, oldest first."""
    rule = entry.observation
    if rule is None:
        return ()
    concept = catalogue().concept(input_id)
    judged = (
        _in_time(fact.finding, rule, concept, at) for fact in _observed(entry, rule, timeline)
    )
    usable = (
        _as_input(f, entry, rule, concept) for f in judged if f.state is not State.NOT_ASSESSED
    )
    return tuple(f for f in usable if f.state is State.PRESENT)


def _observed(entry: ClinicalInput, rule: FromObservation, timeline: Timeline) -> tuple[Fact, ...]:
    """Return the facts that are coded as the input, oldest first."""
    return tuple(
        fact
        for fact in timeline.facts
        if fact.category is not Category.STATED
        and (
            fact.finding.concept.has(LOINC, *rule.loinc)
            or (entry.analyte is not None and fact.finding.concept.has(ANALYTE, entry.analyte))
        )
    )


def _in_time(
    finding: Finding, rule: FromObservation, concept: Concept, at: ClinicalTime
) -> Finding:
    if finding.state is State.NOT_ASSESSED:
        reason = finding.not_assessed or NotAssessed(why=Why.FAILED, detail="no reason given")
        return not_assessed(
            concept, reason.why, reason.detail, evidence=finding.evidence, time=finding.time
        )
    if WRONG_SPECIMEN in finding.flags:
        detail = f"the stated specimen contradicts the code ({finding.concept.text})"
        return not_assessed(
            concept,
            Why.OUTSIDE_CONTRACT,
            detail,
            evidence=finding.evidence,
            time=finding.time,
        )
    since = elapsed(finding.time, at)
    if since.minutes is None:
        if rule.max_age_hours is None:
            return finding
        why = Why.TIME_ZONE_UNKNOWN if finding.time else Why.TIME_NOT_GIVEN
        detail = since.not_assessed or "time not given"
        return not_assessed(concept, why, detail, evidence=finding.evidence, time=finding.time)
    if since.minutes.high is not None and since.minutes.high < 0:
        return not_assessed(
            concept,
            Why.CONFLICTING,
            "the observation is later than the moment of assessment",
            evidence=finding.evidence,
            time=finding.time,
        )
    limit = rule.max_age_hours
    if limit is not None and since.minutes.low is not None and since.minutes.low > limit * _HOUR:
        return not_assessed(
            concept,
            Why.STALE,
            f"the last value is of {finding.time}, older than {format_number(limit)} h",
            evidence=finding.evidence,
            time=finding.time,
        )
    return finding


def _as_input(
    finding: Finding, entry: ClinicalInput, rule: FromObservation, concept: Concept
) -> Finding:
    """Return the observation as an answer: the concept is the input, the rest stays."""
    if entry.kind == "quantity":
        if finding.quantity is None:
            detail = "the observation is not a number"
        elif finding.quantity.unit != entry.unit:
            detail = f"unit {quotation(finding.quantity.unit)} is not {entry.unit}"
        else:
            return finding.model_copy(update={"concept": concept})
        return not_assessed(
            concept,
            Why.UNIT_NOT_RECOGNISED,
            detail,
            evidence=finding.evidence,
            time=finding.time,
        )
    said = plain(str(finding.value)) if finding.value is not None else ""
    for state, names in ((State.PRESENT, rule.present), (State.ABSENT, rule.absent)):
        if said in {plain(name) for name in names}:
            return _retold(concept, state, finding)
    return not_assessed(
        concept,
        Why.MISSING,
        "the charted answer does not settle it",
        evidence=finding.evidence,
        time=finding.time,
    )


def _retold(concept: Concept, state: State, finding: Finding) -> Finding:
    return Finding(
        concept=concept,
        state=state,
        time=finding.time,
        reported=finding.concept.text,
        flags=finding.flags,
        evidence=finding.evidence,
    )


def _names(concept: Concept, icd10: tuple[str, ...], texts: tuple[str, ...]) -> bool:
    """Return whether a concept carries one of the code prefixes, or one of the texts as a whole."""
    for coding in concept.codings:
        if coding.system in (ICD10, ICD10CM) and coding.code.startswith(icd10):
            return True
    return plain(concept.text) in {plain(text) for text in texts}


def plain(text: str) -> str:
    """Return a concept name without its semantic tag, case and spacing."""
    return " ".join(_TAG.sub("", text).casefold().split())


def _is_past(fact: Fact, at: ClinicalTime) -> bool:
    if "past" in fact.finding.flags:
        return True
    ended = elapsed(fact.period_end, at).minutes
    return ended is not None and ended.low is not None and ended.low >= 0


def _after(fact: Fact, at: ClinicalTime) -> bool:
    since = elapsed(fact.finding.time, at).minutes
    return since is not None and since.high is not None and since.high < 0
