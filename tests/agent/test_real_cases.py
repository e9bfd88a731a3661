"""Real recordings and real laboratory data, attached to charts declared synthetic."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from agent.assessment import Assessment, Status
from knowledge.clinical_time import parse_fhir
from knowledge.finding import State
from knowledge.pathways import Urgency
from tests.agent.cases import assessed, outcome, risk
from tests.data_folder import shared_data

CASE = """\
schema: epicrisis/case/1
case: real-recording
synthetic: true
time_zone: Europe/Berlin
at: 2026-11-20T09:30:00+01:00
patient: {{family: Erfunden, given: [Test], birth_date: 1950-02-01, sex: {sex}}}
attach:
  - {{file: "{file}", patient: same, recorded_at: 2026-11-20T09:20:00+01:00}}
facts:
  onset: 2026-11-20T06:00:00+01:00
"""


def with_recording(folder: Path, *files: Path, sex: str = "male") -> Path:
    """Return a case that holds a real recording and an invented patient."""
    for file in files:
        shutil.copy(file, folder / file.name)
    (folder / "case.yaml").write_text(CASE.format(file=files[0].name, sex=sex), "utf-8")
    return folder


def ecg_words(found: Assessment) -> str:
    return next(s.text for s in found.narrative.sentences if s.text.startswith("ECG:"))


def state(found: Assessment, text: str) -> State:
    return next(f.state for f in found.findings if f.concept.text == text)


def test_ptb_s0010_is_read_and_nothing_is_ruled_out(tmp_path: Path) -> None:
    """The record's own header says acute infero-lateral infarction, two days after lysis."""
    folder = shared_data("ecg-wfdb-samples")
    files = [folder / f"s0010_re.{ending}" for ending in ("hea", "dat", "xyz")]
    case = with_recording(tmp_path, *files, sex="female")
    found = assessed(case)
    assert found.status is Status.PARTIAL
    assert "athological Q" in ecg_words(found)
    acs = next(e for e in found.differential if e.id == "acs")
    assert acs.verdict != "argued against"
    assert risk(found, "heart").value is None
    advised = [r.id for r in found.recommendations]
    assert "troponin_now" in advised
    assert "posterior_leads" in advised


SIERRA = [
    # file, immediate call expected, words expected; by the device's own statements
    ("129DYPRG.XML", True, "inferior"),  # device: acute inferior infarct, >>> Acute MI <<<
    ("2020-5-18_15-48-11.xml", False, "sinus rhythm"),
    ("3191723_ZZDEMOPTONLY_1-04_orig.xml", False, "hypertrophy"),  # LVH, a mimic
    ("ad4d3d80-d165_1-04_orig.xml", False, "sinus bradycardia"),
]


@pytest.mark.parametrize(("name", "immediate", "words"), SIERRA, ids=[row[0] for row in SIERRA])
def test_each_philips_file_is_assessed_as_its_device_read_it(
    tmp_path: Path, name: str, immediate: bool, words: str
) -> None:
    case = with_recording(tmp_path, shared_data("ecg-sierra-xml") / name)
    found = assessed(case)
    assert (found.narrative.urgency is Urgency.IMMEDIATE) is immediate
    assert words in ecg_words(found)
    assert any("device-said" in f.flags for f in found.findings)


def test_the_left_ventricular_hypertrophy_mimic_shows_device_and_us_side_by_side(
    tmp_path: Path,
) -> None:
    case = with_recording(
        tmp_path, shared_data("ecg-sierra-xml") / "3191723_ZZDEMOPTONLY_1-04_orig.xml"
    )
    said = [side.says for c in assessed(case).conflicts for side in c.sides]
    assert any("ANTERIOR ST ELEVATION" in text for text in said)


def test_an_annotated_ecg_is_assessed_and_its_device_says_the_same_rate(tmp_path: Path) -> None:
    case = with_recording(
        tmp_path, shared_data("ecg-sierra-xml") / "ad4d3d80-d165_1-04_converted.xml"
    )
    found = assessed(case)
    record = next(i for i in found.inputs if i.file.endswith("converted.xml"))
    assert (record.status, record.kind) == ("read", "ECG (hl7-aecg)")
    assert "bradycardia" in ecg_words(found)  # the device: "SINUS BRADYCARDIA, V-rate<60", 41 /min
    assert any("SINUS BRADYCARDIA" in str(f.value) for f in found.findings)


def test_the_dicom_ecg_is_normal_as_its_device_says(tmp_path: Path) -> None:
    case = with_recording(tmp_path, shared_data("ecg-dicom") / "waveform_ecg.dcm")
    found = assessed(case)
    assert state(found, "ST-elevation criteria of myocardial infarction") is State.ABSENT
    assert "sinus rhythm" in ecg_words(found)
    assert not any(c.what.startswith("ST") for c in found.conflicts)
    assert found.narrative.urgency is not Urgency.ROUTINE, "a normal ECG alone excludes nothing"


def test_a_recording_without_identity_is_not_used_without_its_line(tmp_path: Path) -> None:
    folder = shared_data("ecg-wfdb-samples")
    for name in ("s0010_re.hea", "s0010_re.dat", "s0010_re.xyz"):
        shutil.copy(folder / name, tmp_path / name)
    (tmp_path / "case.yaml").write_text(
        "schema: epicrisis/case/1\ncase: x\npatient: {family: A, birth_date: 1950-01-01}\n", "utf-8"
    )
    found = outcome(tmp_path)
    assert found.ecgs == ()
    record = next(i for i in found.assessment.inputs if i.file == "s0010_re.hea")
    assert record.status != "read"
    assert "attach" in record.reason


