"""A released reading as it leaves: JSON, FHIR R4, or a DICOM structured report."""

from typing import Any, Literal

import orjson

from agent.assessment import RESEARCH_USE
from serving.reading.model import Release
from tools.dicom_out.sources import Sources
from tools.readings.fhir_out import fhir_bundle
from tools.readings.model import Reading
from tools.readings.sr_out import reading_sr

Form = Literal["json", "fhir", "sr"]

MEDIA: dict[Form, str] = {
    "json": "application/json",
    "fhir": "application/fhir+json",
    "sr": "application/dicom",
}


def written(release: Release, form: Form, sources: Sources | None = None) -> bytes:
    """Return a release in one of its forms.

    Args:
        release: What was released.
        form: Which one.
        sources: The images that were read, for a structured report that lies beside them.

    Raises:
        ContractError: The reading cannot be written as a structured report.
        IdentityConflictError: The images are of another patient.
    """
    reading = Reading.model_validate(release.reading)
    match form:
        case "json":
            return orjson.dumps(
                {"notice": RESEARCH_USE, "release": release.model_dump(mode="json")}
            )
        case "fhir":
            return orjson.dumps(_fhir(release, fhir_bundle(reading)))
        case "sr":
            return reading_sr(reading, sources)


def _fhir(release: Release, bundle: dict[str, Any]) -> dict[str, Any]:
    """Return the bundle with what the release says: a correction, and where its readers differed.

    FHIR R4 DiagnosticReport.status: ``corrected`` is a change of a final report.
    """
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "DiagnosticReport":
            continue
        if release.number > 1:
            resource["status"] = "corrected"
        resource["issued"] = release.released_at.isoformat()
        told = _told(release)
        if told:
            resource["conclusion"] = "\n".join([resource.get("conclusion", ""), *told]).strip()
    return bundle


def _told(release: Release) -> list[str]:
    return [
        f"Two readers differed on {one.path}: first {one.first.state.value}, "
        f"second {one.second.state.value}"
        + (f"; released: the {one.choice}'s ({one.reason})" if one.choice else "; both stand")
        for one in release.differences
    ]
