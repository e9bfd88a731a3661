"""What the series says by itself: multiples of the limit, not elevated, myocardial injury.

A haemolysed sample of an assay that then reads falsely low is known from below only: it denies
nothing that needs a low value.
"""

from collections.abc import Iterable
from itertools import combinations

from knowledge.clinical_inputs import catalogue
from knowledge.evidence import Evidence, ReferenceEvidence, ToolEvidence
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import Interval, Text, format_number, measured
from knowledge.troponin import assays, pathways
from knowledge.troponin_rules import Wording
from tools.labs.troponin_case import TroponinCase
from tools.labs.troponin_category import any_of
from tools.labs.troponin_change import percent_change_exceeds
from tools.labs.troponin_clock import pair
from tools.labs.troponin_levels import STATEMENT
from tools.labs.troponin_levels import statement_concept as _statement
from tools.labs.troponin_samples import SeriesSample

_ACUTE = "acute_myocardial_injury"
_ABOVE_99TH = ("above_99th", "Latest troponin above the 99th percentile")
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
        value=measured(_at_least(case, first).scaled(1 / limit), "1"),
        time=first.time,
        method=f"{case.assay.label}: {format_number(limit)} ng/L, of both sexes together",
        evidence=_evidence(case, (first,), "troponin_times_limit", version),
    )
    flat = tuple(_not_elevated(case, name, key, version) for name, key in _NOT_ELEVATED)
    return (times, *flat, _injury(case, version), _above_99th(case, version))


def acute_injury(found: Iterable[Finding]) -> tuple[str, ...]:
    """Return what to read beside every algorithm where the series shows acute injury."""
    return tuple(str(f.value) for f in found if f.concept.has(STATEMENT, _ACUTE))


def no_findings(reason: NotAssessed) -> tuple[Finding, ...]:
    """Return the same findings as not assessed, with the reason."""
    names = ("troponin_times_limit", *(name for name, _ in _NOT_ELEVATED))
    concepts = [catalogue().concept(name) for name in names]
    concepts.append(_statement("myocardial_injury", "Myocardial injury"))
    concepts.append(_statement(*_ABOVE_99TH))
    return tuple(
        Finding(concept=concept, state=State.NOT_ASSESSED, not_assessed=reason)
        for concept in concepts
    )


def _not_elevated(case: TroponinCase, name: str, key: str, version: str) -> Finding:
    """Return whether neither of a pair is above the limit; any sample above it denies it."""
    concept = catalogue().concept(name)
    above = any_of(s.interval.compare("gt", case.limit_99) for s in case.series.samples)
    chosen = pair(case, key)
    reason = _not_denied(case, above, case.series.samples)
    if reason is None and not above and chosen.second is None:
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
    reason = _not_denied(case, above, samples)
    if reason is not None:
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


def _above_99th(case: TroponinCase, version: str) -> Finding:
    latest = case.series.samples[-1]
    above = latest.interval.compare("gt", case.limit_99)
    concept = _statement(*_ABOVE_99TH)
    evidence = _evidence(case, (latest,), _ABOVE_99TH[0], version)
    reason = _not_denied(case, above, (latest,))
    if reason is not None:
        return Finding(
            concept=concept, state=State.NOT_ASSESSED, not_assessed=reason, evidence=evidence
        )
    text = pathways().levels.above_99th.show(
        value_text=latest.shown, limit=format_number(case.limit_99)
    )
    return Finding(
        concept=concept,
        state=State.PRESENT if above else State.ABSENT,
        value=Text(text=text) if above else None,
        time=latest.time,
        method=case.assay.label,
        evidence=evidence,
    )


def _not_denied(
    case: TroponinCase, above: bool | None, samples: Iterable[SeriesSample]
) -> NotAssessed | None:
    """Return why it cannot be said that these samples are not above the limit, if so."""
    if above:
        return None
    if above is None and any(sample.results for sample in samples):
        detail = "two results for one time lie on both sides of the limit"
        return NotAssessed(why=Why.CONFLICTING, detail=detail)
    if above is None:
        detail = "a censored result lies on both sides of the limit"
        return NotAssessed(why=Why.CENSORED, detail=detail)
    if case.series.set_aside:
        return NotAssessed(why=Why.DEPENDS, detail="a sample of the series could not be used")
    if any(case.reads_low(sample) for sample in samples):
        detail = "a sample is haemolysed, and this assay then reads falsely low"
        return NotAssessed(why=Why.QUALITY, detail=detail)
    return None


def _at_least(case: TroponinCase, sample: SeriesSample) -> Interval:
    """Return the possible concentrations, without an upper end where the assay reads low."""
    if not case.reads_low(sample):
        return sample.interval
    return Interval(low=sample.interval.low, low_closed=sample.interval.low_closed)


def _kind_of_injury(case: TroponinCase) -> tuple[str, Wording]:
    """Return acute where any change is significant, chronic where all are above and none is."""
    rule, samples = pathways().injury, case.series.samples
    pairs = combinations([s.interval for s in samples], 2)
    moved = any_of(_significant(case, earlier, later) for earlier, later in pairs)
    if moved:
        return _ACUTE, rule.acute
    if len(samples) == 1:
        return "myocardial_injury", rule.open
    if moved is False and all(s.interval.compare("gt", case.limit_99) for s in samples):
        return "chronic_myocardial_injury", rule.chronic
    return "myocardial_injury", rule.unclear


def _significant(case: TroponinCase, earlier: Interval, later: Interval) -> bool | None:
    """Return whether a change is significant; one where neither value is raised is not."""
    rule, limit = pathways().injury, case.limit_99
    before, after = earlier.compare("gt", limit), later.compare("gt", limit)
    if before:
        return percent_change_exceeds(earlier, later, rule.change_percent_of_first.value)
    if before is False and after is False:
        return False
    change = earlier.absolute_difference(later)
    by_limit = change.compare("gt", limit * rule.change_percent_of_limit.value / 100)
    across = assays().rule_in_change(case.assay_id, rule.rise_of)
    moved = any_of((by_limit, False if across is None else change.compare("ge", across)))
    sure = before is False and after is True
    return moved if sure or moved is False else None


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