def test_every_synthea_patient_is_assessed_without_a_failed_file_or_a_number_from_nothing() -> None:
    files = [f for f in sorted(shared_data("synthea-fhir-r4").glob("*.json")) if "_" in f.stem]
    assert len(files) == 6
    for file in files:
        found = assessed(file)
        assert [i.status for i in found.inputs] == ["read"], found.inputs[0].reason
        assert found.status is Status.NOT_ASSESSABLE
        for result in found.risks:
            assert result.value is None or not result.missing
        assert {e.verdict.value for e in found.differential} <= {"not assessed", "supported"}


SYSTEMS = {"M": "male", "F": "female"}


def smart_patients(limit: int) -> list[tuple[str, dict[str, Any]]]:
    """Return patients of the tab tables as FHIR bundles: problems, laboratory, vital signs."""
    folder = shared_data("smart-sample-patients")

    def rows(name: str) -> list[dict[str, str]]:
        with (folder / f"{name}.txt").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    labs, problems, vitals = rows("labs"), rows("problems"), rows("vitals")
    found = []
    for person in rows("patients")[:limit]:
        pid = person["PID"]
        resources: list[dict[str, Any]] = [_patient(person)]
        resources += [_lab(row) for row in labs if row["PID"] == pid]
        resources += [_problem(row) for row in problems if row["PID"] == pid]
        resources += [_vital(row) for row in vitals if row["PID"] == pid and row["HEART_RATE"]]
        entries = [{"resource": resource} for resource in resources]
        found.append((pid, {"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return found


def _patient(row: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": row["PID"],
        "identifier": [{"system": "urn:test:smart", "value": row["PID"]}],
        "name": [{"family": row["lname"], "given": [row["fname"]]}],
        "birthDate": row["dob"],
        "gender": SYSTEMS.get(row["GENDER"], "unknown"),
    }


def _lab(row: dict[str, str]) -> dict[str, Any]:
    coding = {"system": "http://loinc.org", "code": row["LOINC"], "display": row["NAME"]}
    value: dict[str, Any]
    try:
        value = {"valueQuantity": {"value": float(row["VALUE"]), "unit": row["UNITS"]}}
    except ValueError:  # the table prints words in some numeric rows
        value = {"valueString": row["VALUE"]}
    return {
        "resourceType": "Observation",
        "id": f"lab-{row['ID']}",
        "status": "final",
        "code": {"coding": [coding]},
        "subject": {"reference": f"Patient/{row['PID']}"},
        "effectiveDateTime": row["DATE"],
        **value,
    }


def _vital(row: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"vital-{row['ID']}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{row['PID']}"},
        "effectiveDateTime": row["TIMESTAMP"],
        "valueQuantity": {"value": float(row["HEART_RATE"]), "unit": "/min"},
    }


def _problem(row: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"problem-{row['ID']}",
        "code": {
            "coding": [{"system": "http://snomed.info/sct", "code": row["SNOMED"]}],
            "text": row["NAME"],
        },
        "subject": {"reference": f"Patient/{row['PID']}"},
        "onsetDateTime": row["START_DATE"],
    }


def test_smart_sample_patients_are_assessed_and_old_values_are_called_old(tmp_path: Path) -> None:
    people = smart_patients(60)
    assert len(people) >= 50
    at = parse_fhir("2026-11-20T10:00:00Z", clock="test")
    stale = 0
    for pid, bundle in people:
        file = tmp_path / f"{pid}.json"
        file.write_text(json.dumps(bundle), "utf-8")
        found = assessed(file, at=at)
        assert [i.status for i in found.inputs] == ["read"], found.inputs[0].reason
        assert found.status is Status.NOT_ASSESSABLE
        assert risk(found, "grace_in_hospital").value is None
        stale += any(
            f.not_assessed is not None and f.not_assessed.why == "stale" for f in found.findings
        )
    assert stale >= 20, "laboratory values of 2000-2010 are not this presentation's"


def test_a_smart_patient_with_a_fresh_creatinine_in_mg_dl_counts_it(tmp_path: Path) -> None:
    people = dict(smart_patients(60))
    pid, bundle = next(
        (pid, bundle)
        for pid, bundle in people.items()
        if any(
            e["resource"].get("code", {}).get("coding", [{}])[0].get("code") == "2160-0"
            for e in bundle["entry"]
        )
    )
    results = [e["resource"] for e in bundle["entry"]]
    newest = max(
        (r for r in results if r.get("code", {}).get("coding", [{}])[0].get("code") == "2160-0"),
        key=lambda r: r["effectiveDateTime"],
    )
    file = tmp_path / "chart.json"
    file.write_text(json.dumps(bundle), "utf-8")
    at = parse_fhir(f"{newest['effectiveDateTime']}T23:00:00Z", clock="test")
    found = assessed(file, at=at)
    creatinine = next(f for f in found.findings if f.concept.text == "Creatinine")
    assert creatinine.quantity is not None, pid
    assert creatinine.quantity.unit == "mg/dL"
    assert creatinine.interval is not None
    assert creatinine.interval.contains(newest["valueQuantity"]["value"])
