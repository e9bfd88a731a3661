"""Two results of one analyte: whether they may be compared at all, and how they differ."""

from collections.abc import Iterator

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.codes import ANALYTE, LOINC
from knowledge.evidence import Evidence
from knowledge.finding import Finding, MethodKind, NotAssessed, Why
from knowledge.model import Frozen
from knowledge.quantity import Interval, Measured
from knowledge.result_sources import result_sources

__all__ = [
    "LabResult",
    "MethodKind",
    "is_not_comparable",
    "known_to_differ",
    "not_comparable",
    "only_not_stated",
    "percent_change",
    "result_of",
]

_NOT_COMPARABLE = "not comparable: "
_METHOD = "method (laboratory or point-of-care)"
_FROM_DDU = "converted-ddu-to-feu"
"""Flag of a D-dimer that was reported in DDU: the factor of two is not exact, assays differ."""


class LabResult(Frozen):
    """One result, with what decides whether another may be compared with it.

    Args:
        analyte: Key of the analyte table.
        value: In the canonical unit of the analyte.
        time: When the specimen was collected.
        method_kind: Laboratory or point of care; None where not stated.
        specimen: Serum, plasma, whole blood, ...; None where not stated.
        laboratory: Who measured; None where not stated.
        flags: Quality flags, for example ``haemolysed``, ``preliminary``.
        finding: Id of the finding.
        loinc: Codes of the test; empty where none is given.
        evidence: Where it comes from.
    """

    analyte: str
    value: Measured
    time: ClinicalTime | None = None
    method_kind: MethodKind | None = None
    specimen: str | None = None
    laboratory: str | None = None
    flags: tuple[str, ...] = ()
    finding: str = ""
    loinc: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def interval(self) -> Interval:
        """All possible values; an amount is not below zero."""
        found = self.value.interval
        return found if found.low is not None else found.model_copy(update={"low": 0.0})


def result_of(
    finding: Finding,
    *,
    method_kind: MethodKind | None,
    specimen: str | None,
    laboratory: str | None = None,
) -> LabResult | NotAssessed:
    """Return a finding as a result that can be compared, or why it cannot.

    Args:
        finding: A laboratory finding in canonical units.
        method_kind: What is stated of the method; None where nothing is.
        specimen: What is stated of the specimen; None where nothing is.
        laboratory: Who measured; None where not stated.
    """
    if finding.not_assessed is not None:
        return finding.not_assessed
    analyte = next((c.code for c in finding.concept.codings if c.system == ANALYTE), None)
    if analyte is None or finding.quantity is None:
        detail = f"{finding.concept.text} is no number of an analyte that is known"
        return NotAssessed(why=Why.MISSING, detail=detail)
    return LabResult(
        analyte=analyte,
        value=finding.quantity,
        time=finding.time,
        method_kind=method_kind,
        specimen=specimen,
        laboratory=laboratory,
        flags=finding.flags,
        finding=finding.id,
        loinc=tuple(c.code for c in finding.concept.codings if c.system == LOINC),
        evidence=finding.evidence,
    )


def not_comparable(earlier: LabResult, later: LabResult) -> NotAssessed | None:
    """Return why two results may not be compared, or None where they may.

    Point-of-care and laboratory methods are never mixed; what is not stated is not taken as equal.
    What is known to differ is told before what is not stated.
    """
    return known_to_differ(earlier, later) or next(_obstacles(earlier, later), None)


def known_to_differ(earlier: LabResult, later: LabResult) -> NotAssessed | None:
    """Return the first difference that is known; None where there is none, or it is not stated."""
    every = _obstacles(earlier, later)
    return next((reason for reason in every if reason.why is not Why.MISSING), None)


def only_not_stated(earlier: LabResult, later: LabResult) -> bool:
    """Return whether nothing but an unstated method or specimen stands between two results."""
    found = tuple(_obstacles(earlier, later))
    return bool(found) and all(reason.why is Why.MISSING for reason in found)


