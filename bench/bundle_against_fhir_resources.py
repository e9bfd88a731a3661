"""Bundle to timeline: our intake against parsing alone with fhir.resources R4B, in one run.

    python -m bench.bundle_against_fhir_resources [BUNDLE.json] [--rounds N] [--json]

Without a file a synthetic transaction bundle of 500 entries is made: one Patient, 299 laboratory
Observations with the elements of a US Core export, encounters and conditions.
Ours does more in the measured time: it validates, converts units, and orders the facts.
"""

import argparse
import gc
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from knowledge.patient import Patient
from knowledge.timeline import Timeline
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.chart import read_chart

INSTALL = "pip install 'fhir.resources==8.3.0' (in an environment of its own)"

_TESTS = (
    ("67151-1", "Troponin T, high sensitivity", 12.0, "ng/L"),
    ("2160-0", "Creatinine", 0.9, "mg/dL"),
    ("2823-3", "Potassium", 4.1, "mmol/L"),
    ("718-7", "Hemoglobin", 13.9, "g/dL"),
    ("2345-7", "Glucose", 5.6, "mmol/L"),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure both and print the ratio; 2 where fhir.resources is not installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    content = options.bundle.read_bytes() if options.bundle else synthetic_bundle()
    try:
        theirs = importlib.import_module("fhir.resources.R4B.bundle").Bundle
    except ImportError:
        sys.stderr.write(f"fhir.resources is not installed: {INSTALL}\n")
        return 2
    result: dict[str, Any] = {
        "entries": len(orjson.loads(content)["entry"]),
        "kib": len(content) // 1024,
    }
    ours, reference = timed(
        (lambda: to_timeline(content), lambda: theirs.model_validate_json(content)), options.rounds
    )
    result["ours_ms"], result["fhir_resources_ms"] = ours, reference
    result["ratio_of_medians"] = round(reference["median"] / ours["median"], 1)
    result["facts"] = len(to_timeline(content).facts)
    sys.stdout.write(json.dumps(result) + "\n" if options.json else words(result))
    return 0


def to_timeline(content: bytes) -> Timeline:
    """Return the timeline of a bundle: the work that is measured."""
    chart = read_chart([parse(content, "bundle.json")])
    return Timeline.of(Patient(), chart.facts, (), chart.documents)


def timed(works: Sequence[Callable[[], object]], rounds: int) -> list[dict[str, float]]:
    """Return the best and median time of each work, ms; in turns, so that both see one machine."""
    times: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            gc.collect()
            start = time.perf_counter()
            kept = work()
            taken.append((time.perf_counter() - start) * 1000)
            del kept
    return [{"best": round(min(t), 1), "median": round(statistics.median(t), 1)} for t in times]


def words(result: dict[str, Any]) -> str:
    """Return the result as lines of text."""
    ours, theirs = result["ours_ms"], result["fhir_resources_ms"]
    return (
        f"bundle of {result['entries']} entries, {result['kib']} KiB\n"
        f"  bundle to {result['facts']} ordered facts: "
        f"median {ours['median']} ms, best {ours['best']} ms\n"
        f"  fhir.resources R4B, parsing alone: "
        f"median {theirs['median']} ms, best {theirs['best']} ms\n"
        f"  ratio of medians: {result['ratio_of_medians']}\n"
    )


def synthetic_bundle(entries: int = 500) -> bytes:
    """Return an invented transaction bundle: one Patient, 300 results, encounters, conditions."""
    subject = {"reference": "urn:uuid:patient"}
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "patient", "gender": "female", "birthDate": "1950-01-01"}
    ]
    while len(resources) < entries:
        index = len(resources)
        kind = index % 5
        if kind < 3:
            resources.append(_observation(index, subject))
        elif kind == 3:
            resources.append(_encounter(index, subject))
        else:
            resources.append(_condition(index, subject))
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{r['id']}",
                "resource": r,
                "request": {"method": "POST", "url": r["resourceType"]},
            }
            for r in resources
        ],
    }
    return orjson.dumps(bundle)


def _observation(index: int, subject: dict[str, str]) -> dict[str, Any]:
    """Return a result with the elements a hospital's US Core export carries."""
    code, name, value, unit = _TESTS[index % len(_TESTS)]
    terminology = "http://terminology.hl7.org/CodeSystem"
    core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"
    category = {"system": f"{terminology}/observation-category", "code": "laboratory"}
    normal = {"system": f"{terminology}/v3-ObservationInterpretation", "code": "N"}
    bound = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"o{index}",
        "meta": {"versionId": "1", "lastUpdated": _moment(index + 31), "profile": [core]},
        "identifier": [{"system": "urn:example:lab", "value": f"L{index:06}"}],
        "basedOn": [{"reference": f"ServiceRequest/r{index}", "display": name}],
        "status": "final",
        "category": [{"coding": [category], "text": "Laboratory"}],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": code, "display": name},
                {"system": "urn:example:tests", "code": f"T{code}", "display": name},
            ],
            "text": name,
        },
        "subject": {**subject, "display": "Example, Patient"},
        "encounter": {"reference": "urn:uuid:e3", "display": "Emergency department"},
        "effectiveDateTime": _moment(index),
        "issued": _moment(index + 30),
        "performer": [{"reference": "Organization/lab", "display": "Laboratory"}],
        "valueQuantity": {"value": value + index / 1000, **bound},
        "interpretation": [{"coding": [{**normal, "display": "Normal"}], "text": "normal"}],
        "specimen": {"reference": f"Specimen/s{index}", "display": "Blood"},
        "referenceRange": [
            {"low": {"value": 0, **bound}, "high": {"value": 20, **bound}, "text": "0 to 20"}
        ],
    }


def _encounter(index: int, subject: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": f"e{index}",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
        "subject": subject,
        "period": {"start": _moment(index), "end": _moment(index + 60)},
    }


def _condition(index: int, subject: dict[str, str]) -> dict[str, Any]:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {
        "resourceType": "Condition",
        "id": f"c{index}",
        "clinicalStatus": {"coding": [{"system": clinical, "code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "I10"}]},
        "subject": subject,
        "onsetDateTime": _moment(index),
    }


def _moment(minute: int) -> str:
    return f"2026-11-{1 + minute // 1440 % 28:02}T{minute // 60 % 24:02}:{minute % 60:02}:00+01:00"


if __name__ == "__main__":
    raise SystemExit(main())
