"""A reading of somebody else is not combined, whatever number it carries.

The patient of the example is a man born on 1983-01-30, by his chart; he is 43 on 2026-11-20.
"""

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pydicom
import pytest

from agent.assessment import Assessment, Status
from tests.agent.cases import assessed, example
from tests.agent.test_signed_readings import PATIENT, SHOWN, answer, by_doctor, read
from tools.readings.fhir_out import fhir_bundle
from tools.readings.model import Subject
from tools.readings.sr_out import reading_sr


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return example("early_presenter", tmp_path)


def with_bundle(case: Path, change: Callable[[dict[str, Any]], object]) -> Assessment:
    """Return the assessment with a signed film whose Patient was changed."""
    bundle = json.loads(json.dumps(fhir_bundle(by_doctor(read(SHOWN)))))
    resources = [entry["resource"] for entry in bundle["entry"]]
    (patient,) = [r for r in resources if r["resourceType"] == "Patient"]
    change(patient)
    (case / "film.fhir.json").write_text(json.dumps(bundle), "utf-8")
    return assessed(case)


def used(a: Assessment) -> bool:
    """Return whether the pneumothorax of the reading counts."""
    found = answer(a)
    return a.status is not Status.REFUSED and found is not None and found.state == "present"


OTHER: Mapping[str, Any] = {"name": [{"family": "Other", "given": ["Person"]}]}


@pytest.mark.parametrize(
    "change", [OTHER, {"birthDate": "1999-01-01"}, {**OTHER, "birthDate": "1999-01-01"}]
)
def test_another_name_or_birth_date_beside_the_number_refuses_the_case(
    case: Path, change: Mapping[str, Any]
) -> None:
    a = with_bundle(case, lambda patient: patient.update(change))
    assert a.status is Status.REFUSED
    assert not used(a)


def test_a_second_number_of_one_issuer_makes_the_reading_unusable(case: Path) -> None:
    other = {"system": PATIENT.issuer, "value": "EX-9999"}
    a = with_bundle(case, lambda patient: patient["identifier"].append(other))
    assert not used(a)
    (told,) = [one for one in a.inputs if one.file == "film.fhir.json"]
    assert told.status == "failed"
    assert "two numbers of one issuer" in (told.reason or "")


def test_the_same_patient_is_combined(case: Path) -> None:
    assert used(with_bundle(case, lambda patient: patient.update({"birthDate": "1983-01-30"})))


@pytest.mark.parametrize(
    ("years", "fits"), [(80, False), (40, False), (42, True), (43, True), (44, True)]
)
def test_an_age_that_is_not_his_refuses_the_case(case: Path, years: float, fits: bool) -> None:
    subject = Subject(id=PATIENT.id, issuer=PATIENT.issuer, sex="male", age_years=years)
    one = by_doctor(read(SHOWN, subject=subject))
    (case / "film.json").write_text(one.model_dump_json(by_alias=True), "utf-8")
    a = assessed(case)
    assert used(a) == fits
    assert (a.status is Status.REFUSED) != fits


def test_another_name_in_a_dicom_report_refuses_the_case(case: Path) -> None:
    ds = pydicom.dcmread(io.BytesIO(reading_sr(by_doctor(read(SHOWN)))))
    ds.PatientName = "Other^Person"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds)
    (case / "film_sr.dcm").write_bytes(buffer.getvalue())
    assert assessed(case).status is Status.REFUSED
