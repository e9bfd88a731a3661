"""All resources of one report in one Bundle."""

import hashlib
from typing import Any

from agent.assessment import Assessment, Status
from serving.access.errors import ConflictError
from serving.cases.model import Case, StoredAssessment
from serving.fhir_out.observations import observations, score_key
from serving.fhir_out.provenance import DEVICE_KEY, device, provenance
from serving.fhir_out.report import REPORT_KEY, diagnostic_report
from serving.fhir_out.risks import is_rejected, risks
from serving.fhir_out.state import PRELIMINARY, ReportState
from serving.fhir_out.subject import RESULT, Subject
from serving.fhir_out.terms import tidy
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
) -> dict[str, Any]:
    """Return a collection Bundle of the report, its results, risks, software and provenance.

    Args:
        stored: The assessment as it was kept.
        state: Whether it is signed, and with which decisions.
        case: Whose it is.
        pdf: The report as a PDF, to go with it.
        at_base: FHIR base that references are relative to; None for a Bundle that stands alone.

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
    subject = Subject(case=case, at_base=at_base)
    whose = {"subject": subject.patient(), "encounter": subject.encounter()}
    status = {"status": state.status}
    seen = {made.key: made.resource for made in observations(assessment, subject)}
    results = frozenset(seen)
    judged = {
        made.key: made.resource for made in risks(assessment, subject, state, has_score=results)
    }
    rejected = {score_key(risk) for risk in assessment.risks if is_rejected(risk, state)}
    software = {"reference": subject.full_url(DEVICE_KEY)}
    parts: dict[str, dict[str, Any]] = {DEVICE_KEY: device(assessment)}
    for key, resource in seen.items():
        # R4's Observation.performer is a person; the software is its `device`
        stands = {"status": "cancelled"} if key in rejected else status
        parts[key] = {**resource, **stands, **whose, "device": software}
    for key, resource in judged.items():
        parts[key] = {**resource, **whose, "performer": software}
    parts[REPORT_KEY] = {
        **diagnostic_report(
            stored,
            assessment,
            state,
            results=[subject.full_url(key) for key in seen],
            risks=[subject.full_url(key) for key in judged],
            pdf=pdf,
        ),
        **status,
        **whose,
    }
    tag = {"meta": {"tag": [_TEST]}} if assessment.synthetic else {}
    entries = [
        {
            "fullUrl": subject.full_url(key),
            "resource": tidy(
                {**resource, "identifier": _identifier(subject, key, resource), **tag}
            ),
        }
        for key, resource in parts.items()
    ]
    targets = [subject.full_url(key) for key in (REPORT_KEY, *seen, *judged)]
    entries.append(
        {
            "fullUrl": subject.full_url(f"provenance/{stored.sha256}/{state.status}"),
            "resource": tidy({**provenance(stored, assessment, subject, state, targets), **tag}),
        }
    )
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": "urn:epicrisis:assessment", "value": stored.id},
        "timestamp": stored.made_at.isoformat(timespec="milliseconds"),
        "entry": entries,
    }


def _identifier(subject: Subject, key: str, resource: dict[str, Any]) -> list[dict[str, Any]]:
    """Return how a resource is found again; the software is the same for all cases."""
    if key != DEVICE_KEY:
        return subject.identifier(key)
    digest = hashlib.sha256(canonical(resource)).hexdigest()
    return [{"system": RESULT, "value": f"software/{digest[:32]}"}]
