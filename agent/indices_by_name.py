"""Derived indices asked for by name on a case: by code, as scores are."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from agent.assess import Outcome
from agent.laboratory.indices import index_of
from knowledge.clinical_inputs import catalogue
from knowledge.index import Index
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_report import report_table
from tools.chart.answers import resolve
from tools.labs.laboratory_chart import LaboratoryChart


@cache
def index_names() -> Mapping[str, tuple[str, ...]]:
    """Return the words by which an index is asked for, of those that have any, by id."""
    rows = laboratory_indices().indices.items()
    return MappingProxyType({key: row.names for key, row in rows if row.terms})


def indices_of(outcome: Outcome, names: Iterable[str]) -> tuple[Index, ...]:
    """Return the indices of a case; nothing for a case not read.

    Args:
        outcome: The case.
        names: Ids of indices.
    """
    wanted = tuple(dict.fromkeys(names))
    if outcome.case is None or not wanted:
        return ()
    at, timeline = outcome.assessment.provenance.at, outcome.case.timeline
    answers = resolve(timeline, at=at, entries=catalogue().every).findings
    chart = LaboratoryChart.of(timeline, at=at, answers=answers)
    return tuple(index_of(key, chart, report_table().current.hours) for key in wanted)
