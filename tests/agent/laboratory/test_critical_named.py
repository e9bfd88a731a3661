"""Critical results are named with value and doubt wherever somebody is told to act on them.

Limits: potassium 6.5 and 2.5 mmol/L, pH 7.20 (Kost, JAMA 1990). EDTA contamination: potassium high
with calcium and alkaline phosphatase low (Cornes, Ann Clin Biochem 2008). Results are invented.
"""

import json
from pathlib import Path

import pytest

from agent.assess import assess_paths
from agent.assessment import Assessment
from agent.fact_sheet.critical_chinese import critical_in_chinese
from agent.laboratory.view.whole import laboratory_view
from knowledge.clinical_time import parse_fhir
from knowledge.finding import State
from knowledge.pathways import Urgency
from knowledge.settings import Settings
from tests.tools.intake.hl7v2.messages import obr, obx, oru
from tools.chart.answers import resolve
from tools.intake.folder import read_case

AT = parse_fhir("2026-11-20T10:00:00Z", clock="test")
POTASSIUM = "2823-3^Potassium [Moles/volume] in Serum or Plasma^LN"
CALCIUM = "17861-6^Calcium [Mass/volume] in Serum or Plasma^LN"
PH = "2744-1^pH of Arterial blood^LN"
TROPONIN = "67151-1^Troponin T.cardiac [Mass/volume] in Serum or Plasma by High sensitivity^LN"


def assessed(folder: Path) -> Assessment:
    return assess_paths([folder], at=AT, now=AT, settings=Settings()).assessment


def of(folder: Path, *results: str) -> Assessment:
    (folder / "message.hl7").write_bytes(oru(obr("F1"), *results))
    return assessed(folder)


def text(found: Assessment, row: str) -> str:
    return next(r.text for r in found.recommendations if r.id == row)


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "specimen", "asked"),
    [
        ("2823-3", 8.5, "mmol/L", "Urine", "potassium"),
        ("718-7", 3.2, "g/dL", "Pleural fluid", "haemoglobin"),
    ],
)
def test_a_value_of_another_specimen_answers_nothing(
    tmp_path: Path, loinc: str, value: float, unit: str, specimen: str, asked: str
) -> None:
    observation = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-11-20T09:30:00Z",
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        "specimen": {"display": specimen},
    }
    patient = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1958-02-03"}
    entries = [{"resource": patient}, {"resource": observation}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (tmp_path / "chart.json").write_text(json.dumps(bundle))
    case = read_case([tmp_path], at=AT, now=AT, settings=Settings())
    known = resolve(case.timeline, at=AT)
    finding = known.findings[asked]
    assert finding.state is State.NOT_ASSESSED
    assert finding.not_assessed is not None
    assert "specimen contradicts the code" in finding.not_assessed.detail
    assert not [name for name in known.series if name.endswith(asked)]
    found = assessed(tmp_path)
    assert not {"critical_laboratory", "critical_result"} & {r.id for r in found.recommendations}
    assert "ritical" not in found.narrative.headline


def test_edta_is_told_with_the_potassium_in_headline_and_action(tmp_path: Path) -> None:
    found = of(
        tmp_path,
        obx("9.8", code=POTASSIUM, unit="mmol/L^^UCUM", number=1, printed=""),
        obx("3.6", code=CALCIUM, unit="mg/dL^^UCUM", number=2, printed=""),
        obx("10", code="6768-6^ALP^LN", unit="U/L^^UCUM", number=3, printed=""),
    )
    said = text(found, "critical_laboratory")
    for one in (said, found.narrative.headline):
        assert "Potassium 9.8 mmol/L (may be falsified by: Contamination" in one
        assert "treat only what is confirmed" in one
        assert "confirm and treat it now" not in one.lower()
    assert "with an ECG and a monitor meanwhile" in said
    assert found.narrative.urgency is Urgency.IMMEDIATE


def test_a_critical_ph_is_an_immediate_action_by_name(tmp_path: Path) -> None:
    found = of(tmp_path, obx("7.12", code=PH, unit="[pH]^^UCUM", printed=""))
    row = next(r for r in found.recommendations if r.id == "critical_result")
    assert row.urgency is Urgency.IMMEDIATE
    assert row.evidence
    assert "7.12" in row.text
    assert "7.12" in found.narrative.headline


def test_what_the_laboratory_marks_is_urgent_in_its_name(tmp_path: Path) -> None:
    found = of(tmp_path, obx("250", code=TROPONIN, unit="ng/L^^UCUM", flag="HH"))
    assert found.laboratory is not None
    (one,) = found.laboratory.urgent
    assert one.marked_critical
    assert "250 ng/L (marked critical by the laboratory)" in text(found, "critical_result")
    view = laboratory_view(found.laboratory, "zh", time_zone=None)
    (urgent,) = (part for part in view.parts if part.key == "urgent")
    assert "实验室标记为危急" in urgent.lines[0].text


def test_a_troponin_without_a_flag_points_to_its_rules(tmp_path: Path) -> None:
    found = of(tmp_path, obx("250", code=TROPONIN, unit="ng/L^^UCUM"))
    assert found.laboratory is not None
    view = laboratory_view(found.laboratory, "en", time_zone=None)
    (urgent,) = (part for part in view.parts if part.key == "urgent")
    assert "troponin rules" in urgent.none


def test_the_statement_is_told_in_chinese() -> None:
    said = critical_in_chinese(
        "Critical laboratory result: Potassium 6.8 mmol/L (may be falsified by: Haemolysis): "
        "confirm now and treat what is confirmed. In doubt is Potassium: repeat the sample now, "
        "with an ECG and a monitor meanwhile; treat only what is confirmed. The cause of the pain "
        "is not settled"
    )
    assert said is not None
    assert "6.8 mmol/L" in said
    assert "Potassium" not in said
    assert "仅处理已证实者" in said
