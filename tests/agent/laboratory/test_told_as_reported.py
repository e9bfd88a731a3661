"""Results are told as they were reported and when they were collected.

Potassium of 2.5 mmol/L or less is critical (Kost, JAMA 1990). Creatinine: 45 and 84 umol/L times
113.12 / 10000 are 0.51 and 0.95 mg/dL. Haemoglobin of 6.2 mmol/L times 1.6114 is 9.99 g/dL: the
last printed digit is 0.16 g/dL, so one decimal is known. D-dimer: 240 ng/mL DDU is about 480 FEU.
Messages are invented.
"""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.assess import assess_paths
from agent.assessment import Assessment
from agent.chat.terms import found_in
from agent.fact_sheet import fact_sheet
from agent.fact_sheet.critical_chinese import critical_in_chinese
from agent.laboratory.view.model import LaboratoryView, Row
from agent.laboratory.view.whole import laboratory_view
from knowledge.clinical_time import parse_fhir
from knowledge.settings import Settings
from serving.cli import application
from serving.worklist.critical import critical
from tests.tools.intake.hl7v2.messages import obr, obx, oru

AT = parse_fhir("2026-11-20T10:00:00Z", clock="test")
POTASSIUM = "2823-3^Potassium [Moles/volume] in Serum or Plasma^LN"
PAST = "collected 2026-11-19 21:00 UTC, newest 4.1 mmol/L of 2026-11-20 07:30 UTC"


def of(folder: Path, *results: str) -> Assessment:
    (folder / "message.hl7").write_bytes(oru(obr("F1"), *results))
    return assess_paths([folder], at=AT, now=AT, settings=Settings()).assessment


def view(found: Assessment, language: str = "en") -> LaboratoryView:
    assert found.laboratory is not None
    return laboratory_view(found.laboratory, language, time_zone=None)  # type: ignore[arg-type]


def rows(found: Assessment) -> list[Row]:
    return [row for panel in view(found).panels for row in panel.rows]


def lines(found: Assessment, key: str, language: str = "en") -> list[str]:
    parts = [part for part in view(found, language).parts if part.key == key]
    return [line.text for part in parts for line in part.lines]


@pytest.fixture
def reported_late(tmp_path: Path) -> Assessment:
    low = {"code": POTASSIUM, "unit": "mmol/L^^UCUM", "printed": "3.5-5.1"}
    return of(
        tmp_path,
        obx("4.1", number=1, taken="20261120073000+0000", **low),
        obx("2.4", number=2, taken="20261119210000+0000", flag="LL", **low),
    )


def test_a_critical_result_that_is_not_the_newest_says_so_everywhere(
    reported_late: Assessment,
) -> None:
    told = next(r.text for r in reported_late.recommendations if r.id == "critical_laboratory")
    assert f"Potassium 2.4 mmol/L ({PAST}" in told
    assert f"Potassium 2.4 mmol/L ({PAST}" in reported_late.narrative.headline
    raised = [c.words for c in critical(reported_late) if c.kind == "value"]
    assert raised == [f"Potassium 2.4 mmol/L is at or below 2.5 ({PAST})"]
    (urgent,) = lines(reported_late, "urgent")
    assert "2.4 mmol/L (2026-11-19 21:00 UTC)" in urgent
    assert "the newest is 4.1 mmol/L (2026-11-20 07:30 UTC)" in urgent


def test_it_says_so_in_chinese_too(reported_late: Assessment) -> None:
    told = critical_in_chinese(reported_late.narrative.headline.removesuffix("."))
    assert told is not None
    assert "钾 2.4 mmol/L（采集于2026-11-19 21:00 UTC" in told  # noqa: RUF001
    assert "最新结果4.1 mmol/L，采集于2026-11-20 07:30 UTC" in told  # noqa: RUF001
    (urgent,) = lines(reported_late, "urgent", "zh")
    assert "最新为 4.1 mmol/L" in urgent


def test_the_newest_critical_result_needs_no_such_words(tmp_path: Path) -> None:
    found = of(tmp_path, obx("2.4", code=POTASSIUM, unit="mmol/L^^UCUM", printed="3.5-5.1"))
    assert "newest" not in found.narrative.headline
    (one,) = lines(found, "urgent")
    assert "newest" not in one


def test_marked_and_beyond_a_limit_is_one_line(tmp_path: Path) -> None:
    found = of(
        tmp_path, obx("2.4", code=POTASSIUM, unit="mmol/L^^UCUM", printed="3.5-5.1", flag="LL")
    )
    (one,) = lines(found, "urgent")
    assert "marked critical by the laboratory; at or below the critical limit of 2.5" in one


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "printed", "converted", "interval"),
    [
        (
            "14682-9",
            "150",
            "umol/L",
            "45-84",
            "1.70 mg/dL",
            "45 to 84 umol/L (printed by the laboratory; converted and rounded: "
            "0.51 to 0.95 mg/dL)",
        ),
        (
            "718-7",
            "6.2",
            "mmol/L",
            "7.4-9.9",
            "10.0 g/dL",
            "7.4 to 9.9 mmol/L (printed by the laboratory; converted and rounded: "
            "11.9 to 16.0 g/dL)",
        ),
        ("2160-0", "1.7", "mg/dL", "0.5-0.9", "", "0.5 to 0.9 mg/dL (printed by the laboratory)"),
    ],
)
def test_an_interval_is_shown_as_printed_and_converted_only_beside_it(
    tmp_path: Path,
    loinc: str,
    value: str,
    unit: str,
    printed: str,
    converted: str,
    interval: str,
) -> None:
    found = of(tmp_path, obx(value, code=f"{loinc}^x^LN", unit=f"{unit}^^UCUM", printed=printed))
    (row,) = rows(found)
    assert row.value == f"{value} {unit}"
    assert row.converted == converted
    assert row.interval == interval


