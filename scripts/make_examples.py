"""Write the bundled synthetic examples: ``python scripts/make_examples.py``.

Five invented patients. The seeds are fixed; running it again gives the same bytes, which a test
checks. Nothing in them comes from a real record.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from example_patients import EXAMPLES, Example
from synthetic_ecg import Tracing, dicom_bytes

TARGET = Path(__file__).parents[1] / "serving" / "examples"
MRN = "urn:epicrisis:example-mrn"

LOINC = {
    "hs_ctnt": (
        "67151-1",
        "Troponin T.cardiac [Mass/volume] in Serum or Plasma by High sensitivity method",
    ),
    "hs_ctni": (
        "89579-7",
        "Troponin I.cardiac [Mass/volume] in Serum or Plasma by High sensitivity method",
    ),
    "creatinine": ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"),
    "potassium": ("2823-3", "Potassium [Moles/volume] in Serum or Plasma"),
    "glucose": ("2345-7", "Glucose [Mass/volume] in Serum or Plasma"),
    "haemoglobin": ("718-7", "Hemoglobin [Mass/volume] in Blood"),
    "sodium": ("2951-2", "Sodium [Moles/volume] in Serum or Plasma"),
    "chloride": ("2075-0", "Chloride [Moles/volume] in Serum or Plasma"),
    "bicarbonate": ("1963-8", "Bicarbonate [Moles/volume] in Serum or Plasma"),
    "urea": ("22664-7", "Urea [Moles/volume] in Serum or Plasma"),
    "albumin": ("1751-7", "Albumin [Mass/volume] in Serum or Plasma"),
    "mcv": ("787-2", "MCV [Entitic mean volume] in Red Blood Cells by Automated count"),
    "platelets": ("777-3", "Platelets [#/volume] in Blood by Automated count"),
    "crp": ("1988-5", "C reactive protein [Mass/volume] in Serum or Plasma"),
    "ck": ("2157-6", "Creatine kinase [Enzymatic activity/volume] in Serum or Plasma"),
    "ph_arterial": ("2744-1", "pH of Arterial blood"),
    "pco2_arterial": ("2019-8", "Carbon dioxide [Partial pressure] in Arterial blood"),
    "lactate": ("2518-9", "Lactate [Moles/volume] in Arterial blood"),
    "d_dimer": ("48065-7", "Fibrin D-dimer FEU [Mass/volume] in Platelet poor plasma"),
    "heart_rate": ("8867-4", "Heart rate"),
    "respiratory_rate": ("9279-1", "Respiratory rate"),
    "spo2": ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
    "temperature": ("8310-5", "Body temperature"),
}


def bundle(example: Example) -> dict[str, Any]:
    """Return the FHIR R4 collection bundle of one example."""
    patient = {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": [{"system": MRN, "value": f"EX-{example.number:04d}"}],
        "name": [{"family": example.family, "given": [example.given]}],
        "gender": example.sex,
        "birthDate": example.birth,
    }
    encounter = {
        "resourceType": "Encounter",
        "id": "encounter",
        "status": "in-progress",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "EMER",
        },
        "subject": {"reference": "Patient/patient"},
        "period": {"start": example.arrival.isoformat()},
    }
    resources = [patient, encounter]
    resources += [_condition(i, c) for i, c in enumerate(example.conditions, 1)]
    resources += [_result(example, i, row) for i, row in enumerate(example.results, 1)]
    if example.blood_pressure is not None:
        resources.append(_blood_pressure(example, example.blood_pressure))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"urn:epicrisis:example:{r['resourceType']}:{r['id']}", "resource": r}
            for r in resources
        ],
    }


def case_yaml(example: Example) -> str:
    """Return the ``case.yaml`` of one example."""
    hour = example.arrival + timedelta(minutes=80 if example.name == "nstemi" else 25)
    return (
        f"# SYNTHETIC: an invented patient, {example.about}.\n"
        "schema: epicrisis/case/1\n"
        f"case: example-{example.name.replace('_', '-')}\n"
        "synthetic: true\n"
        "problem: acute chest pain\n"
        + ("" if example.ecg_naive else "time_zone: Europe/Berlin\n")
        + f"at: {hour.isoformat()}\n"
        + example.case
    )


def write() -> None:
    """Write every example below `TARGET`."""
    for example in EXAMPLES:
        folder = TARGET / example.name
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(bundle(example), indent=1, ensure_ascii=False) + "\n"
        (folder / "chart.json").write_text(text, encoding="utf-8")
        (folder / "case.yaml").write_text(case_yaml(example), encoding="utf-8")
        (folder / "ecg.dcm").write_bytes(dicom_bytes(_tracing(example)))


def _tracing(example: Example) -> Tracing:
    start = example.arrival + timedelta(minutes=6)
    return Tracing(
        seed=example.number,
        start=start.replace(tzinfo=None) if example.ecg_naive else start,
        patient={
            "PatientName": f"{example.family}^{example.given}",
            "PatientID": f"EX-{example.number:04d}",
            "IssuerOfPatientID": MRN,
            "PatientBirthDate": example.birth.replace("-", ""),
            "PatientSex": example.sex[0].upper(),
        },
        **example.ecg,
    )


def _result(example: Example, index: int, row: tuple[str, float | str, str, int]) -> dict[str, Any]:
    name, value, unit, minutes = row
    code, display = LOINC[name]
    quantity: dict[str, Any] = {"unit": unit} if unit else {}
    if isinstance(value, str):
        quantity |= {"comparator": value[0], "value": float(value[1:])}
    else:
        quantity["value"] = value
    vital = name in {"heart_rate", "respiratory_rate", "spo2", "temperature"}
    return {
        "resourceType": "Observation",
        "id": f"{name.replace('_', '-')}-{index}",
        "status": "final",
        "category": [_category("vital-signs" if vital else "laboratory")],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]},
        "subject": {"reference": "Patient/patient"},
        "effectiveDateTime": (example.arrival + timedelta(minutes=minutes)).isoformat(),
        "valueQuantity": quantity,
        **({"note": [{"text": example.remarks[name]}]} if _remarked(example, row) else {}),
    }


def _remarked(example: Example, row: tuple[str, float | str, str, int]) -> bool:
    return row[0] in example.remarks and row[3] >= 0


def _blood_pressure(example: Example, values: tuple[int, int]) -> dict[str, Any]:
    names = (("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure"))
    return {
        "resourceType": "Observation",
        "id": "blood-pressure",
        "status": "final",
        "category": [_category("vital-signs")],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "subject": {"reference": "Patient/patient"},
        "effectiveDateTime": (example.arrival + timedelta(minutes=3)).isoformat(),
        "component": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": c, "display": d}]},
                "valueQuantity": {"value": v, "unit": "mmHg"},
            }
            for (c, d), v in zip(names, values, strict=True)
        ],
    }


def _condition(index: int, condition: tuple[str, str]) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {
        "resourceType": "Condition",
        "id": f"condition-{index}",
        "clinicalStatus": {"coding": [{"system": system + "clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": system + "ver-status", "code": "confirmed"}]},
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": condition[0]}],
            "text": condition[1],
        },
        "subject": {"reference": "Patient/patient"},
        "recordedDate": "2020-01-15",
    }


def _category(code: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/observation-category"
    return {"coding": [{"system": system, "code": code}]}


if __name__ == "__main__":
    write()
