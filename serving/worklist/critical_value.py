"""Results at a critical limit, each worse one once; the site's limits come first."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.critical_words import NO_VALUE, collected
from agent.laboratory.model import LaboratoryReport, LaboratoryResult
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.critical_results import critical_results
from knowledge.evidence import DicomEvidence, Evidence, FhirEvidence, describe
from knowledge.laboratory_tests import FILE, laboratory_tests
from knowledge.quantity import Interval, format_number
from knowledge.reference import Citation
from knowledge.shown import value_shown
from serving.storage.base import canonical
from serving.worklist.model import Critical
from tools.labs.interval_model import CriticalLimit, Flag

Side = Literal["low", "high"]

_HOUR = 60.0
_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class Value:
    """A result that is, or may be, critical.

    Args:
        test: Key of the analyte or worded test.
        name: To show.
        shown: The value with its unit.
        time: When it was collected.
        evidence: Where it comes from.
    """

    test: str
    name: str
    shown: str
    time: ClinicalTime | None
    evidence: tuple[Evidence, ...]


def critical_values(
    report: LaboratoryReport, at: ClinicalTime, *, time_zone: str | None = None
) -> Iterator[Critical]:
    """Yield the results that are, or may be, critical and worse than the one of the test before.

    One whose test has a newer result that is not critical says so, with both times of collection.

    Args:
        report: The laboratory's part of an assessment.
        at: The moment it is for; what is older than the table's window somebody has known.
        time_zone: IANA zone for times in the wording.
    """
    worst: dict[tuple[str, Side], float] = {}
    for result in _oldest_first(report, at):
        for found in _of_result(result, worst):
            past = _past(report, result, time_zone)
            yield found.model_copy(update={"words": found.words + past}) if past else found


def _of_result(
    result: LaboratoryResult, worst: dict[tuple[str, Side], float]
) -> Iterator[Critical]:
    test = result.test or result.name
    if result.flag.flag is Flag.CRITICAL_ABNORMAL or result.may_be_critical:
        yield _worded(test, result)
    elif result.marked_critical and not result.flag.critical:
        yield _marked(test, result)
    reached: dict[Side, CriticalLimit] = {}
    for limit in result.flag.critical:
        reached.setdefault(limit.side, limit)
    if result.quantity is None:
        return
    sides: tuple[Side, ...] = ("low", "high")
    for side in sides:
        yield from _worse(test, result, result.quantity.interval, side, reached, worst)


def _past(report: LaboratoryReport, result: LaboratoryResult, zone: str | None) -> str:
    """Return, to follow its words, that a newer result is not critical; empty where none is so."""
    newer = report.newer(result)
    if newer is None or newer.critical:
        return ""
    value = value_shown(newer.value) if newer.value else NO_VALUE
    return f" ({collected(result.time, value, newer.time, zone)})"


def _worse(
    test: str,
    result: LaboratoryResult,
    interval: Interval,
    side: Side,
    reached: dict[Side, CriticalLimit],
    worst: dict[tuple[str, Side], float],
) -> Iterator[Critical]:
    limit = reached.get(side)
    if limit is None:
        worst.pop((test, side), None)
        return
    badness = badness_of(side, interval)
    if (test, side) in worst and badness <= worst[test, side]:
        return
    worst[test, side] = badness
    yield critical_value(
        _value(test, result), side, limit.limit, limit.citation, certain=limit.certain
    )


def _oldest_first(report: LaboratoryReport, at: ClinicalTime) -> list[LaboratoryResult]:
    """Return the results that are news; one whose age cannot be told may be, and comes first."""
    latest = critical_results().window.hours * _HOUR
    found = []
    for result in report.results:
        age = elapsed(result.time, at).minutes
        if result.not_assessed is None and (age is None or age.low is None or age.low <= latest):
            found.append(result)
    return sorted(found, key=lambda r: ("", "") if r.time is None else _order(r.time))


def _order(time: ClinicalTime) -> tuple[str, str]:
    at, clock = time.sort_key
    return at.isoformat(), clock


def critical_value(
    value: Value, side: Side, limit: float, citation: Citation, *, certain: bool
) -> Critical:
    """Return a value at, beyond, or possibly at a critical limit.

    Args:
        value: The result.
        side: Of the limit.
        limit: In the analyte's unit; it is critical itself.
        citation: Where the limit comes from.
        certain: Whether every possible value is critical.
    """
    relation = "at or below" if side == "low" else "at or above"
    verb = "is" if certain else "may be"
    words = f"{value.name} {value.shown} {verb} {relation} {format_number(limit)}"
    return _critical(value, side, words, certain=certain, citation=citation)


def _worded(test: str, result: LaboratoryResult) -> Critical:
    value = _value(test, result)
    table = laboratory_tests()
    row = table.worded.get(test)
    cited = None if row is None else table.cite(FILE, row.source, row.review)
    urgent = (
        "not understood as normal: it may have to be known at once"
        if result.may_be_critical
        else "a result to be known at once"
    )
    words = f"{value.name}: {value.shown}, {urgent}"
    return _critical(value, "abnormal", words, certain=not result.may_be_critical, citation=cited)


def _marked(test: str, result: LaboratoryResult) -> Critical:
    """Return a result that the laboratory itself marks as critical; our table has no limit."""
    value = _value(test, result)
    words = f"{value.name} {value.shown} is marked critical by the laboratory"
    found = _critical(value, "marked", words, certain=True, citation=None)
    return found.model_copy(update={"citation": "the laboratory's own flag"})


def _critical(
    value: Value, side: str, words: str, *, certain: bool, citation: Citation | None
) -> Critical:
    return Critical(
        key=_key_of_value(value, side),
        kind="value",
        subject=f"value:{value.test}:{side}",
        words=words,
        value=value.shown,
        certain=certain,
        time=value.time,
        evidence=value.evidence,
        citation="" if citation is None else citation.label,
        review="" if citation is None else citation.review,
    )


def _value(test: str, result: LaboratoryResult) -> Value:
    return Value(
        test=test,
        name=result.name,
        shown=result.value,
        time=result.time,
        evidence=result.evidence,
    )


def _key_of_value(value: Value, side: str) -> str:
    when = "" if value.time is None else value.time.model_dump_json()
    return key_of("value", value.test, side, value.shown, when, *places(value.evidence))


def badness_of(side: Side, value: Interval) -> float:
    """Return a number that is greater the worse a value is; of an interval its worst known end."""
    ends = [end for end in (value.low, value.high) if end is not None]
    return -min(ends) if side == "low" else max(ends)


def places(evidence: Sequence[Evidence]) -> list[str]:
    """Return where results stand: a FHIR resource is itself in whatever file it comes."""
    found = []
    for one in evidence:
        if isinstance(one, FhirEvidence):
            found.append(f"{one.resource} {one.path}")
        elif isinstance(one, DicomEvidence):
            found.append(f"{one.sop_instance_uid} {one.lead}")
        else:
            found.append(describe(one))
    return found


def key_of(*parts: str) -> str:
    """Return the key of a result that must be known: the same for the same parts."""
    return "r-" + hashlib.sha256(canonical(list(parts))).hexdigest()[:_LENGTH]