def test_two_assays_of_d_dimer_are_no_conflict_of_versions(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        obx("240", number=1, code="48066-5^DDU^LN", unit="ng/mL^^UCUM", printed="<250"),
        obx("0.62", number=2, code="48065-7^FEU^LN", unit="mg/L^^UCUM", printed="<0.5"),
    )
    assert found.laboratory is not None
    assert not found.laboratory.conflicts
    assert not [c for c in found.conflicts if c.input == "d_dimer_feu"]
    (marker,) = lines(found, "marker")
    assert "two assays of one sample are not compared" in marker
    assert "240 ng/mL DDU (= 480 ng/mL FEU)" in marker
    assert "0.62 mg/L" in marker
    (chinese,) = lines(found, "marker", "zh")
    assert "不可比较" in chinese
    assert "samples" not in chinese


def test_two_values_of_one_assay_are_still_one(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        obx("0.48", number=1, code="48065-7^FEU^LN", unit="mg/L^^UCUM", printed="<0.5"),
        obx("0.62", number=2, code="48065-7^FEU^LN", unit="mg/L^^UCUM", printed="<0.5"),
    )
    assert found.laboratory is not None
    (conflict,) = found.laboratory.conflicts
    assert [side.says.partition(" (lab")[0] for side in conflict.sides] == [
        "0.48 mg/L",
        "0.62 mg/L",
    ]


def test_a_mark_of_the_laboratory_is_no_conflict_where_no_limit_is_held(tmp_path: Path) -> None:
    # no critical limit of creatinine is held; potassium has one, and 5.6 is not beyond it
    found = of(
        tmp_path,
        obx("5.1", number=1, code="2160-0^x^LN", unit="mg/dL^^UCUM", printed="0.5-0.9", flag="HH"),
        obx("5.6", number=2, code=POTASSIUM, unit="mmol/L^^UCUM", printed="3.5-5.1", flag="HH"),
    )
    assert found.laboratory is not None
    by_test = {result.test: result for result in found.laboratory.results}
    assert by_test["creatinine"].flag.conflict is None
    assert by_test["potassium"].flag.conflict is not None
    (creatinine,) = [row for row in rows(found) if row.name == "Creatinine"]
    assert creatinine.flag == "high; marked critical by the laboratory (HH)"
    assert creatinine.tone == "critical"


@pytest.mark.parametrize("form", ["terminal", "md", "html"])
def test_the_report_names_the_patient(tmp_path: Path, form: str) -> None:
    of(tmp_path, obx("4.1", code=POTASSIUM, unit="mmol/L^^UCUM", printed="3.5-5.1"))
    asked = ["laboratory", str(tmp_path), "--format", form, "--at", "2026-11-20T10:00:00Z"]
    said = CliRunner().invoke(application(), asked).output
    # PID-5, PID-3 and PID-7 of the message
    assert "Muster, Clara; 0012; born 1955-07-21" in " ".join(said.split())


def test_what_was_taken_back_is_named_and_not_numbered(tmp_path: Path) -> None:
    one = {"code": POTASSIUM, "unit": "mmol/L^^UCUM", "printed": "3.5-5.1"}
    (tmp_path / "1.hl7").write_bytes(oru(obr("F1"), obx("6.8", **one), control="M1"))  # type: ignore[arg-type]
    (tmp_path / "2.hl7").write_bytes(
        oru(
            obr("F1", status="X"),
            obx("", status="X", **one),  # type: ignore[arg-type]
            control="M2",
            at="20261120093000+0000",
        )
    )
    found = assess_paths([tmp_path], at=AT, now=AT, settings=Settings()).assessment
    (told,) = [s.text for s in found.narrative.sentences if "Taken back" in s.text]
    assert "Potassium of 2026-11-20 08:00 UTC" in told
    assert "Observation/" not in told
    assert "DiagnosticReport/" not in told


@pytest.mark.parametrize(
    "question",
    ["Was any result cancelled or corrected?", "有没有被取消或更正的检验结果？"],  # noqa: RUF001
)
def test_a_question_about_cancelled_results_is_understood(
    reported_late: Assessment, question: str
) -> None:
    found = found_in(question, fact_sheet(reported_late, language="en"))
    assert "laboratory_cancelled" in {target.key for target in found.targets}
