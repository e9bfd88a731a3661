"""Every golden case of every pattern, and what must hold for all of them."""

from collections.abc import Iterator

import pytest

from knowledge.laboratory_patterns import laboratory_patterns
from knowledge.timeline import Fact
from tests.tools.labs.patterns.golden import Case, chart, chart_of, every, golden
from tools.labs.laboratory_chart import LaboratoryChart
from tools.labs.patterns.judge import judge, judge_patterns, not_looked_at

CASES = every()
IDS = [f"{name}: {case.name}" for name, case in CASES]
VERDICTS = {"supported", "argued against", "not assessed"}


@pytest.mark.parametrize(("pattern", "case"), CASES, ids=IDS)
def test_a_case_ends_as_its_source_says(pattern: str, case: Case) -> None:
    found = judge(laboratory_patterns()[pattern], chart_of(case))
    assert (found.verdict, case.name) == (case.verdict, case.name), found.statement.en
    if case.grade is not None:
        assert [grade.id for grade in found.sets[0].grades] == [case.grade]
    if case.grades is not None:
        assert {grade.id for grade in found.sets[0].grades} == set(case.grades)
    by_set = {one.id: one.verdict for one in found.sets}
    assert {key: by_set[key] for key in case.sets} == dict(case.sets)
    assert set(case.missing) <= {missing.fact for missing in found.missing}


@pytest.mark.parametrize("pattern", sorted(laboratory_patterns()))
def test_a_pattern_has_a_case_of_each_verdict(pattern: str) -> None:
    assert {case.verdict for case in golden(pattern).cases} == VERDICTS


@pytest.mark.parametrize(("pattern", "case"), CASES, ids=IDS)
def test_leaving_out_one_input_of_a_supported_case_argues_against_nothing(
    pattern: str, case: Case
) -> None:
    row = laboratory_patterns()[pattern]
    full = judge(row, chart_of(case))
    held = [one.id for one in full.sets if one.verdict == "supported"]
    for left_out, poorer in _poorer(case):
        after = {one.id: one.verdict for one in judge(row, poorer).sets}
        for key in held:
            assert after[key] != "argued against", (key, left_out)


@pytest.mark.parametrize(("pattern", "case"), CASES, ids=IDS)
def test_a_verdict_shows_its_evidence_and_its_reason(pattern: str, case: Case) -> None:
    found = judge(laboratory_patterns()[pattern], chart_of(case))
    if found.verdict == "supported":
        assert found.supporting
    if found.verdict == "argued against":
        assert found.against
    if found.verdict == "not assessed":
        assert found.not_assessed is not None
        assert found.not_assessed.detail in found.statement.en
    assert found.evidence
    assert found.source
    shown = [*found.supporting, *found.against, *found.undecided]
    assert len({line.criterion for line in shown}) == len(shown)


def test_nothing_at_all_is_looked_at_in_an_empty_chart_and_all_is_listed() -> None:
    empty = chart((), {}, sex=None, age=None)
    assert judge_patterns(empty) == ()
    assert [row.id for row in not_looked_at(empty)] == list(laboratory_patterns())


def test_no_pattern_is_decided_by_silence() -> None:
    empty = chart((), {}, sex=None, age=None)
    for row in laboratory_patterns().values():
        assert judge(row, empty).verdict == "not assessed", row.id


def _poorer(case: Case) -> Iterator[tuple[str, LaboratoryChart]]:
    """Yield the chart without each one of its results, then without each of its answers."""
    facts = tuple(case.facts())
    for left_out in facts:
        rest: tuple[Fact, ...] = tuple(fact for fact in facts if fact is not left_out)
        name = left_out.finding.evidence[0]
        yield str(name), chart(rest, case.answers, sex=case.sex, age=case.age)
    for key in case.answers:
        rest_of = {k: v for k, v in case.answers.items() if k != key}
        yield key, chart(facts, rest_of, sex=case.sex, age=case.age)
    yield "sex", chart(facts, case.answers, sex=None, age=case.age)
    yield "age", chart(facts, case.answers, sex=case.sex, age=None)
