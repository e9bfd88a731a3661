"""Derived indices from the results of now: each with a value, bounds, or what is missing."""

from collections.abc import Mapping, Sequence

from agent.laboratory.results import is_current
from knowledge.clinical_inputs import catalogue
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.index import Index
from knowledge.laboratory_indices import IndexInputRow, IndexRow, laboratory_indices
from knowledge.laboratory_report import Shown, report_table
from knowledge.quantity import Choice
from tools.labs.indices.compute import compute
from tools.labs.indices.evaluate import not_assessed_index
from tools.labs.indices.supplied import Supplied, UpperLimit
from tools.labs.interval_model import Flag
from tools.labs.laboratory_chart import LaboratoryChart

_LIMITS = {
    "ast_upper_limit_u_l": "ast",
    "alt_upper_limit_u_l": "alt",
    "alp_upper_limit_u_l": "alp",
}
"""Inputs that are the upper limit of normal of an analyte."""


def indices_of(
    chart: LaboratoryChart, hours: float, doubtful: Mapping[str, str]
) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Return the reported indices with a value or bounds, and those that lack one input.

    Args:
        chart: Every result with its flag.
        hours: How old a result may be.
        doubtful: By test, what is known to have falsified its newest result.
    """
    known: list[Index] = []
    open_: list[Index] = []
    for key, shown in report_table().indices.items():
        row = laboratory_indices().indices[key]
        measured = [
            spec.analyte
            for spec in row.inputs.values()
            if spec.analyte and _current(chart, spec.analyte, hours) is not None
        ]
        if not measured or not _says_something(shown, chart, hours):
            continue
        index = index_of(key, chart, hours)
        if index.value is not None:
            known.append(_with_doubts(index, measured, doubtful))
        elif len(index.missing) <= 1:
            open_.append(index)
    return tuple(known), tuple(open_)


def index_of(key: str, chart: LaboratoryChart, hours: float) -> Index:
    """Return one index from the results of a chart, whatever of it is known.

    Args:
        key: Row of ``laboratory_indices.yaml``.
        chart: Every result with its flag.
        hours: How old a result may be.
    """
    row = laboratory_indices().indices[key]
    inputs = row.inputs
    refused = _refused(row, chart)
    if refused is not None:
        return not_assessed_index(key, refused)
    supplied = {name: _supplied(name, spec, chart, hours) for name, spec in inputs.items()}
    return compute(key, supplied, _options(chart))


def _refused(row: IndexRow, chart: LaboratoryChart) -> NotAssessed | None:
    """Return why an index is not for this person: a state that is known and that it excludes."""
    for state, reason in row.not_when.items():
        if chart.answer(state).state is State.PRESENT:
            return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=reason)
    return None


def _says_something(shown: Shown, chart: LaboratoryChart, hours: float) -> bool:
    if not shown.when_high and not shown.when_low:
        return True
    sides = (
        (shown.when_high, (Flag.HIGH, Flag.CRITICAL_HIGH)),
        (shown.when_low, (Flag.LOW, Flag.CRITICAL_LOW)),
    )
    return any(
        (held := chart.latest(analyte)) is not None
        and held.flag.flag in flags
        and is_current(held.finding.time, chart.at, hours)
        for analytes, flags in sides
        for analyte in analytes
    )


def _with_doubts(index: Index, measured: Sequence[str], doubtful: Mapping[str, str]) -> Index:
    """Return an index that says which of its inputs may be falsified."""
    said = tuple(doubtful[analyte] for analyte in measured if analyte in doubtful)
    return index.model_copy(update={"caveats": (*index.caveats, *said)}) if said else index


def _current(chart: LaboratoryChart, analyte: str, hours: float) -> Finding | None:
    held = chart.latest(analyte)
    if held is None or not is_current(held.finding.time, chart.at, hours):
        return None
    return held.finding


def _supplied(name: str, spec: IndexInputRow, chart: LaboratoryChart, hours: float) -> Supplied:
    if name in _LIMITS:
        return _upper_limit(chart, _LIMITS[name], hours)
    if spec.analyte is None:
        return chart.answer(name) if name in catalogue().every else None
    if chart.latest(spec.analyte) is None:
        answer = chart.answers.get(spec.analyte)
        return answer if answer is None or answer.not_assessed is None else answer.not_assessed
    found = _current(chart, spec.analyte, hours)
    if found is None:
        detail = f"the last result of {spec.label} is older than {hours:g} h"
        return NotAssessed(why=Why.STALE, detail=detail)
    return found


def _upper_limit(chart: LaboratoryChart, analyte: str, hours: float) -> Supplied:
    """Return the upper limit that the latest result was judged by, where there is exactly one."""
    held = chart.latest(analyte)
    if held is None or not is_current(held.finding.time, chart.at, hours):
        return None
    used = [one for one in held.flag.intervals if one.bounds.high is not None]
    highs = {one.bounds.high for one in used}
    if len(highs) != 1 or used[0].bounds.high is None:
        detail = f"which upper limit of normal holds for {analyte} is not known"
        return NotAssessed(why=Why.MISSING, detail=detail)
    own = used[0].origin in ("printed", "site")
    return UpperLimit(
        value=used[0].bounds.high, origin="reporting laboratory" if own else "fallback table"
    )


def _options(chart: LaboratoryChart) -> Mapping[str, str | None]:
    sex = chart.answer("sex").value
    return {"sex": sex.choice if isinstance(sex, Choice) else None}
