"""Chart items that no table matches: counted, and the important ones kept in sight.

A troponin charted under a local code is not "no troponin". It is not guessed into a rule either: it
is listed by name, and no case is called low before a person has read it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from knowledge.analytes import analytes
from knowledge.chart_items import ChartItemTable, Term, chart_item_table
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE, ICD10, ICD10CM, LOINC
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding, State, Why
from knowledge.quantity import Text
from knowledge.timeline import Category, Fact, Timeline
from tools.chart.from_chart import plain
from tools.chart.from_statements import is_settled

_MEASURED = (Category.LABORATORY, Category.VITAL_SIGN, Category.OBSERVATION)
_DIAGNOSES = (Category.CONDITION, Category.PROCEDURE)
_UNUSABLE = frozenset(
    {Why.UNIT_NOT_RECOGNISED, Why.VALUE_IMPOSSIBLE, Why.UNREADABLE, Why.CONFLICTING}
)
_HOUR = 60.0
_PANELS = frozenset({"85354-9", "8716-3", "96607-7", "35094-2"})
"""LOINC codes of panels whose values stand in their components (vital signs, blood pressure)."""


@dataclass(frozen=True, kw_only=True)
class NotUnderstood:
    """What no table matches.

    Args:
        critical: Important items that nothing has settled, oldest first.
        settled: Important items that an explicit answer has settled.
        counts: File to the number of items that no table matches.
    """

    critical: tuple[Finding, ...] = ()
    settled: tuple[Finding, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)


def not_understood(timeline: Timeline, *, at: ClinicalTime) -> NotUnderstood:
    """Return the chart items that no table matches.

    Args:
        timeline: The patient's facts.
        at: The moment of assessment: an old observation is of another presentation.
    """
    table = chart_item_table()
    answered = frozenset(_answered(timeline))
    critical: list[Finding] = []
    settled: list[Finding] = []
    counts: Counter[str] = Counter()
    for fact in timeline.facts:
        matched = _is_matched(fact)
        if not matched:
            counts.update({_file(fact.finding): 1})
        terms = _terms(fact, table, matched=matched, at=at)
        if terms is None:
            continue
        if terms and all(answered & set(term.settled_by) for term in terms):
            settled.append(fact.finding)
        else:
            critical.append(fact.finding)
    counts.pop("", None)
    return NotUnderstood(critical=tuple(critical), settled=tuple(settled), counts=counts)


def in_words(finding: Finding, time_zone: str | None) -> str:
    """Return an item by its name, with its value and time."""
    said = f" {finding.value}" if finding.value is not None else ""
    if not said and finding.reported:
        said = f" {finding.reported}"
    if finding.not_assessed is not None:
        said += f" ({finding.not_assessed.detail})"
    when = f", {finding.time.show(time_zone)}" if finding.time is not None else ""
    return f"{name(finding)}{':' if said else ''}{said[:160]}{when}"


def name(finding: Finding) -> str:
    """Return what a finding is about: the analyte's name where the code tells it."""
    keys = (c.code for c in finding.concept.codings if c.system == ANALYTE)
    return next((analytes().analytes[key].label for key in keys), finding.concept.text)


def _answered(timeline: Timeline) -> Iterator[str]:
    """Yield the inputs that a person has answered explicitly."""
    for fact in timeline.in_category(Category.STATED):
        if is_settled(fact.finding) and fact.finding.state is not State.NOT_ASSESSED:
            yield from (coding.code for coding in fact.finding.concept.codings)


def _terms(
    fact: Fact, table: ChartItemTable, *, matched: bool, at: ClinicalTime
) -> tuple[Term, ...] | None:
    """Return the terms that make an item important; None where it is not."""
    finding = fact.finding
    if finding.state is State.ABSENT or _is_later(fact, at):
        return None
    if fact.category in _DIAGNOSES:
        acute = table.is_acute(finding.concept) and "past" not in finding.flags
        if acute and _recent(fact, at, table.windows.acute_code_hours):
            return ()
    if matched and not _is_lost(fact):
        return None
    if not _recent(fact, at, _window(fact, table)):
        return None
    return table.terms_in(_text(fact)) or None


def _is_lost(fact: Fact) -> bool:
    """Return whether a measurement is known by its code, but its value cannot be used."""
    reason = fact.finding.not_assessed
    return fact.category in _MEASURED and reason is not None and reason.why in _UNUSABLE


def _is_matched(fact: Fact) -> bool:
    """Return whether some table knows the item, or there is nothing in it to know."""
    concept = fact.finding.concept
    if fact.category in _MEASURED:
        if any(c.system == ANALYTE for c in concept.codings):
            return True
        if any(
            c.system == LOINC and (c.code in _PANELS or c.code in _read()) for c in concept.codings
        ):
            return True
        reason = fact.finding.not_assessed
        return reason is not None and reason.why is Why.MISSING
    if fact.category in _DIAGNOSES:
        codes, texts = _diagnoses()
        return plain(concept.text) in texts or any(
            c.system in (ICD10, ICD10CM) and c.code.startswith(codes) for c in concept.codings
        )
    if fact.category is Category.REPORT:
        return not isinstance(fact.finding.value, Text)
    return fact.category is not Category.MEDICATION


@cache
def _read() -> frozenset[str]:
    """Return the LOINC codes of every observation that answers an input."""
    rules = (e.observation for e in catalogue().inputs.values() if e.observation is not None)
    return frozenset(code for rule in rules for code in rule.loinc)


@cache
def _diagnoses() -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the ICD-10 prefixes and the names of every condition that answers an input."""
    rules = [e.condition for e in catalogue().inputs.values() if e.condition is not None]
    codes = tuple(code for rule in rules for code in rule.icd10)
    return codes, frozenset(plain(text) for rule in rules for text in rule.names)


def _window(fact: Fact, table: ChartItemTable) -> float | None:
    if fact.category in _MEASURED:
        return table.windows.observation_hours
    if fact.category is Category.REPORT:
        return table.windows.report_hours
    return table.windows.medication_hours if fact.category is Category.MEDICATION else None


def _recent(fact: Fact, at: ClinicalTime, limit_hours: float | None) -> bool:
    since = elapsed(fact.finding.time, at).minutes
    if limit_hours is None or since is None or since.low is None:
        return True
    return since.low <= limit_hours * _HOUR


def _is_later(fact: Fact, at: ClinicalTime) -> bool:
    since = elapsed(fact.finding.time, at).minutes
    return since is not None and since.high is not None and since.high < 0


def _text(fact: Fact) -> str:
    value = fact.finding.value
    said = value.text if isinstance(value, Text) else ""
    return f"{name(fact.finding)} {fact.finding.concept.text} {said}"


def _file(finding: Finding) -> str:
    return next((e.file for e in finding.evidence if isinstance(e, FhirEvidence)), "")
