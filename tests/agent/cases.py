"""Cases for tests: bundled examples copied to a folder, changed, and assessed."""

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent.assess import Outcome, assess_paths
from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.risk import Risk
from knowledge.settings import Settings

NOW = parse_fhir("2026-11-21T12:00:00Z", clock="test")
EXAMPLES = Path(str(files("serving").joinpath("examples")))


def example(name: str, folder: Path) -> Path:
    """Return a copy of a bundled example below `folder`, free to be changed."""
    target = folder / name
    shutil.copytree(EXAMPLES / name, target)
    return target


def assessed(*paths: Path, at: ClinicalTime | None = None, **settings: Any) -> Assessment:
    """Return the assessment of some paths."""
    return outcome(*paths, at=at, **settings).assessment


def outcome(*paths: Path, at: ClinicalTime | None = None, **settings: Any) -> Outcome:
    """Return the outcome of some paths."""
    return assess_paths(list(paths), at=at, now=NOW, settings=Settings(**settings))


def risk(assessment: Assessment, tool: str) -> Risk:
    """Return one risk by the name of its tool or of its algorithm."""
    return next(r for r in assessment.risks if tool in (r.tool, r.name))


def change_chart(case: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite the chart of a case."""
    chart = case / "chart.json"
    data = json.loads(chart.read_text("utf-8"))
    change(data)
    chart.write_text(json.dumps(data), "utf-8")


def resources(chart: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the resources of one type in a bundle."""
    entries = [entry["resource"] for entry in chart["entry"]]
    return [resource for resource in entries if resource["resourceType"] == kind]


def change_case(case: Path, old: str, new: str) -> None:
    """Replace text in the case file of a case; the text must be there."""
    file = case / "case.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def low_risk_case(folder: Path) -> Path:
    """Return a case that should end low: late presenter, two low samples, normal ECG, no pain now.

    Nothing that discharge rests on is unknown: vital signs, embolism and dissection are answered.
    """
    case = example("early_presenter", folder)
    change_case(case, "facts:\n", "facts:\n  pain_ongoing: no\n")
    change_case(case, "onset: 2026-11-20T17:30:00+01:00", "onset: 2026-11-20T13:30:00+01:00")
    change_case(case, "at: 2026-11-20T19:05:00+01:00", "at: 2026-11-20T20:05:00+01:00")

    def second_sample(chart: dict[str, Any]) -> None:
        first = next(
            e["resource"]
            for e in chart["entry"]
            if e["resource"].get("id", "").startswith("hs-ctni")
        )
        later = {
            **first,
            "id": "hs-ctni-late",
            "effectiveDateTime": "2026-11-20T19:50:00+01:00",
            "valueQuantity": {"value": 2.9, "unit": "ng/L"},
        }
        chart["entry"].append({"resource": later})

    change_chart(case, second_sample)
    return case


def answered(case: Path, *answers: str) -> Path:
    """Add explicit answers to a case and return it."""
    with (case / "case.yaml").open("a", encoding="utf-8") as file:
        file.write("answers:\n" + "".join(f"  {answer}\n" for answer in answers))
    return case
