"""What the results of the newest specimen say of its contamination, and what follows for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from agent.laboratory.model import LaboratoryResult
from knowledge.clinical_time import ClinicalTime
from knowledge.delta_checks import delta_checks
from knowledge.rules import Answer
from tools.labs.change import Change
from tools.labs.contamination import PatternResult, contamination_patterns
from tools.labs.interval_model import Flag
from tools.labs.laboratory_chart import LaboratoryChart

_SUSPECTED = "contamination_suspected"
"""Signal that leaves the effect of a contamination open."""

_SIDES: Mapping[Flag, Literal["high", "low", "normal"]] = {
    Flag.HIGH: "high",
    Flag.CRITICAL_HIGH: "high",
    Flag.LOW: "low",
    Flag.CRITICAL_LOW: "low",
    Flag.NORMAL: "normal",
}


def contaminations(
    results: Sequence[LaboratoryResult], chart: LaboratoryChart
) -> tuple[tuple[PatternResult, ...], LaboratoryChart]:
    """Return the patterns of the newest specimen, and the chart that knows of them.

    Args:
        results: Of now.
        chart: The same results, without what they say of their specimen.
    """
    drawn = _newest(results)
    if drawn is None:
        return (contamination_patterns({}) if results else ()), chart
    found = contamination_patterns(_changes(results, drawn), _levels(results, drawn))
    signals: dict[str, Answer] = {}
    for pattern in found:
        if pattern.support == "supported" or pattern.suspected:
            signals[delta_checks().patterns[pattern.pattern].signal] = True
            if pattern.suspected:
                signals[_SUSPECTED] = True
    return found, (replace(chart, of_specimen={drawn: signals}) if signals else chart)


def with_contamination(
    results: Sequence[LaboratoryResult], patterns: Sequence[PatternResult]
) -> tuple[LaboratoryResult, ...]:
    """Return the results, those that show a contaminated specimen marked with it."""
    shown: dict[str, list[str]] = {}
    for pattern in patterns:
        if pattern.support == "supported" or pattern.suspected:
            for analyte in pattern.shown_by:
                shown.setdefault(analyte, []).append(pattern.label)
    return tuple(
        result.model_copy(update={"contaminated": tuple(shown[result.test])})
        if result.latest and result.test in shown
        else result
        for result in results
    )


def _newest(results: Sequence[LaboratoryResult]) -> ClinicalTime | None:
    """Return when the newest specimen that a pattern may be seen in was collected."""
    read = {name for row in delta_checks().patterns.values() for name in row.analytes}
    times = [r.time for r in results if r.latest and r.time is not None and r.test in read]
    return max(times, key=lambda time: time.sort_key, default=None)


def _levels(
    results: Sequence[LaboratoryResult], drawn: ClinicalTime
) -> dict[str, Literal["high", "low", "normal"]]:
    return {
        r.test: _SIDES[flag]
        for r in results
        if r.latest and r.time == drawn and r.test is not None
        if (flag := r.flag.flag) is not None and flag in _SIDES
    }


def _changes(results: Sequence[LaboratoryResult], drawn: ClinicalTime) -> dict[str, Change]:
    """Return the change of each analyte in one specimen."""
    return {
        r.test: r.earlier.change
        for r in results
        if r.latest and r.test is not None and r.earlier is not None and r.time == drawn
    }
