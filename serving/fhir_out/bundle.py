"""All resources of one report in one Bundle."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from agent.assessment import Assessment, Status
from knowledge.risk import Risk
from serving.access.errors import ConflictError
from serving.cases.model import Case, StoredAssessment
from serving.cases.patient import PatientLine
from serving.fhir_out.as_signed import ecg_not_signed, is_rejected, score_as_signed
from serving.fhir_out.notice import with_notice
from serving.fhir_out.observations import observations, score_key
from serving.fhir_out.provenance import DEVICE_KEY, device, provenance
from serving.fhir_out.report import REPORT_KEY, diagnostic_report
from serving.fhir_out.risks import risks
from serving.fhir_out.state import PRELIMINARY, ReportState
from serving.fhir_out.subject import RESULT, Subject
from serving.fhir_out.terms import text, tidy
from serving.storage.base import canonical

_TEST = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}


def report_bundle(
    stored: StoredAssessment,
    state: ReportState = PRELIMINARY,
    *,
    case: Case,
    pdf: bytes | None = None,
    at_base: str | None = None,
    patient: PatientLine | None = None,
) -> dict[str, Any]:
    """Return a collection Bundle of the report, its results, risks, software and provenance.

    Args:
        stored: The assessment as it was kept.
        state: Whether it is signed, and with which decisions.
        case: Whose it is.
        pdf: The report as a PDF, to go with it.
        at_base: FHIR base that references are relative to; None for a Bundle that stands alone.
        patient: Who the patient is, as its record says.

    Raises:
        ConflictError: The files were not of one patient: there is nobody to report on.
    """
    assessment = Assessment.model_validate(stored.body)
    if assessment.status is Status.REFUSED:
        raise ConflictError(
            "report",
            "was refused: the files are not of one patient, so there is nobody to report on",
            "correct the files of the case",
        )
    subject = Subject(case=case, at_base=at_base, line=patient)
    parts = _results(assessment, state, subject)
    results = [key for key in parts if key != DEVICE_KEY]
    made_risks = [key for key in results if parts[key]["resourceType"] == "RiskAssessment"]
    parts[REPORT_KEY] = {
        **diagnostic_report(
            stored,
            assessment,
            state,
            results=[subject.full_url(key) for key in results if key not in made_risks],
            risks=[subject.full_url(key) for key in made_risks],
            pdf=pdf,
        ),
        "status": state.status,
        "subject": subject.patient(),
        "encounter": subject.encounter(),
    }
    tags = (_TEST,) if assessment.synthetic else ()
    entries = [
        _entry(subject, key, {**resource, "identifier": _identifier(subject, key, resource)}, tags)
        for key, resource in parts.items()
    ]
    targets = [subject.full_url(key) for key in (REPORT_KEY, *results)]
    signed = provenance(stored, assessment, subject, state, targets)
    entries.append(_entry(subject, f"provenance/{stored.sha256}/{state.status}", signed, tags))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "urn:epicrisis:assessment", "value": stored.id},
        "timestamp": stored.made_at.isoformat(timespec="milliseconds"),
        "entry": entries,
    }


def _results(
    assessment: Assessment, state: ReportState, subject: Subject
) -> dict[str, dict[str, Any]]:
    """Return the software, then the observations and the risks, by key."""
    whose = {"subject": subject.patient(), "encounter": subject.encounter()}
    seen = {made.key: made.resource for made in observations(assessment, subject)}
    scored = {score_key(risk): risk for risk in assessment.risks}
    open_ecgs = ecg_not_signed(assessment, state)
    software = {"reference": subject.full_url(DEVICE_KEY)}
    parts: dict[str, dict[str, Any]] = {DEVICE_KEY: device(assessment)}
    for key, resource in seen.items():
        # R4's Observation.performer is a person; the software is its `device`
        as_found = {**resource, "status": state.status}
        seen_so = _as_signed(key, as_found, scored.get(key), open_ecgs, state)
        parts[key] = {**seen_so, **whose, "device": software}
    for made in risks(assessment, subject, state, has_score=frozenset(seen)):
        parts[made.key] = {**made.resource, **whose, "performer": software}
    return parts


def _entry(
    subject: Subject, key: str, resource: dict[str, Any], tags: Sequence[dict[str, str]]
) -> dict[str, Any]:
    return {"fullUrl": subject.full_url(key), "resource": tidy(with_notice(resource, *tags))}


def _as_signed(
    key: str,
    resource: dict[str, Any],
    risk: Risk | None,
    open_ecgs: Mapping[str, str],
    state: ReportState,
) -> dict[str, Any]:
    """Return an Observation as the signer left it: what was changed is not the final result."""
    if risk is not None:
        made = score_as_signed(resource, risk, state)
        return {**made, "status": "cancelled"} if is_rejected(risk, state) else made
    note = next((n for start, n in open_ecgs.items() if key.startswith(f"{start}/")), None)
    if note is None:
        return resource
    notes = [*resource.get("note", ()), {"text": text(note)}]
    return {**resource, "status": "preliminary", "note": notes}


def _identifier(subject: Subject, key: str, resource: dict[str, Any]) -> list[dict[str, Any]]:
    """Return how a resource is found again; the software is the same for all cases."""
    if key != DEVICE_KEY:
        return subject.identifier(key)
    digest = hashlib.sha256(canonical(resource)).hexdigest()
    return [{"system": RESULT, "value": f"software/{digest[:32]}"}]
