"""The laboratory's part: nothing is lost, nothing unknown is normal, and doubts stand beside."""

from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from agent.assessment import Assessment
from agent.fact_sheet import fact_sheet
from agent.laboratory.model import LaboratoryReport
from agent.laboratory.view import laboratory_view, teller, words
from knowledge.finding import Why
from knowledge.laboratory_words import laboratory_told
from knowledge.settings import Settings
from tests.agent.laboratory.chart import FIRST, ROWS, SECOND, assessed
from tools.labs.interval_model import Flag


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    return assessed(tmp_path_factory.mktemp("chart"), flags={"Sodium": "N"})


@pytest.fixture(scope="module")
def report(example: Assessment) -> LaboratoryReport:
    assert example.laboratory is not None
    return example.laboratory


def test_every_result_of_the_chart_is_there(report: LaboratoryReport) -> None:
    assert len(report.results) == len(ROWS)


def test_what_is_urgent_follows_the_published_limits_and_says_what_falsifies_it(
    report: LaboratoryReport,
) -> None:
    # clinical.md B2: potassium 6.5, glucose 400 mg/dL (31 mmol/L / 0.05551 = 558), bicarbonate 10
    assert {result.test for result in report.urgent} == {
        "potassium",
        "glucose",
        "bicarbonate",
        "blood_culture",
    }
    lines = {line.text for line in laboratory_view(report, "en", time_zone=None).parts[0].lines}
    assert any("Potassium 6.8 mmol/L" in line and "Haemolysis" in line for line in lines)
    assert any("Escherichia coli" in line and "to be known at once" in line for line in lines)


def test_a_culture_with_an_organism_is_never_read_as_normal(report: LaboratoryReport) -> None:
    (culture,) = [r for r in report.results if r.test == "blood_culture"]
    assert culture.flag.flag is Flag.CRITICAL_ABNORMAL
    assert culture.critical
    assert culture.value == "Escherichia coli"


def test_a_change_is_only_supposed_while_the_method_is_not_stated(
    report: LaboratoryReport,
) -> None:
    (newest,) = [r for r in report.results if r.test == "creatinine" and r.latest]
    assert newest.earlier is not None
    change = newest.earlier.change
    assert change.not_assessed is not None
    assert change.not_assessed.why is Why.MISSING
    # 240 / 97 - 1 = 147 % against 1.414 x 2.58 x sqrt(3^2 + 4.39^2) = 19.4 %
    assert change.percent is not None
    assert str(change.percent).startswith("147")
    assert change.supposed == "beyond 99 %"
    assert newest in report.changed


def test_a_flag_of_the_laboratory_that_differs_is_a_conflict(report: LaboratoryReport) -> None:
    (sodium,) = [r for r in report.results if r.test == "sodium" and r.latest]
    assert sodium.flag.flag is Flag.LOW
    assert any("Sodium" in conflict.what for conflict in report.conflicts)


def test_two_blood_groups_are_a_conflict_and_none_is_stated(report: LaboratoryReport) -> None:
    group = report.blood_group
    assert group is not None
    assert (group.abo, group.abo_consistency) == (None, "conflicting")
    # RhD is not stated either: which of the two people it would be of is not known
    assert group.rh is None
    assert any(conflict.what == "Blood group ABO" for conflict in report.conflicts)


def test_indices_by_hand_and_their_doubts(report: LaboratoryReport) -> None:
    values = {index.index: index for index in report.indices}
    # 128 - 92 - 9 = 27; corrected + 0.25 x (40 - 36) = 28
    assert "27 mmol/L" in values["anion_gap"].statement
    assert "28 mmol/L" in values["anion_gap_albumin_corrected"].statement
    # (190 / 56) / (82 / 147) = 6.1: ALT is of the haemolysed sample
    assert "R ratio of liver injury: 6.1" in values["r_ratio"].statement
    assert any("Alanine" in caveat for caveat in values["r_ratio"].caveats)
    assert "creatinine_clearance" in {index.index for index in report.indices_open}


def test_what_is_not_known_of_the_sample_is_named(tmp_path: Path) -> None:
    found = assessed(tmp_path, haemolysed=False).laboratory
    assert found is not None
    (potassium,) = [r for r in found.results if r.test == "potassium" and r.latest]
    assert not potassium.interferences
    assert "Haemolysis" in potassium.not_known


