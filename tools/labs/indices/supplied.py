"""From findings of a chart to the inputs of an index: units, times, upper limits."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from pydantic import PositiveFloat

from knowledge.analytes import Analyte, analytes, convert
from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.laboratory_indices import IndexInputRow
from knowledge.model import Frozen
from knowledge.quantity import Interval, Measured, Quantity, QuantityInterval
from tools.labs.indices.given import Given

_MINUTES_PER_HOUR = 60


class UpperLimit(Frozen):
    """An upper limit of normal, and whose it is.

    Args:
        value: In the unit of the input it is for.
        origin: The reporting laboratory's own, or that of a fallback table.
    """

    value: PositiveFloat
    origin: Literal["reporting laboratory", "fallback table"]


Supplied = Finding | Quantity | QuantityInterval | UpperLimit | NotAssessed | None
"""What may be given for a measured input; a bare quantity stands without a time to check."""


def upper_limit(*, laboratory: float | None, fallback: float | None = None) -> UpperLimit | None:
    """Return the reporting laboratory's upper limit; only without one, that of the fallback table.

    Examples:
        >>> upper_limit(laboratory=35, fallback=40).value
        35.0
    """
    if laboratory is not None:
        return UpperLimit(value=laboratory, origin="reporting laboratory")
    if fallback is not None:
        return UpperLimit(value=fallback, origin="fallback table")
    return None


def as_given(spec: IndexInputRow, supplied: Supplied) -> Given:
    """Return an input in the unit of its row, or why there is none."""
    match supplied:
        case None | NotAssessed():
            return supplied
        case UpperLimit():
            return Interval.exact(supplied.value)
        case Finding():
            return _of_finding(spec, supplied)
        case Quantity() | QuantityInterval():
            return _in_unit(spec, supplied)


def not_together(
    inputs: Mapping[str, IndexInputRow], supplied: Mapping[str, Supplied], hours: float
) -> NotAssessed | None:
    """Return why the findings were not collected together, or None where they were.

    Args:
        inputs: The measured inputs of the index.
        supplied: What was given.
        hours: How far apart the findings may have been collected.
    """
    found = [
        (spec.label, given)
        for key, spec in inputs.items()
        if spec.timed and isinstance(given := supplied.get(key), Finding)
    ]
    limit = Interval.exact(hours * _MINUTES_PER_HOUR)
    for (first, a), (second, b) in combinations(found, 2):
        apart = elapsed(a.time, b.time)
        if apart.minutes is None:
            detail = f"{first} and {second}: {apart.not_assessed}"
            return NotAssessed(why=Why.TIME_NOT_GIVEN, detail=detail)
        if apart.minutes.absolute_difference(Interval.exact(0)).compare("le", limit.high or 0.0):
            continue
        detail = f"{first} and {second} are not known to be collected within {hours:g} h"
        return NotAssessed(why=Why.OUTSIDE_WINDOW, detail=detail)
    return None


def two_times(
    inputs: Mapping[str, IndexInputRow], supplied: Mapping[str, Supplied]
) -> tuple[str, ...]:
    """Return when each finding was collected, where that was not at one time.

    Args:
        inputs: The measured inputs of the index.
        supplied: What was given.
    """
    found = [
        (spec.label, given.time)
        for key, spec in inputs.items()
        if spec.timed and isinstance(given := supplied.get(key), Finding) and given.time is not None
    ]
    if all(_at_once(first, second) for (_, first), (_, second) in combinations(found, 2)):
        return ()
    return (f"Not collected at one time: {', '.join(f'{label} {time}' for label, time in found)}.",)


def _at_once(first: ClinicalTime, second: ClinicalTime) -> bool:
    minutes = elapsed(first, second).minutes
    return minutes is not None and minutes.contains(0)


def upper_limit_caveats(supplied: Sequence[Supplied]) -> tuple[str, ...]:
    """Return the warning where an upper limit is not the reporting laboratory's own."""
    if any(isinstance(s, UpperLimit) and s.origin == "fallback table" for s in supplied):
        return ("An upper limit of normal is that of a fallback table, not of the laboratory.",)
    return ()


def _of_finding(spec: IndexInputRow, finding: Finding) -> Given:
    if finding.not_assessed is not None:
        return finding.not_assessed
    if finding.quantity is None:
        state = "absent" if finding.state is State.ABSENT else "without a number"
        return NotAssessed(why=Why.MISSING, detail=f"{spec.label} is {state}")
    return _in_unit(spec, finding.quantity)


def _in_unit(spec: IndexInputRow, value: Measured) -> Given:
    if value.unit == spec.unit:
        return value.interval
    unknown = NotAssessed(
        why=Why.UNIT_NOT_RECOGNISED,
        detail=f"unit not recognised: {value.unit} for {spec.label} in {spec.unit}",
    )
    analyte = analytes().analytes.get(spec.analyte or "")
    if analyte is None or spec.analyte is None:
        return unknown
    canonical = convert(spec.analyte, value.interval, value.unit)
    if isinstance(canonical, NotAssessed):
        return canonical
    factor = _to_canonical(analyte, spec)
    return unknown if factor is None else canonical.value.interval.scaled(1.0 / factor)


def _to_canonical(analyte: Analyte, spec: IndexInputRow) -> float | None:
    """Return the factor from the unit of the row to that of the analyte; None where unclear."""
    if spec.unit == analyte.unit:
        return 1.0
    rows = [r for r in analyte.units if r.unit == spec.unit and r.form in (None, spec.form)]
    return analyte.factor(rows[0]) if len(rows) == 1 and rows[0].offset == 0 else None
