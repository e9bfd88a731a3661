"""A bundled example as the service keeps it: a real database file, a fixed clock."""

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from agent.assess import Outcome, assess_paths
from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.settings import Settings
from serving.cases.model import Case, Source, StoredAssessment
from serving.cases.store import CaseStore
from serving.storage.opening import open_storage

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
BASE = "https://ehr.example.org/fhir"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An example that was assessed and kept."""

    case: Case
    stored: StoredAssessment
    outcome: Outcome


def keep(
    folder: Path, example: str, *, source: Source = "upload", patient: str | None = None
) -> Kept:
    settings = Settings(data_dir=folder)
    database, file_store = open_storage(settings)
    store = CaseStore(database, file_store, clock=lambda: NOW)
    case = store.create(label="bed 4", source=source, by="dr-1", patient=patient)
    with as_file(files("serving").joinpath("examples", example)) as path:
        outcome = assess_paths([path], at=None, now=ClinicalTime(at=NOW), settings=settings)
    stored = store.keep_assessment(
        case.id, outcome.assessment, by="dr-1", why="asked for", language="en"
    )
    return Kept(case=case, stored=stored, outcome=outcome)


def with_body(kept: Kept, **changes: Any) -> StoredAssessment:
    """Return the kept assessment with other content, validated as an assessment."""
    body = Assessment.model_validate({**kept.stored.body, **changes}).to_json()
    return kept.stored.model_copy(update={"body": body})


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]