def test_an_undated_result_is_shown_and_a_later_one_is_not(tmp_path: Path) -> None:
    rows = (
        ("2823-3", "Potassium", 4.2, "mmol/L", ""),
        ("2951-2", "Sodium", 139.0, "mmol/L", "2026-11-20T23:00:00+01:00"),
        ("718-7", "Hemoglobin", 13.9, "g/dL", "2026-10-01T08:00:00+01:00"),
    )
    found = assessed(tmp_path, rows).laboratory
    assert found is not None
    assert [r.test for r in found.results] == ["potassium"]
    assert [test.test for test in found.older] == ["haemoglobin"]


def test_a_chart_without_results_has_no_laboratory_part(tmp_path: Path) -> None:
    assert assessed(tmp_path, ()).laboratory is None


def test_taking_a_result_away_makes_no_other_one_normal(
    tmp_path: Path, report: LaboratoryReport
) -> None:
    whole = {(r.test, r.time): r.flag.flag for r in report.results}
    for left_out in range(len(ROWS)):
        rows = tuple(row for place, row in enumerate(ROWS) if place != left_out)
        part = assessed(tmp_path / str(left_out), rows, flags={"Sodium": "N"}).laboratory
        assert part is not None
        for result in part.results:
            assert result.flag.flag == whole[result.test, result.time]


def test_it_is_read_back_as_it_was_written(example: Assessment) -> None:
    assert Assessment.model_validate(example.to_json()) == example


def test_the_site_file_is_in_the_provenance_and_comes_first(tmp_path: Path) -> None:
    rows = tmp_path / "site.yaml"
    rows.write_text(
        "title: Site\nversion: '1'\nlicence: x\nsources: {own: {title: Our list, year: 2026}}\n"
        "tests:\n  sodium:\n    intervals:\n"
        "      - {low: 120, high: 130, source: own, review: N}\n"
    )
    found = assessed(tmp_path / "chart", settings=Settings(laboratory_overrides=rows))
    assert len(found.provenance.reference_sha256["laboratory_overrides"]) == 64
    assert found.laboratory is not None
    (sodium,) = [r for r in found.laboratory.results if r.test == "sodium" and r.latest]
    assert sodium.flag.flag is Flag.NORMAL
    assert sodium.flag.intervals[0].origin == "site"


def test_every_text_of_the_report_has_chinese_words(
    report: LaboratoryReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()

    def recording(_language: str) -> object:
        def say(text: str) -> str:
            asked.add(text)
            return text

        return say

    monkeypatch.setattr(teller, "saying", recording)
    laboratory_view(report, "zh", time_zone=None)
    constants = (
        *words.FLAG.values(),
        *words.ORIGIN.values(),
        *words.CHANGE.values(),
        *("supported", "argued against", "not assessed"),
        *words.QUALITY.values(),
        *words.WHY.values(),
    )
    assert len(asked) > 30
    told = laboratory_told()
    assert not [text for text in {*asked, *constants} if told.known(text) is None]


def test_facts_tell_it_whole_and_no_model_is_given_them(example: Assessment) -> None:
    for language in ("en", "zh"):
        facts = [f for f in fact_sheet(example, language=language).facts if f.kind == "laboratory"]
        keys = {fact.key.split(".")[1] for fact in facts}
        assert {"urgent", "changed", "artefact", "conflict", "index", "blood-group"} <= keys
        assert all(fact.whole and fact.outside and fact.sentence is None for fact in facts)


def test_the_times_of_the_two_samples_are_kept_apart(report: LaboratoryReport) -> None:
    times = {str(r.time) for r in report.results if r.test == "potassium"}
    assert len(times) == len({FIRST, SECOND})


def test_what_may_be_null_may_be_left_out_in_every_model_of_an_assessment() -> None:
    # The published JSON has no nulls: a required field that may be null could not be read back.
    seen: set[type[BaseModel]] = set()
    required: list[str] = []

    def walk(annotation: object) -> None:
        for part in get_args(annotation):
            walk(part)
        if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
            return
        if annotation in seen:
            return
        seen.add(annotation)
        for name, field in annotation.model_fields.items():
            if field.is_required() and type(None) in get_args(field.annotation):
                required.append(f"{annotation.__name__}.{name}")
            walk(field.annotation)

    walk(Assessment)
    assert len(seen) > 40
    assert not required
