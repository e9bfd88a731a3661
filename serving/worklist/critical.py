"""Which results of an assessment a person must know at once, and which do not hold any more."""

from collections.abc import Iterable, Iterator, Sequence

from agent.assessment import Assessment, DifferentialEntry, Recommended, Status, Verdict
from agent.episode import TROPONIN
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE
from knowledge.critical_results import CriticalRange, Limit, critical_results
from knowledge.evidence import Evidence, FhirEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.pathways import Urgency
from knowledge.quantity import Interval
from knowledge.risk import NOT_DETERMINED, Risk
from serving.worklist.critical_value import (
    Side,
    Value,
    badness_of,
    critical_value,
    critical_values,
    key_of,
    places,
)
from serving.worklist.model import REMINDER, Critical, Rested

_FILE = "critical_results"
_OWN = "the pathway's own urgency"
_DIAGNOSIS = "diagnosis:"
_RULE = "rule:"
TAKEN_BACK = "taken back by its source"
"""Why a result does not hold any more that was withdrawn, cancelled or entered in error."""

_LENGTH = 32
_HOUR = 60.0
_NO_CATEGORY = frozenset({NOT_DETERMINED, "not assessed"})
_UNSEEN = frozenset({Status.REFUSED, Status.NOT_ASSESSABLE})


def critical(assessment: Assessment) -> tuple[Critical, ...]:
    """Return every result of an assessment that a person must know at once.

    Of several results of one analyte those count that are worse than the one before them: a
    value that stays critical is not raised again with every sample, one that recovered and fell
    again is.

    Args:
        assessment: Any version.
    """
    values = tuple(_values(assessment))
    return (*_immediate(assessment, values), *_rules(assessment), *values)


def not_judged(findings: Sequence[Finding], at: ClinicalTime) -> tuple[str, ...]:
    """Return the values of this presentation that cannot be compared with a limit, and why.

    Args:
        findings: Of an assessment.
        at: The moment it is for.
    """
    found = []
    for key in critical_results().values:
        for finding in _of(findings, at, key):
            reason = finding.not_assessed
            if reason is not None and reason.why not in (Why.RETRACTED, Why.MISSING):
                found.append(f"{finding.concept.text}: {reason.detail}")
    return tuple(dict.fromkeys(found))


def covers(known: Critical, new: Critical) -> bool:
    """Return whether who knows the one knows the other: the same, or nothing more to do."""
    if known.kind != new.kind:
        return False
    if known.kind == "rule":
        return _same_subject(known, new) and not replaced(known.rests_on, new.rests_on)
    if known.key == new.key:
        return True
    same = known.subject == new.subject
    return same and bool(known.parts) and set(new.parts) <= set(known.parts)


def no_longer(known: Critical, assessment: Assessment) -> str | None:
    """Return why a result does not hold any more; None where it does, or where nothing says so.

    An assessment that saw nothing supersedes nothing: not assessed is not resolved. That a source
    took a result back is told by its record, also where nothing else is left to assess.
    """
    if _is_taken_back(known, assessment):
        return TAKEN_BACK
    if assessment.status in _UNSEEN:
        return None
    match known.kind:
        case "value":
            return _value_gone(known, assessment)
        case "immediate":
            return _immediate_gone(known, assessment)
        case "rule":
            return _rule_gone(known, assessment)


def _is_taken_back(known: Critical, assessment: Assessment) -> bool:
    """Return whether the source took back what a critical result rests on.

    Of a rule one of its results is enough; of the others it is all of them.
    """
    if assessment.laboratory is None or assessment.status is Status.REFUSED:
        return False
    gone = set(_resources(one.evidence for one in assessment.laboratory.cancelled))
    gone -= set(_resources(one.evidence for one in assessment.findings))
    if known.kind == "rule":
        return any(one.place.partition(" ")[0] in gone for one in known.rests_on)
    own = [one.resource if isinstance(one, FhirEvidence) else "" for one in known.evidence]
    return bool(own) and gone.issuperset(own)


def _resources(evidence: Iterable[Sequence[Evidence]]) -> Iterator[str]:
    for several in evidence:
        for one in several:
            if isinstance(one, FhirEvidence):
                yield one.resource


