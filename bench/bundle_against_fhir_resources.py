"""Bundle to timeline: our intake against parsing alone with fhir.resources R4B, in one run.

    python bench/bundle_against_fhir_resources.py [BUNDLE.json ...] [--rounds N] [--json]

Without a file two bundles are measured: the Synthea patient of 508 entries among the real test
records, where these are at hand, and a synthetic transaction of 500 entries, every one of which
becomes a fact: one Patient, 299 laboratory Observations with the elements of a US Core export,
encounters and conditions. Ours does more in the measured time: it validates, converts units, takes
the newest version of each resource, and orders the facts.
"""

import argparse
import gc
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from knowledge.patient import Patient
from knowledge.timeline import Timeline
from tools.intake.fhir.bundle import parse
from tools.intake.fhir.chart import read_chart

ROOT = Path(__file__).resolve().parents[1]
INSTALL = "pip install 'fhir.resources==8.3.0' (in an environment of its own)"

_TESTS = (
    ("67151-1", "Troponin T, high sensitivity", 12.0, "ng/L"),
    ("2160-0", "Creatinine", 0.9, "mg/dL"),
    ("2823-3", "Potassium", 4.1, "mmol/L"),
    ("718-7", "Hemoglobin", 13.9, "g/dL"),
    ("2345-7", "Glucose", 5.6, "mmol/L"),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure both on each bundle and print the ratio; 2 where fhir.resources is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    try:
        theirs = importlib.import_module("fhir.resources.R4B.bundle").Bundle
    except ImportError:
        sys.stderr.write(f"fhir.resources is not installed: {INSTALL}\n")
        return 2
    results = []
    for name, content in bundles(options.bundle):
        ours, reference = timed(
            (partial(to_timeline, content), partial(theirs.model_validate_json, content)),
            options.rounds,
        )
        result = {
            "bundle": name,
            "entries": len(orjson.loads(content)["entry"]),
            "kib": len(content) // 1024,
            "facts": len(to_timeline(content).facts),
            "ours_ms": ours,
            "fhir_resources_ms": reference,
            "ratio_of_medians": round(reference["median"] / ours["median"], 1),
            "ratio_of_bests": round(reference["best"] / ours["best"], 1),
        }
        results.append(result)
    sys.stdout.write(json.dumps(results) + "\n" if options.json else "".join(map(words, results)))
    return 0


def bundles(paths: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the bundles to measure, each with what to call it."""
    real = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    for path in paths or sorted(real.glob("synthea-fhir-r4/Lean*.json")):
        yield "Synthea patient" if not paths else path.name, path.read_bytes()
    if not paths:
        yield "synthetic", synthetic_bundle()


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
    """Return one result as lines of text."""
    ours, theirs = result["ours_ms"], result["fhir_resources_ms"]
    return (
        f"{result['bundle']}: {result['entries']} entries, {result['kib']} KiB\n"
        f"  bundle to {result['facts']} ordered facts: "
        f"median {ours['median']} ms, best {ours['best']} ms\n"
        f"  fhir.resources R4B, parsing alone: "
        f"median {theirs['median']} ms, best {theirs['best']} ms\n"
        f"  ratio of medians {result['ratio_of_medians']}, of bests {result['ratio_of_bests']}\n"
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
