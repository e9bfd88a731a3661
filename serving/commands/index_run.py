"""One derived index for ``epicrisis tool run``: from a case, from answers on the command line."""

import re
from collections.abc import Sequence

from agent.laboratory.indices import index_of
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import InvalidValueError
from knowledge.index import Index
from knowledge.laboratory_indices import laboratory_indices
from knowledge.laboratory_report import report_table
from knowledge.quantity import Quantity
from knowledge.timeline import Timeline
from tools.chart.answers import resolve
from tools.labs.indices.compute import compute
from tools.labs.laboratory_chart import LaboratoryChart

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(\S*)")


def index_of_case(index_id: str, timeline: Timeline, *, at: ClinicalTime) -> Index:
    """Return an index from the results of a case."""
    answers = resolve(timeline, at=at, entries=catalogue().every).findings
    chart = LaboratoryChart.of(timeline, at=at, answers=answers)
    return index_of(index_id, chart, report_table().current.hours)


def index_of_answers(index_id: str, values: Sequence[str]) -> Index:
    """Return an index from ``INPUT=NUMBER UNIT`` and ``OPTION=CHOICE``.

    Raises:
        InvalidValueError: An answer is to no input, or is not a number or one of the choices.
    """
    row = laboratory_indices().indices[index_id]
    measured: dict[str, Quantity] = {}
    chosen: dict[str, str] = {}
    for text in values:
        key, _, answer = text.partition("=")
        if key in row.options:
            if answer not in row.options[key].choices:
                choices = ", ".join(row.options[key].choices)
                raise InvalidValueError(f"--set {key}", "is not one of the choices", choices)
            chosen[key] = answer
            continue
        number = _NUMBER.fullmatch(answer.strip())
        if key not in row.inputs or number is None:
            named = ", ".join([*row.inputs, *row.options])
            raise InvalidValueError(
                f"--set {text[:60]!r}", "is not INPUT=NUMBER UNIT", f"inputs: {named}"
            )
        measured[key] = Quantity(value=float(number[1]), unit=number[2] or row.inputs[key].unit)
    options = {key: {"yes": True, "no": False}.get(said, said) for key, said in chosen.items()}
    return compute(index_id, measured, options)