def _immediate(assessment: Assessment, values: Sequence[Critical]) -> Iterator[Critical]:
    """Yield what the pathway calls immediate, as one: with the diagnoses it supports.

    An action that only says that a value is critical is left to the value. One that is immediate
    only because its time has passed is named where nothing else is: beside an instability it would
    raise that a second time.
    """
    if assessment.narrative.urgency is not Urgency.IMMEDIATE:
        return
    said = critical_results().said_by_values.recommendations if values else ()
    immediate = [r for r in assessment.recommendations if r.urgency is Urgency.IMMEDIATE]
    rows = [row for row in immediate if row.id not in said]
    if immediate and not rows:
        return
    supported = [e for e in assessment.differential if e.verdict is Verdict.SUPPORTED]
    undated = [row for row in rows if row.due is None]
    late = bool(rows) and not undated
    rows = undated or rows
    named = ", ".join(entry.diagnosis for entry in supported)
    parts = _parts(rows, () if late else supported)
    labels = {cited.id: cited.label for cited in assessment.citations}
    actions = " ".join(row.text for row in rows)
    yield Critical(
        key=key_of("immediate", *parts),
        kind="immediate",
        subject=REMINDER if late else "immediate",
        parts=parts,
        words=" ".join(
            part
            for part in (
                assessment.narrative.headline,
                named and f"Supported: {named}.",
                actions and f"Immediate: {actions}",
            )
            if part
        ),
        evidence=tuple(
            dict.fromkeys(
                e for entry in supported for reason in entry.supporting for e in reason.evidence
            )
        ),
        citation=labels[rows[0].citation] if rows else _OWN,
        review=rows[0].review if rows else "",
    )


def _parts(rows: Sequence[Recommended], supported: Sequence[DifferentialEntry]) -> tuple[str, ...]:
    diagnoses = [f"{_DIAGNOSIS}{entry.id}" for entry in supported]
    return (*sorted(row.id for row in rows), *sorted(diagnoses))


def _rules(assessment: Assessment) -> Iterator[Critical]:
    """Yield what the rules of one tool say of the same samples, as one; the first is the leading.

    Several algorithms read one troponin series: each that says "rule-in" of it is no new result.
    """
    table = critical_results()
    for tool, row in table.risks.items():
        found = [r for r in assessment.risks if r.tool == tool and r.category in row.categories]
        if not found:
            continue
        cited = table.cite(_FILE, row.source, row.review)
        names = tuple(risk.name for risk in found)
        first = found[0]
        others = f" Also {' and '.join(names[1:])}." if names[1:] else ""
        yield Critical(
            key=key_of("rule", tool, first.category),
            kind="rule",
            subject=f"{_RULE}{tool}",
            parts=names,
            rests_on=_rests_on(found, assessment),
            words=f"{first.name}: {first.statement or first.category}{others}",
            evidence=first.evidence,
            citation=cited.label,
            review=cited.review,
        )


def replaced(before: Sequence[Rested], now: Sequence[Rested]) -> str:
    """Return which result has another value under the same number than it had; empty if none."""
    values = {one.place: one.value for one in now}
    found = (
        f"{one.value} is now {values[one.place]}"
        for one in before
        if values.get(one.place, one.value) != one.value
    )
    return "; ".join(dict.fromkeys(found))


def _rests_on(risks: Sequence[Risk], assessment: Assessment) -> tuple[Rested, ...]:
    under = {place for risk in risks for place in places(risk.evidence)}
    return tuple(one for one in _troponins(assessment) if one.place in under)


def _troponins(assessment: Assessment) -> Iterator[Rested]:
    for finding in assessment.findings:
        if any(finding.concept.has(ANALYTE, key) for key in TROPONIN):
            for place in places(finding.evidence):
                yield Rested(place=place, value=_said(finding))


def _values(assessment: Assessment) -> Iterator[Critical]:
    """Yield the values at critical limits: by the laboratory's part, which knows the site's.

    An assessment of before there was that part is judged by the packaged limits.
    """
    if assessment.laboratory is not None:
        at = assessment.provenance.at
        yield from critical_values(assessment.laboratory, at, time_zone=assessment.time_zone)
        return
    for key, row in critical_results().values.items():
        worst: dict[Side, float] = {}
        for finding in _of(assessment.findings, assessment.provenance.at, key):
            if finding.state is State.PRESENT and finding.interval is not None:
                yield from _judged(key, row, finding, finding.interval, worst)


