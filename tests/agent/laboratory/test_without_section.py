"""Results of a sender that leaves out what it may: a section (OBR-24), a category (R4, 0..*).

HL7 v2.5.1, 4.5.3: OBR-24 is conditional, and many feeds leave it empty. FHIR R4: the category of an
Observation is optional. The results are made up; the flags are what the sender says of them.
"""

from pathlib import Path
from typing import Any

import pytest

from agent.assess import assess_paths
from agent.laboratory.model import LaboratoryReport
from knowledge.settings import Settings
from tests.agent.laboratory.chart import AT, SECOND
from tests.agent.laboratory.test_which_result_holds import part, report_of
from tests.tools.intake.hl7v2.messages import obr, obx, oru

KREATININ = "CREA^Kreatinin^L"
SELENIUM = "SE^Selenium^L"


def of(folder: Path, *lines: str) -> LaboratoryReport | None:
    order = obr(taken="20261120083000+0000").replace("67151-1^hs-cTnT^LN", "PANEL^Panel^L")
    (folder / "m.hl7").write_bytes(oru(order, *lines))
    return assess_paths([folder], at=AT, now=AT, settings=Settings()).assessment.laboratory


def test_a_result_of_an_unknown_test_that_its_sender_calls_critical_is_urgent(
    tmp_path: Path,
) -> None:
    line = obx("450", code=KREATININ, unit="umol/L^^UCUM", flag="HH", printed="45-84")
    report = of(tmp_path, line)
    assert report is not None
    assert "Kreatinin 450 umol/L" in part(report, "urgent")


@pytest.mark.parametrize(
    "known",
    [
        obx("4.4", code="2823-3^Potassium^LN", unit="mmol/L^^UCUM", printed=""),
        obx("77", code=SELENIUM, unit="ug/L^^UCUM", flag="H", printed=""),
        obx("77", code=SELENIUM, unit="ug/L^^UCUM", printed="60-120"),
    ],
    ids=["known test", "flag", "interval"],
)
def test_one_result_that_reads_as_a_laboratorys_makes_its_order_one(
    known: str, tmp_path: Path
) -> None:
    other = obx("trace", number=2, kind="ST", code="ZZ^Odd test^L", unit="", printed="")
    report = of(tmp_path, known, other)
    assert report is not None
    assert len(report.results) == 2
    assert "Odd test" in {result.name for result in report.results}


def test_vital_signs_without_a_section_are_no_laboratory_results(tmp_path: Path) -> None:
    pulse = obx("112", code="8867-4^Heart rate^LN", unit="/min^^UCUM", flag="H", printed="60-100")
    other = obx("96", number=2, code="ZZ^Odd sign^L", unit="%^^UCUM", flag="L", printed="97-100")
    assert of(tmp_path, pulse, other) is None


@pytest.mark.parametrize("section", ["RAD", "EC", "PF"])
def test_what_another_section_reports_is_none(section: str, tmp_path: Path) -> None:
    order = f"OBR|1||F1|X^Study^L|||20261120083000+0000{'|' * 17}{section}|F"
    line = obx("99", code="ZZ^Odd index^L", unit="%^^UCUM", flag="H", printed="0-50")
    (tmp_path / "m.hl7").write_bytes(oru(order, line))
    assessment = assess_paths([tmp_path], at=AT, now=AT, settings=Settings()).assessment
    assert assessment.laboratory is None


def _observation(**more: Any) -> dict[str, Any]:
    """The result of a test that is not held here, without a category."""
    quantity = {"value": 450, "unit": "umol/L", "system": "http://unitsofmeasure.org"}
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "code": {"text": "Kreatinin"},
        "effectiveDateTime": SECOND,
        "valueQuantity": quantity | {"code": "umol/L"},
        **more,
    }


REPORT = {
    "resourceType": "DiagnosticReport",
    "id": "r",
    "status": "final",
    "subject": {"reference": "Patient/p1"},
    "code": {"text": "Panel"},
    "result": [{"reference": "Observation/o"}],
}


@pytest.mark.parametrize(
    ("observation", "others"),
    [
        (_observation(interpretation=[{"coding": [{"code": "HH"}]}]), []),
        (_observation(referenceRange=[{"text": "45-84"}]), []),
        (_observation(specimen={"display": "serum"}), []),
        (_observation(), [REPORT | {"category": [{"coding": [{"code": "LAB"}]}]}]),
    ],
    ids=["flag", "interval", "specimen", "report of a laboratory"],
)
def test_an_observation_without_a_category_is_a_result_by_where_it_stands(
    observation: dict[str, Any], others: list[Any], tmp_path: Path
) -> None:
    report = report_of(tmp_path, observation, *others)
    assert [result.name for result in report.results] == ["Kreatinin"]
    if "interpretation" in observation:
        assert "Kreatinin 450 umol/L" in part(report, "urgent")
