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