def _judged(
    key: str, row: CriticalRange, finding: Finding, value: Interval, worst: dict[Side, float]
) -> Iterator[Critical]:
    """Yield a value that is, or may be, critical and worse than the one before."""
    for side, limit in _sides(row):
        holds = value.compare("le" if side == "low" else "ge", limit.limit)
        if holds is False:
            worst.pop(side, None)
            continue
        badness = badness_of(side, value)
        if side in worst and badness <= worst[side]:
            continue
        worst[side] = badness
        yield _of_finding(key, side, limit, finding, certain=holds is True)


def _sides(row: CriticalRange) -> Iterator[tuple[Side, Limit]]:
    if row.low is not None:
        yield "low", row.low
    if row.high is not None:
        yield "high", row.high


def _of_finding(key: str, side: Side, limit: Limit, finding: Finding, *, certain: bool) -> Critical:
    return critical_value(
        Value(
            test=key,
            name=finding.concept.text,
            shown=str(finding.value),
            time=finding.time,
            evidence=finding.evidence,
        ),
        side,
        limit.limit,
        critical_results().cite(_FILE, limit.source, limit.review),
        certain=certain,
    )


def _of(findings: Sequence[Finding], at: ClinicalTime, analyte: str) -> Sequence[Finding]:
    """Return the results of an analyte that are news, oldest first; undated ones come first.

    One whose age cannot be told may be news, so it counts.
    """
    latest = critical_results().window.hours * _HOUR
    found = []
    for finding in findings:
        if finding.concept.has(ANALYTE, analyte):
            age = elapsed(finding.time, at).minutes
            if age is None or age.low is None or age.low <= latest:
                found.append(finding)
    return sorted(found, key=lambda f: ("", "") if f.time is None else _order(f))


def _order(finding: Finding) -> tuple[str, str]:
    if finding.time is None:
        return "", ""
    at, clock = finding.time.sort_key
    return at.isoformat(), clock


def _value_gone(known: Critical, assessment: Assessment) -> str | None:
    """Return what became of the result: another value under the same number, or gone."""
    known_places = set(places(known.evidence))
    analyte = known.subject.split(":")[1]
    now = [f for f in assessment.findings if known_places & set(places(f.evidence))]
    same = [f for f in now if f.concept.has(ANALYTE, analyte)]
    if not now:
        return "no longer in the case, or taken back by its source"
    if not same or any(str(f.value) == known.value for f in same):
        return None
    return f"corrected: {_said(same[0])}"


def _said(finding: Finding) -> str:
    reason: NotAssessed | None = finding.not_assessed
    return f"not assessed: {reason.detail}" if reason is not None else str(finding.value)


def _immediate_gone(known: Critical, assessment: Assessment) -> str | None:
    """Return that nothing is immediate any more, unless a diagnosis is only not assessed now."""
    urgency = assessment.narrative.urgency
    if urgency is Urgency.IMMEDIATE:
        return None
    verdicts = {f"{_DIAGNOSIS}{entry.id}": entry.verdict for entry in assessment.differential}
    unknown = [verdicts.get(part) for part in known.parts if part.startswith(_DIAGNOSIS)]
    return None if Verdict.NOT_ASSESSED in unknown else f"now {urgency.value}"


def _rule_gone(known: Critical, assessment: Assessment) -> str | None:
    """Return what became of the samples and the rules; a rule that is not assessed settles nothing.

    A result that was replaced is another one, whatever the rules now say of it.
    """
    risks = [r for r in assessment.risks if _about(known, r)]
    categories = dict.fromkeys(risk.category for risk in risks)
    other = replaced(known.rests_on, tuple(_troponins(assessment)))
    said = f"now {', '.join(categories)}" if categories else ""
    if other:
        return "; ".join(filter(None, (f"the result was replaced: {other}", said)))
    critical_now = [category for risk in risks for category in _critical_of(risk)]
    if not risks or critical_now or _NO_CATEGORY & set(categories):
        return None
    return said


def _about(known: Critical, risk: Risk) -> bool:
    named = not known.parts or risk.name in known.parts
    return known.subject in (f"{_RULE}{risk.tool}:{risk.name}", f"{_RULE}{risk.tool}") and named


def _same_subject(known: Critical, new: Critical) -> bool:
    return known.subject == new.subject or known.subject.startswith(f"{new.subject}:")


def _critical_of(risk: Risk) -> tuple[str, ...]:
    row = critical_results().risks.get(risk.tool)
    return () if row is None or risk.category not in row.categories else (risk.category,)
