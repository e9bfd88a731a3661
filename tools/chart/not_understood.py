"""Chart items that no table matches: counted, and the important ones kept in sight.

A troponin charted under a local code is not "no troponin". It is not guessed into a rule either: it
is listed by name, and no case is called low before a person has read it. So is a measurement or a
condition that has a code and no words at all.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from knowledge.analytes import analytes
from knowledge.chart_items import ChartItemTable, Term, chart_item_table
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE, ICD10, ICD10CM, LOINC, in_short
from knowledge.evidence import FhirEvidence
from knowledge.finding import Finding, State, Why
from knowledge.plain_text import quotation
from knowledge.quantity import Text
from knowledge.timeline import AWAITED, NOT_SENT, Category, Fact, Timeline
from tools.chart.from_chart import plain
from tools.chart.from_statements import is_settled
from tools.chart.review import REVIEWED, mark_of, review
from tools.chart.unread_notes import UNREAD_NOTE, unread_notes

_MEASURED = (Category.LABORATORY, Category.VITAL_SIGN, Category.OBSERVATION)
_DIAGNOSES = (Category.CONDITION, Category.PROCEDURE)
_UNUSABLE = frozenset(
    {Why.UNIT_NOT_RECOGNISED, Why.VALUE_IMPOSSIBLE, Why.UNREADABLE, Why.CONFLICTING}
)
_HOUR = 60.0
_NAME = 60
"""Characters of a name or value of another system that are shown."""
_NUMBER = re.compile(
    r"[<>≤≥=~ ]*[-+]?[\d.,]+(?: to [\d.,]+)?(?: ?[A-Za-z0-9%/µμ°.*{}\[\]^]{1,16})?"
)
_SAME_MINUTES = 1.0
"""How far apart a typed result and the item it stands for may be: written to the minute."""


@dataclass(frozen=True, kw_only=True)
class NotUnderstood:
    """What no table matches.

    Args:
        critical: Important items that nothing has settled, oldest first.
        settled: Important items that an explicit answer, a typed result or a review has settled.
        counts: File to the number of items that no table matches.
        mark: Of the list of critical items that a person may settle by having read it; empty where
            there is none.
        need_result: Whether a critical item is settled by nothing but a typed result.
    """

    critical: tuple[Finding, ...] = ()
    settled: tuple[Finding, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    mark: str = ""
    need_result: bool = False


@dataclass(frozen=True, kw_only=True)
class _Item:
    """An important item, and the words that make it so."""

    finding: Finding
    terms: tuple[Term, ...]

    @property
    def analytes(self) -> frozenset[str]:
        """Analytes of which a typed result is needed."""
        return frozenset(key for term in self.terms for key in term.settled_by_result)


def not_understood(timeline: Timeline, *, at: ClinicalTime) -> NotUnderstood:
    """Return the chart items that no table matches.

    Args:
        timeline: The patient's facts.
        at: The moment of assessment: an old observation is of another presentation.
    """
    table = chart_item_table()
    counts: Counter[str] = Counter()
    items: list[_Item] = []
    for fact in timeline.facts:
        matched = _is_matched(fact)
        if not matched:
            counts.update({_file(fact.finding): 1})
        terms = _terms(fact, table, matched=matched, at=at)
        if terms is not None:
            items.append(_Item(finding=fact.finding, terms=terms))
    items += [_Item(finding=f, terms=t) for f, t in unread_notes(timeline, table, at=at)]
    counts.pop("", None)
    answered, stated = frozenset(_answered(timeline)), frozenset(_stated(timeline))
    left = [i for i in items if not _by_answers(i, answered, stated)]
    left = [i for i in left if not _by_result(i, timeline) and not _is_overtaken(i, timeline)]
    held = {id(i) for i in left if _needs_result(i, timeline)}
    mark = mark_of(i.finding for i in left if id(i) not in held)
    read = review(timeline, at=at)
    left = [i for i in left if id(i) in held or not read.covers(i.finding.time, mark=mark)]
    open_now = {id(i) for i in left}
    return NotUnderstood(
        critical=tuple(i.finding for i in left),
        settled=tuple(i.finding for i in items if id(i) not in open_now),
        counts=counts,
        mark=mark if open_now - held else "",
        need_result=bool(held),
    )


def _by_answers(item: _Item, answered: frozenset[str], stated: frozenset[str]) -> bool:
    """Return whether each thing an item names is answered; a note is not settled by that."""
    if not item.terms or UNREAD_NOTE in item.finding.flags:
        return False
    return all(
        set(term.settled_by) & (stated if term.settled_by_facts else answered)
        for term in item.terms
    )


def _by_result(item: _Item, timeline: Timeline) -> bool:
    """Return whether a result was typed in for the time of an item."""
    times = _typed(item, timeline)
    note = UNREAD_NOTE in item.finding.flags
    return not note and any(_same_moment(time, item.finding.time) for time in times)


def _is_overtaken(item: _Item, timeline: Timeline) -> bool:
    """Return whether a result of the same analyte makes one that is not there yet of no concern.

    A report without a result is of a sample whose result may stand alone; an announced result is
    another than any of the same time, and only a later sample tells more than it.
    """
    if AWAITED not in item.finding.flags or not item.analytes or item.finding.time is None:
        return False
    place = item.finding.evidence[0]
    is_report = isinstance(place, FhirEvidence) and place.resource.startswith("DiagnosticReport")
    least = -_SAME_MINUTES if is_report else _SAME_MINUTES
    later = (
        elapsed(item.finding.time, fact.finding.time).minutes
        for fact in timeline.with_code(ANALYTE, *item.analytes)
        if fact.finding.state is State.PRESENT
    )
    return any(one is not None and one.low is not None and one.low >= least for one in later)


def _needs_result(item: _Item, timeline: Timeline) -> bool:
    """Return whether nothing but a typed result settles an item.

    A note that names a troponin is read by a person who has typed in a result, of whatever time.
    """
    if not item.analytes:
        return False
    return UNREAD_NOTE not in item.finding.flags or not _typed(item, timeline)


def _typed(item: _Item, timeline: Timeline) -> list[ClinicalTime | None]:
    """Return the times of the results typed in for the analytes of an item."""
    return [
        fact.finding.time
        for fact in (timeline.with_code(ANALYTE, *item.analytes) if item.analytes else ())
        if "hand-entered" in fact.finding.flags and fact.finding.state is State.PRESENT
    ]


def _same_moment(a: ClinicalTime | None, b: ClinicalTime | None) -> bool:
    minutes = elapsed(a, b).minutes if a is not None and b is not None else None
    if minutes is None or minutes.low is None or minutes.high is None:
        return False
    return minutes.low >= -_SAME_MINUTES and minutes.high <= _SAME_MINUTES


def in_words(finding: Finding, time_zone: str | None) -> str:
    """Return an item by its name, with its value and time."""
    said = f" {_printed(str(finding.value))}" if finding.value is not None else ""
    if not said and finding.reported:
        said = f" {_printed(finding.reported)}"
    if finding.not_assessed is not None:
        said += f" ({finding.not_assessed.detail})"
    when = f", {finding.time.show(time_zone)}" if finding.time is not None else ""
    return f"{name(finding)}{':' if said else ''}{said[:160]}{when}"


def name(finding: Finding) -> str:
    """Return what a finding is about: the analyte's name where the code tells it."""
    keys = (c.code for c in finding.concept.codings if c.system == ANALYTE)
    known = next((analytes().analytes[key].label for key in keys), None)
    if known is not None:
        return known
    return (
        f"code {in_short(finding.concept.codings[0])}"
        if _unnamed(finding)
        else quotation(finding.concept.text, limit=_NAME)
    )


