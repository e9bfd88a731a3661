"""Microbiology and molecular results are shown as given; medicines tell of interferences."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from agent.assess import assess_paths
from agent.laboratory.model import LaboratoryReport, LaboratoryResult
from agent.laboratory.view import laboratory_view
from knowledge.settings import Settings
from tests.agent.laboratory.chart import AT, SECOND

_SAYS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def observation(name: str, code: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": text},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": SECOND,
        **more,
    }


def said(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": _SAYS, "code": code}]}]


def report_of(folder: Path, *resources: dict[str, Any]) -> LaboratoryReport:
    """Return the laboratory's part of a chart of these resources."""
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-01-01"}
    entries = [{"resource": resource} for resource in (patient, *resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (folder / "chart.json").write_bytes(orjson.dumps(bundle))
    found = assess_paths([folder], at=AT, now=AT, settings=Settings()).assessment.laboratory
    assert found is not None
    return found


def named(report: LaboratoryReport, name: str) -> LaboratoryResult:
    (found,) = [result for result in report.results if result.name == name]
    return found


@pytest.fixture
def culture(tmp_path: Path) -> LaboratoryReport:
    of = [{"reference": "Observation/culture"}]
    amount = {"value": 0.25, "comparator": "<=", "unit": "ug/mL", "code": "ug/mL"}
    return report_of(
        tmp_path,
        observation("culture", "600-7", "Culture", valueCodeableConcept={"text": "E. coli"}),
        observation(
            "amp",
            "18864-9",
            "Ampicillin",
            valueCodeableConcept={"text": "Resistant"},
            interpretation=said("R"),
            derivedFrom=of,
        ),
        observation(
            "cip",
            "18906-8",
            "Ciprofloxacin",
            valueQuantity=amount,
            interpretation=said("S"),
            derivedFrom=of,
        ),
        observation("gene", "21659-4", "EGFR gene", valueString="p.(Leu858Arg) detected"),
    )


def test_a_susceptibility_is_shown_as_given_and_belongs_to_its_organism(
    culture: LaboratoryReport,
) -> None:
    assert named(culture, "Ciprofloxacin").part_of == "Blood culture: E. coli"
    assert named(culture, "Ampicillin").quality == ("resistant",)
    rows = {
        row.name: row
        for panel in laboratory_view(culture, "en", time_zone=None).panels
        for row in panel.rows
    }
    assert (rows["Ciprofloxacin"].value, rows["Ciprofloxacin"].flag) == (
        "<=0.25 ug/mL",
        "susceptible",
    )
    assert rows["Ampicillin"].flag == "resistant"
    assert rows["EGFR gene"].value == "p.(Leu858Arg) detected"
    assert rows["EGFR gene"].flag == "as reported"


def test_no_growth_is_normal_and_another_word_is_not(tmp_path: Path) -> None:
    answer = {"text": "No growth after 5 days"}
    found = report_of(
        tmp_path, observation("culture", "600-7", "Culture", valueCodeableConcept=answer)
    )
    result = named(found, "Blood culture")
    assert result.flag.flag is None or result.flag.flag.value == "normal"
    assert result.flag.flag is not None or result.may_be_critical


def test_a_medicine_of_the_chart_tells_of_an_interference(tmp_path: Path) -> None:
    creatinine = observation(
        "crea", "2160-0", "Creatinine", valueQuantity={"value": 1.6, "unit": "mg/dL"}
    )
    medicine = {
        "resourceType": "MedicationStatement",
        "id": "m1",
        "status": "active",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "Trimethoprim 200 mg"},
        "effectiveDateTime": "2026-11-18",
    }
    found = named(report_of(tmp_path, creatinine, medicine), "Creatinine")
    assert "creatinine_secretion_drugs" in {one.interference for one in found.interferences}


def test_without_a_medicine_list_the_interference_is_not_known(tmp_path: Path) -> None:
    creatinine = observation(
        "crea", "2160-0", "Creatinine", valueQuantity={"value": 1.6, "unit": "mg/dL"}
    )
    found = named(report_of(tmp_path, creatinine), "Creatinine")
    assert "Drug that blocks the secretion of creatinine" in found.not_known