def _obstacles(earlier: LabResult, later: LabResult) -> Iterator[NotAssessed]:
    if earlier.analyte != later.analyte:
        yield _differ("results of two analytes")
    if earlier.value.unit != later.value.unit:
        yield _differ(f"results in two units, {earlier.value.unit} and {later.value.unit}")
    yield from _unlike_methods(earlier, later)
    yield from _unlike_specimens(earlier, later)
    yield from _unlike_codes(earlier, later)
    if (_FROM_DDU in earlier.flags) != (_FROM_DDU in later.flags):
        yield _differ("one result was reported in DDU, the other in FEU")
    if earlier.laboratory and later.laboratory and earlier.laboratory != later.laboratory:
        yield _differ("results of two laboratories")
    between = elapsed(earlier.time, later.time)
    if between.minutes is None:
        why = Why.TIME_NOT_GIVEN if "given" in (between.not_assessed or "") else None
        yield NotAssessed(
            why=why or Why.TIME_ZONE_UNKNOWN, detail=f"collection: {between.not_assessed}"
        )
    elif between.minutes.compare("gt", 0) is not True:
        yield _differ("the second result is not known to be collected after the first")


def _unlike_methods(earlier: LabResult, later: LabResult) -> Iterator[NotAssessed]:
    what, first, second = _METHOD, earlier.method_kind, later.method_kind
    if first is None or second is None:
        yield _not_stated(what)
    elif first.casefold() != second.casefold():
        yield _differ(f"results of two kinds of {what}: {first} and {second}")


def _unlike_specimens(earlier: LabResult, later: LabResult) -> Iterator[NotAssessed]:
    """Yield what stands between two specimens; a wider kind leaves open which one it was."""
    first, second = earlier.specimen, later.specimen
    if first is None or second is None:
        yield _not_stated("specimen")
        return
    one, other = first.casefold(), second.casefold()
    table = result_sources()
    if one == other:
        return
    if table.is_within(one, other) or table.is_within(other, one):
        yield _not_stated("exact specimen")
    else:
        yield _differ(f"results of two kinds of specimen: {first} and {second}")


def _unlike_codes(earlier: LabResult, later: LabResult) -> Iterator[NotAssessed]:
    """Yield what stands between two codes; one stated kind of method settles it."""
    alike = earlier.method_kind is not None and earlier.method_kind == later.method_kind
    if alike or not earlier.loinc or not later.loinc or set(earlier.loinc) & set(later.loinc):
        return
    table = result_sources().codes_of_one_test
    pairs = [(one, other) for one in earlier.loinc for other in later.loinc]
    if any(table.property.hold(one, other) for one, other in pairs):
        return
    if any(table.method_unnamed.hold(one, other) for one, other in pairs):
        yield _not_stated("method of the test")
    else:
        codes = f"{', '.join(earlier.loinc)} and {', '.join(later.loinc)}"
        yield _differ(f"results of two codes that are not known to be one test: {codes}")


def _not_stated(what: str) -> NotAssessed:
    return NotAssessed(why=Why.MISSING, detail=f"the {what} is not stated for both results")


def is_not_comparable(reason: NotAssessed) -> bool:
    """Return whether a reason is that two results are known to differ in how they were measured."""
    return reason.why is Why.OUTSIDE_CONTRACT and reason.detail.startswith(_NOT_COMPARABLE)


def _differ(detail: str) -> NotAssessed:
    return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=f"{_NOT_COMPARABLE}{detail}")


def percent_change(earlier: Interval, later: Interval) -> Interval | None:
    """Return all possible changes in per cent of the earlier result; None where it may be zero.

    Examples:
        >>> str(percent_change(Interval.exact(4), Interval.exact(5)))
        '25'
        >>> str(percent_change(Interval(low=0, high=5, high_closed=False), Interval.exact(100)))
        '>1900'
    """
    if earlier.high is None or earlier.high <= 0 or later.low is None:
        return None
    low = _percent(earlier.high, later.low)
    high = _percent(earlier.low, later.high) if earlier.low and later.high is not None else None
    return Interval(
        low=low,
        low_closed=earlier.high_closed and later.low_closed,
        high=high,
        high_closed=high is None or (earlier.low_closed and later.high_closed),
    )


def _percent(earlier: float, later: float) -> float:
    """Return the change in per cent, without the last bits a division leaves."""
    return round((later - earlier) / earlier * 100.0, 9)
