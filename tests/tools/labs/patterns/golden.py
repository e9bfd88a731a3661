"""The golden cases of the laboratory patterns: one file each, and charts made of plain values.

The expected verdict stands beside its source or its arithmetic by hand; nothing comes from us.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.analytes import analytes
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.codes import ANALYTE, Coding, Concept
from knowledge.evidence import RecordEvidence
from knowledge.finding import Finding, MethodKind, State
from knowledge.model import Frozen
from knowledge.patient import Patient, Sex
from knowledge.quantity import Interval, measured
from knowledge.timeline import Category, Fact, Timeline
from tests.tools.risk.given import finding as answer
from tools.labs.laboratory_chart import LaboratoryChart

FOLDER = Path(__file__).parents[3] / "golden" / "laboratory_patterns"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEFORE = -2.0
"""Hours from the assessment at which a result without a time was collected."""


class Case(Frozen):
    """One case.

    Args:
        name: What it is about.
        sex, age: Of the patient; None for not known.
        results: A number, a span [low, high], or a series of {hours: value} before the moment.
        limits: The interval the laboratory printed, by analyte.
        flags: Quality flags of a result.
        methods: Laboratory or point of care, by analyte; for a series one for each.
        answers: Clinical inputs.
        verdict: By the pattern's own set.
        grade, grades: The one grade; every grade that is possible.
        sets: Verdicts of other sets.
        missing: Facts that are asked for, at least.
        by: The source or the arithmetic by hand.
    """

    name: str
    sex: Sex | None = "male"
    age: float | None = 60
    results: Mapping[str, Any] = {}
    limits: Mapping[str, str] = {}
    flags: Mapping[str, tuple[str, ...]] = {}
    methods: Mapping[str, Any] = {}
    answers: Mapping[str, Any] = {}
    verdict: str
    grade: str | None = None
    grades: tuple[str, ...] | None = None
    sets: Mapping[str, str] = {}
    missing: tuple[str, ...] = ()
    by: str

    def facts(self) -> Iterator[Fact]:
        """Yield the results of the case as intake would make them."""
        for key, given in self.results.items():
            series = given if isinstance(given, Mapping) else {BEFORE: given}
            for number, (hours, value) in enumerate(series.items()):
                yield self._fact(key, float(hours), value, number)

    def _fact(self, key: str, hours: float, value: Any, number: int) -> Fact:
        method = self.methods.get(key)
        kind: MethodKind | None = method[number] if isinstance(method, list | tuple) else method
        found = result(key, value, hours, flags=self.flags.get(key, ()), method_kind=kind)
        printed = self.limits.get(key)
        if printed is not None:
            said = f"{found.value} (laboratory's range: {printed})"
            found = found.model_copy(update={"reported": said})
        return Fact(category=Category.LABORATORY, finding=found)


class Golden(Frozen):
    """The file of one pattern."""

    pattern: str
    source: str
    cases: tuple[Case, ...]


def result(
    key: str,
    value: Any,
    hours: float = BEFORE,
    *,
    flags: tuple[str, ...] = (),
    method_kind: MethodKind | None = None,
) -> Finding:
    """Return one result in the canonical unit of its analyte."""
    row = analytes().analytes[key]
    if isinstance(value, list | tuple):
        interval = Interval(low=value[0], high=value[1])
    else:
        interval = Interval.exact(float(value))
    return Finding(
        concept=Concept(text=row.label, codings=(Coding(system=ANALYTE, code=key),)),
        state=State.PRESENT,
        value=measured(interval, row.unit),
        time=ClinicalTime(at=NOW + timedelta(hours=hours)),
        flags=flags,
        method_kind=method_kind,
        evidence=(RecordEvidence(file="laboratory.csv", record=f"{key} {hours:g} h"),),
    )


def chart(
    facts: tuple[Fact, ...],
    answers: Mapping[str, Any],
    *,
    sex: Sex | None = "male",
    age: float | None = 60,
) -> LaboratoryChart:
    """Return the chart of a patient with these results and answers; None leaves an answer out."""
    born = None
    if age is not None:
        year = NOW.year - int(age)
        born = ClinicalTime(at=datetime(year, 1, 1, tzinfo=UTC), precision=Precision.DAY)
    given = {
        key: answer(key, _plain(key, value)) for key, value in answers.items() if value is not None
    }
    if age is not None and "age_years" not in given:
        given["age_years"] = answer("age_years", float(age))
    if sex is not None:
        given.setdefault("sex", answer("sex", sex))
    return LaboratoryChart.of(
        Timeline.of(Patient(birth_date=born, sex=sex), facts),
        at=ClinicalTime(at=NOW),
        answers=given,
    )


def chart_of(case: Case) -> LaboratoryChart:
    """Return the chart of a golden case."""
    return chart(tuple(case.facts()), case.answers, sex=case.sex, age=case.age)


def _plain(key: str, value: Any) -> Any:
    if catalogue().get(key).kind == "boolean":
        return value in (True, "present")
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def golden(pattern_id: str) -> Golden:
    """Return the golden cases of one pattern."""
    text = (FOLDER / f"{pattern_id}.yaml").read_text(encoding="utf-8")
    return Golden.model_validate(yaml.safe_load(text))


def every() -> list[tuple[str, Case]]:
    """Return every golden case with its pattern."""
    names = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return [(name, case) for name in names for case in golden(name).cases]
