"""Results the chart itself speaks of and does not hold: announced, or named and not sent.

Without these, a newer troponin that nobody has read would look like one that nobody has taken. Each
becomes an item of the timeline that is not assessed, under its name and without the analyte's key:
no rule takes it for a sample, and no case is called low while it is open.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import ValidationError

from knowledge.analytes import analytes
from knowledge.chart_items import chart_item_table
from knowledge.clinical_time import ClinicalTime
from knowledge.codes import ANALYTE, Concept
from knowledge.finding import NotAssessed, State, Why
from knowledge.timeline import AWAITED, NOT_SENT, Category, Fact
from tools.intake.fhir.build import fact
from tools.intake.fhir.bundle import Entry, contained
from tools.intake.fhir.coded import coded
from tools.intake.fhir.resources import Announced
from tools.intake.fhir.source import Source, validated

_PENDING = "it was announced, and there is no result yet"
_DANGLING = "it was reported, and is not in the data that were sent"
_NO_RESULT = "the report names no result, and holds none"
_NOT_YET = frozenset({"registered", "partial", "preliminary"})
_LONGEST = 200


def facts_awaited(source: Source) -> Iterator[Fact]:
    """Yield what is open of an Observation or DiagnosticReport: each result that is not there."""
    resource = validated(source.entry, Announced, source.problems)
    if resource is None:
        return
    kind = source.entry.type
    path, listed = (
        ("result", resource.result)
        if kind == "DiagnosticReport"
        else ("hasMember", resource.hasMember)
    )
    missing = [
        (index, one)
        for index, one in enumerate(listed)
        if not source.lookup.holds(one, source.entry)
    ]
    said: set[str] = set()
    for index, one in missing:
        display = (one.display or "").strip()[:_LONGEST]
        if display not in said:
            said.add(display)
            place = f"{kind}.{path}[{index}]"
            yield from _item(source, resource, NOT_SENT, _DANGLING, place, display)
    if not listed:
        yield from _without_result(source, resource)


def _without_result(source: Source, resource: Announced) -> Iterator[Fact]:
    """Yield a result that is announced alone, or a report that holds nothing."""
    kind = source.entry.type
    if kind == "Observation":
        if resource.status == "registered":
            yield from _item(source, resource, AWAITED, _PENDING, "Observation.status", "")
        return
    if (resource.conclusion or "").strip() or resource.presentedForm or _contains(source.entry):
        return
    pending = resource.status in _NOT_YET
    for one in _item(
        source,
        resource,
        AWAITED,
        _PENDING if pending else _NO_RESULT,
        "DiagnosticReport.status",
        "",
    ):
        if pending or _names_a_marker(one.finding.concept.text):
            yield one


def _contains(entry: Entry) -> bool:
    """Return whether a report contains a result that it does not list."""
    return any(inner.type == "Observation" for inner in contained(entry))


def _names_a_marker(text: str) -> bool:
    """Return whether a report is of a cardiac marker: a number, which no other words stand for."""
    return any(term.settled_by_result for term in chart_item_table().terms_in(text))


def _item(
    source: Source, resource: Announced, flag: str, detail: str, path: str, display: str
) -> Iterator[Fact]:
    try:
        named = _named(source.entry, display)
    except ValidationError:
        source.problems.append(f"{source.entry.name}: code: not valid")
        return
    is_report = source.entry.type == "DiagnosticReport"
    yield fact(
        Category.REPORT if is_report else Category.LABORATORY,
        named,
        State.NOT_ASSESSED,
        place=source.evidence(path),
        not_assessed=NotAssessed(why=Why.MISSING, detail=detail),
        time=_when(source, resource),
        flags=(flag,),
    )


def _named(entry: Entry, display: str) -> Concept:
    """Return what is open, by its name; the analyte's where a code tells it."""
    code = coded({"code": entry.resource.get("code")}, None)
    known = analytes().analytes[code.analyte].label if code.analyte is not None else ""
    text = known or code.concept.text
    if display:
        return Concept(text=f"{display} ({text})")
    own = tuple(coding for coding in code.concept.codings if coding.system != ANALYTE)
    return Concept(text=text, codings=own)


def _when(source: Source, resource: Announced) -> ClinicalTime | None:
    """Return when it was collected, else the last time anything was heard of it."""
    start, _ = source.period(resource.effectivePeriod)
    if start is not None:
        return start
    meta: Any = source.entry.resource.get("meta")
    updated = meta.get("lastUpdated") if isinstance(meta, dict) else None
    stated = resource.effectiveDateTime or resource.effectiveInstant or resource.issued
    return source.time(stated or (updated if isinstance(updated, str) else None))
