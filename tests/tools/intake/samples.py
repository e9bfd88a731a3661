"""Small invented FHIR resources and case folders for the intake tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.settings import Settings
from knowledge.timeline import Fact
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.chart import Chart, read_chart
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles, InputFile

AT = parse_fhir("2026-11-20T12:00:00Z", clock="test")
UCUM = "http://unitsofmeasure.org"
MRN = "urn:oid:1.2.3"


def patient(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": MRN, "value": "0012"}],
        "name": [{"family": "Muster", "given": ["Clara"]}],
        "gender": "female",
        "birthDate": "1955-07-21",
        **changes,
    }


def observation(
    value: Any = 12.0, unit: str = "ng/L", loinc: str = "67151-1", **changes: Any
) -> dict[str, Any]:
    """An Observation; an element given as None is left out."""
    made = {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc}], "text": "test"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-11-20T10:00:00+01:00",
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        **changes,
    }
    return {key: element for key, element in made.items() if element is not None}


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [{"resource": resource} for resource in resources],
    }


def chart(*resources: dict[str, Any], at: ClinicalTime | None = AT, file: str = "c.json") -> Chart:
    return read_chart([parse(orjson.dumps(bundle(*resources)), file)], at=at)


def only_fact(*resources: dict[str, Any]) -> Fact:
    facts = chart(*resources).facts
    assert len(facts) == 1
    return facts[0]


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        content = content.encode()
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def read(
    *paths: Path, same_patient: Sequence[str] = (), settings: Settings | None = None
) -> CaseFiles:
    return read_case(
        paths, at=AT, settings=settings or Settings(), same_patient=tuple(same_patient)
    )


def report(case: CaseFiles, name: str) -> InputFile:
    return next(item for item in case.inputs if item.file == name)
