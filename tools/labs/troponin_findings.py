"""What the series says by itself: multiples of the limit, not elevated, myocardial injury."""

from collections.abc import Iterable

from knowledge.clinical_inputs import catalogue
from knowledge.codes import Coding, Concept
from knowledge.evidence import Evidence, ReferenceEvidence, ToolEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import Interval, Text, measured
from knowledge.troponin import pathways
from knowledge.troponin_rules import Wording
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_category import any_of
from tools.labs.troponin_change import percent_change_exceeds
from tools.labs.troponin_clock import pair
from tools.labs.troponin_samples import SeriesSample

STATEMENT = "urn:epicrisis:statement"
"""System of the statements about myocardial injury, which are not questions of the catalogue."""
_NOT_ELEVATED = (
    ("troponin_not_elevated_0_2h", "troponin_esc_0_2h"),
    ("troponin_not_elevated_0_3h", "troponin_esc_0_3h"),
)


def findings(case: TroponinCase, *, version: str) -> tuple[Finding, ...]:
    """Return the findings of a series of one assay."""
    limit = case.limit_99
    first = case.series.first
    times = Finding(
        concept=catalogue().concept("troponin_times_limit"),
        state=State.PRESENT,
        value=measured(first.interval.scaled(1 / limit), "1"),
        time=first.time,
        method=case.assay.label,
        evidence=_evidence(case, (first,), "troponin_times_limit", version),
    )
    flat = tuple(_not_elevated(case, name, key, version) for name, key in _NOT_ELEVATED)
    return (times, *flat, _injury(case, version))


def no_findings(reason: NotAssessed) -> tuple[Finding, ...]:
    """Return the same findings as not assessed, with the reason."""
    names = ("troponin_times_limit", *(name for name, _ in _NOT_ELEVATED))
    concepts = [catalogue().concept(name) for name in names]
    concepts.append(_statement("myocardial_injury", "Myocardial injury"))
    return tuple(
        Finding(concept=concept, state=State.NOT_ASSESSED, not_assessed=reason)
        for concept in concepts
    )


def _not_elevated(case: TroponinCase, name: str, key: str, version: str) -> Finding:
    """Return whether neither of a pair is above the limit; any sample above it denies it."""
    concept = catalogue().concept(name)
    above = any_of(s.interval.compare("gt", case.limit_99) for s in case.series.samples)
    chosen = pair(case, key)
    reason: NotAssessed | None = None
    if above is None:
        detail = "a censored result lies on both sides of the limit"
        reason = NotAssessed(why=Why.CENSORED, detail=detail)
    elif not above and case.series.set_aside:
        reason = NotAssessed(why=Why.DEPENDS, detail="a sample of the series could not be used")
    elif not above and chosen.second is None:
        detail = "the second sample is not in the case"
        reason = chosen.refused or NotAssessed(why=Why.MISSING, detail=detail)
    evidence = _evidence(case, case.series.samples, name, version)
    if reason is not None:
        return Finding(
            concept=concept, state=State.NOT_ASSESSED, not_assessed=reason, evidence=evidence
        )
    state = State.ABSENT if above else State.PRESENT
    return Finding(concept=concept, state=state, method=case.assay.label, evidence=evidence)


def _injury(case: TroponinCase, version: str) -> Finding:
    samples, limit = case.series.samples, case.limit_99
    above = any_of(s.interval.compare("gt", limit) for s in samples)
    name = "myocardial_injury"
    evidence = _evidence(case, samples, name, version)
    if above is None or (not above and case.series.set_aside):
        reason = NotAssessed(
            why=Why.CENSORED, detail="a censored result lies on both sides of the limit"
        )
        if above is not None:
            reason = NotAssessed(why=Why.DEPENDS, detail="a sample of the series could not be used")
        return Finding(
            concept=_statement(name, "Myocardial injury"),
            state=State.NOT_ASSESSED,
            not_assessed=reason,
            evidence=evidence,
        )
    if not above:
        return Finding(
            concept=_statement(name, "Myocardial injury"), state=State.ABSENT, evidence=evidence
        )
    code, wording = _kind_of_injury(case)
    return Finding(
        concept=_statement(code, code.replace("_", " ").capitalize()),
        state=State.PRESENT,
        value=Text(text=wording.show()),
        time=samples[-1].time,
        method=case.assay.label,
        evidence=(*evidence, ReferenceEvidence(table="troponin_pathways", row="injury")),
    )


def _kind_of_injury(case: TroponinCase) -> tuple[str, Wording]:
    """Return acute where any change is significant, chronic where all are above and none is."""
    rule, limit = pathways().injury, case.limit_99
    first = case.series.first.interval
    moved = any_of(_significant(first, s.interval, limit) for s in case.series.later)
    if moved:
        return "acute_myocardial_injury", rule.acute
    all_above = all(s.interval.compare("gt", limit) for s in case.series.samples)
    if moved is False and all_above and case.series.later:
        return "chronic_myocardial_injury", rule.chronic
    return "myocardial_injury", rule.open


def _significant(first: Interval, later: Interval, limit: float) -> bool | None:
    rule = pathways().injury
    first_above = first.compare("gt", limit)
    if first_above:
        return percent_change_exceeds(first, later, rule.change_percent_of_first.value)
    by_limit = limit * rule.change_percent_of_limit.value / 100
    moved = first.absolute_difference(later).compare("gt", by_limit)
    return moved if first_above is False else (None if moved is not False else False)


def _evidence(
    case: TroponinCase, samples: Iterable[SeriesSample], output: str, version: str
) -> tuple[Evidence, ...]:
    used = tuple(samples)
    return (
        *(e for s in used for e in s.evidence),
        ToolEvidence(
            tool="serial_troponin",
            version=version,
            output=output,
            inputs=tuple(f for s in used for f in s.finding),
        ),
        ReferenceEvidence(
            table="troponin_assays", row=f"assays.{case.assay_id}.percentile_99.overall"
        ),
    )


def _statement(code: str, text: str) -> Concept:
    return Concept(text=text, codings=(Coding(system=STATEMENT, code=code),))
