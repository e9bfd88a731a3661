"""A chart of two samples two days apart, as FHIR: the later one haemolysed, with ketoacidosis."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from agent.assess import assess_paths
from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.settings import Settings

FIRST, SECOND = "2026-11-18T08:00:00+01:00", "2026-11-20T09:30:00+01:00"
AT = ClinicalTime(at=datetime(2026, 11, 20, 11, 0, tzinfo=UTC))

Row = tuple[str, str, float | str, str, str]
"""LOINC, name, value, UCUM unit (empty for words), time."""

ROWS: tuple[Row, ...] = (
    ("2823-3", "Potassium", 4.2, "mmol/L", FIRST),
    ("2823-3", "Potassium", 6.8, "mmol/L", SECOND),
    ("2951-2", "Sodium", 139, "mmol/L", FIRST),
    ("2951-2", "Sodium", 128, "mmol/L", SECOND),
    ("2075-0", "Chloride", 92, "mmol/L", SECOND),
    ("1963-8", "Bicarbonate", 9, "mmol/L", SECOND),
    ("1751-7", "Albumin", 36, "g/L", SECOND),
    ("14682-9", "Creatinine", 97, "umol/L", FIRST),
    ("14682-9", "Creatinine", 240, "umol/L", SECOND),
    ("14749-6", "Glucose", 31, "mmol/L", SECOND),
    ("1920-8", "AST", 200, "U/L", SECOND),
    ("1742-6", "ALT", 190, "U/L", SECOND),
    ("6768-6", "ALP", 82, "U/L", SECOND),
    ("600-7", "Blood culture", "Escherichia coli", "", SECOND),
    ("882-1", "ABO and Rh", "A positive", "", FIRST),
    ("882-1", "ABO and Rh", "O positive", "", SECOND),
)


def assessed(
    folder: Path,
    rows: Iterable[Row] = ROWS,
    *,
    haemolysed: bool = True,
    flags: dict[str, str] | None = None,
    settings: Settings | None = None,
) -> Assessment:
    """Return the assessment of a chart of these rows.

    Args:
        folder: Where the chart is written.
        rows: The results.
        haemolysed: Whether the second potassium carries the laboratory's remark.
        flags: The laboratory's own flags, by name of the test, on second results.
        settings: Other than the defaults.
    """
    entries: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1968-02-03"}
    ]
    for number, row in enumerate(rows):
        entries.append(_observation(number, row, haemolysed=haemolysed, flags=flags or {}))
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in entries],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chart.json").write_bytes(orjson.dumps(bundle))
    return assess_paths([folder], at=AT, now=AT, settings=settings or Settings()).assessment


def _observation(
    number: int, row: Row, *, haemolysed: bool, flags: dict[str, str]
) -> dict[str, Any]:
    code, name, value, unit, time = row
    found: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name},
        "subject": {"reference": "Patient/p1"},
    }
    if time:
        found["effectiveDateTime"] = time
    if unit:
        found["valueQuantity"] = {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        }
    else:
        found["valueCodeableConcept"] = {"text": value}
    if haemolysed and name == "Potassium" and time == SECOND:
        found["note"] = [{"text": "Sample haemolysed"}]
    if time == SECOND and name in flags:
        found["interpretation"] = [{"coding": [{"code": flags[name]}]}]
    return found
