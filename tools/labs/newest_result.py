"""Which result of an analyte is the newest, and what is known where that cannot be told.

A result without a time may be the newest, and of two values of one minute none is taken: the newest
is then an interval over both, or not assessed with the reason, never one of them silently. A result
that a later version of it replaced is none of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose

from knowledge.clinical_time import elapsed
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.quantity import Interval, measured
from knowledge.timeline import SUPERSEDED
from tools.chart.same_time import DIFFER, reported, same_minute, two_forms
from tools.labs.chart_result import ChartResult

_REPLACED_BY = frozenset({"amended", "corrected"})
_PRINTED_DIGITS = 1e-5
"""Relative difference of a value and its print of six digits (`knowledge.quantity`)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Newest:
    """The newest result of an analyte.

    Args:
        finding: The result; one that spans or withholds the values where it is not known which.
        contenders: The results that may be the newest; one where that is known.
        why: Why it is not known which; None where it is.
    """

    finding: Finding
    contenders: tuple[ChartResult, ...]
    why: NotAssessed | None = None


def newest_result(held: Sequence[ChartResult]) -> Newest:
    """Return the newest of the results of one analyte or worded test.

    Args:
        held: At least one, oldest first; undated ones come first.
    """
    held = tuple(r for r in held if SUPERSEDED not in r.finding.flags) or held
    last = held[-1]
    undated = tuple(r for r in held if r.finding.time is None and r.usable)
    at_end = () if last.finding.time is None else _at_end(held)
    contenders = (*undated, *at_end)
    if len(contenders) < 2 or _agree(contenders):
        chosen = contenders[-1] if contenders else last
        return Newest(finding=chosen.finding, contenders=(chosen,))
    if undated:
        detail = (
            "a result without a collection time may be newer: which of "
            f"{len(contenders)} results is the newest is not known"
        )
        return _not_known(contenders, NotAssessed(why=Why.TIME_NOT_GIVEN, detail=detail))
    if not all(same_minute(r.finding, last.finding) for r in contenders):
        detail = f"the order in which {len(contenders)} results were collected is not known"
        return _not_known(contenders, NotAssessed(why=Why.CONFLICTING, detail=detail))
    if two_forms([r.finding for r in contenders]):
        forms = " and ".join(dict.fromkeys(reported(r.finding) for r in contenders))
        detail = f"two assays of one sample are not compared: {forms}"
        why = NotAssessed(why=Why.CONFLICTING, detail=detail)
        span = _span(contenders)
        if span is not None:
            return Newest(finding=span, contenders=contenders, why=why)
        return _not_known(contenders, why)
    values = " and ".join(dict.fromkeys(str(r.finding.value) for r in contenders))
    reason = NotAssessed(
        why=Why.CONFLICTING, detail=f"results of one collection time differ: {values}"
    )
    span = _span(contenders)
    if span is None:
        return _not_known(contenders, reason)
    return Newest(finding=span, contenders=contenders, why=reason)


def _at_end(held: Sequence[ChartResult]) -> tuple[ChartResult, ...]:
    """Return the dated results that are not known to be collected before the last one.

    Of one record only its correction counts; where one of them can be used, the others that cannot
    say nothing against it.
    """
    last = held[-1]
    found = [r for r in held if r.finding.time is not None and not _before(r, last)]
    usable = [r for r in found if r.usable]
    if not usable or not all(same_minute(r.finding, last.finding) for r in found):
        return tuple(found) if last.usable else (last,)
    return tuple(r for r in usable if not any(_corrects(other, r) for other in usable))


def _before(one: ChartResult, last: ChartResult) -> bool:
    if one is last:
        return False
    minutes = elapsed(one.finding.time, last.finding.time).minutes
    return minutes is not None and minutes.compare("ge", 1) is True


def _corrects(one: ChartResult, other: ChartResult) -> bool:
    """Return whether one result is the corrected version of the other: the same record."""
    if one is other or _REPLACED_BY.isdisjoint(one.finding.flags):
        return False
    if not _REPLACED_BY.isdisjoint(other.finding.flags):
        return False
    return not _records(one).isdisjoint(_records(other))


def _records(result: ChartResult) -> frozenset[str]:
    return frozenset(e.resource for e in result.finding.evidence if e.kind == "fhir")


def _agree(results: Sequence[ChartResult]) -> bool:
    first = results[0]
    return all(_same(first, other) for other in results[1:])


def _same(one: ChartResult, other: ChartResult) -> bool:
    a, b = one.finding, other.finding
    if a.interval is None and b.interval is None and one.usable and other.usable:
        # organisms of one culture differ in words and are no conflict
        return one.flag.flag is other.flag.flag if one.flag.flag is not None else a.value == b.value
    if a.quantity is None or b.quantity is None or a.quantity.unit != b.quantity.unit:
        return False
    first, second = a.quantity.interval, b.quantity.interval
    pairs = ((first.low, second.low), (first.high, second.high))
    return all(
        x == y or (x is not None and y is not None and isclose(x, y, rel_tol=_PRINTED_DIGITS))
        for x, y in pairs
    )


def _span(results: Sequence[ChartResult]) -> Finding | None:
    """Return one finding over all values; None where they are no numbers of one unit."""
    found = [r.finding for r in results]
    quantities = [f.quantity for f in found if f.quantity is not None]
    units = {q.unit for q in quantities}
    if len(quantities) != len(found) or len(units) != 1:
        return None
    lows = [q.interval.low for q in quantities]
    highs = [q.interval.high for q in quantities]
    span = Interval(
        low=None if None in lows else min(low for low in lows if low is not None),
        high=None if None in highs else max(high for high in highs if high is not None),
    )
    if span.low is None and span.high is None:
        return None
    last = found[-1]
    alike = {
        name: getattr(last, name) if len({getattr(f, name) for f in found}) == 1 else None
        for name in ("method", "method_kind", "specimen", "body_site")
    }
    return last.model_copy(
        update={
            **alike,
            "value": measured(span, units.pop()),
            "reported": " and ".join(dict.fromkeys(f.reported or str(f.value) for f in found)),
            "flags": tuple(dict.fromkeys((*(x for f in found for x in f.flags), DIFFER))),
            "evidence": tuple(dict.fromkeys(e for f in found for e in f.evidence)),
        }
    )


def _not_known(results: Sequence[ChartResult], reason: NotAssessed) -> Newest:
    last = results[-1].finding
    found = Finding(
        concept=last.concept,
        state=State.NOT_ASSESSED,
        not_assessed=reason,
        evidence=tuple(dict.fromkeys(e for r in results for e in r.finding.evidence)),
    )
    return Newest(finding=found, contenders=tuple(results), why=reason)