def _printed(value: str) -> str:
    """Return a value as its source printed it: a number with its unit, else a quotation."""
    return value if _NUMBER.fullmatch(value) else quotation(value, limit=_NAME)


def _unnamed(finding: Finding) -> bool:
    """Return whether a finding has codes and no words: its text is one of the codes."""
    return finding.concept.text in {c.code for c in finding.concept.codings}


def _answered(timeline: Timeline) -> Iterator[str]:
    """Yield the inputs that a person has answered explicitly."""
    for fact in timeline.in_category(Category.STATED):
        if is_settled(fact.finding) and fact.finding.state is not State.NOT_ASSESSED:
            yield from (c.code for c in fact.finding.concept.codings if c.code != REVIEWED)


def _stated(timeline: Timeline) -> Iterator[str]:
    """Yield the inputs about which a person has stated anything."""
    for fact in timeline.in_category(Category.STATED):
        if fact.finding.state is not State.NOT_ASSESSED:
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
    if NOT_SENT in finding.flags or AWAITED in finding.flags:
        return _not_there(fact, table, at=at)
    if matched and not _is_lost(fact):
        return None
    if not _recent(fact, at, _window(fact, table)) or table.is_of_relatives(finding.concept):
        return None
    if not matched and _unnamed(finding) and _is_hidden(fact, table):
        return ()
    return _left_open(fact, table) or None


def _not_there(fact: Fact, table: ChartItemTable, *, at: ClinicalTime) -> tuple[Term, ...] | None:
    """Return the terms of a result that the chart speaks of and does not hold.

    One that was reported and not sent may be anything. One that is not there yet matters where it
    is a cardiac marker.
    """
    if not _recent(fact, at, table.windows.observation_hours):
        return None
    terms = _left_open(fact, table)
    if NOT_SENT in fact.finding.flags:
        return terms
    return tuple(term for term in terms if term.settled_by_result) or None


def _is_hidden(fact: Fact, table: ChartItemTable) -> bool:
    """Return whether a code without words may hide something important."""
    if fact.category in _MEASURED:
        return True
    if fact.category not in _DIAGNOSES:
        return False
    codings = fact.finding.concept.codings
    icd10 = [c.code for c in codings if c.system in (ICD10, ICD10CM)]
    return not icd10 or any(c.startswith(table.unnamed_codes.icd10) for c in icd10)


def _left_open(fact: Fact, table: ChartItemTable) -> tuple[Term, ...]:
    """Return the terms an item names without denying them.

    The name of a report says what was examined: what its text denies does not count there either.
    """
    value = fact.finding.value
    if fact.category is Category.REPORT and isinstance(value, Text):
        said = table.terms_left_open(value.text)
        denied = tuple(t for t in table.terms_in(value.text) if t not in said)
        named = table.terms_left_open(fact.finding.concept.text)
        return (*said, *(t for t in named if t not in denied and t not in said))
    return table.terms_left_open(_text(fact))


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
        reason = fact.finding.not_assessed
        if reason is not None and reason.why is Why.MISSING:
            return True
        return any(c.system == LOINC and c.code in _read() for c in concept.codings)
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
    """Return the LOINC codes of every observation that answers an input, or tells of oxygen."""
    rules = (e.observation for e in catalogue().inputs.values() if e.observation is not None)
    oxygen = chart_item_table().oxygen_supply
    supply = (*oxygen.flow_loinc, *oxygen.fraction_loinc)
    return frozenset((*(code for rule in rules for code in rule.loinc), *supply))


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
    return f"{name(fact.finding)}. {fact.finding.concept.text}. {said}"


def _file(finding: Finding) -> str:
    return next((e.file for e in finding.evidence if isinstance(e, FhirEvidence)), "")
