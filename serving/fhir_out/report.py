"""The DiagnosticReport: what was concluded, signed or not."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from agent.assessment import RESEARCH_USE, Assessment, Verdict
from knowledge.codes import LOINC
from serving.cases.model import StoredAssessment
from serving.fhir_out.state import ReportState
from serving.fhir_out.terms import text, tidy
from serving.report import words
from serving.signing.statements import entry_words

CATEGORY = "http://terminology.hl7.org/CodeSystem/v2-0074"
ASSESSMENT = {"system": LOINC, "code": "51848-0", "display": "Evaluation note"}
SUPPORTING = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.supportingInfo"
"""FHIR R5 lets a report point at risk assessments; this is how R4 says the same."""

REPORT_KEY = "report"


def diagnostic_report(
    stored: StoredAssessment,
    assessment: Assessment,
    state: ReportState,
    *,
    results: Sequence[str],
    risks: Sequence[str],
    pdf: bytes | None = None,
) -> dict[str, Any]:
    """Return the report.

    Args:
        stored: As kept.
        assessment: The same, typed.
        state: Whether it is signed, and with which decisions.
        results: Full addresses of its Observations.
        risks: Full addresses of its RiskAssessments.
        pdf: The same report as a PDF.
    """
    return tidy(
        {
            "resourceType": "DiagnosticReport",
            "extension": [_supporting(risk) for risk in risks],
            "category": [
                {"coding": [{"system": CATEGORY, "code": "OTH", "display": "Other"}]},
            ],
            "code": {
                "coding": [ASSESSMENT],
                "text": f"Decision support: {text(assessment.problem)}",
            },
            "effectiveDateTime": stored.at.isoformat(timespec="seconds"),
            "issued": (state.signed_at or stored.made_at).isoformat(timespec="milliseconds"),
            "resultsInterpreter": (
                [{"type": "Practitioner", "display": text(state.signed_by)}]
                if state.status != "preliminary"
                else []
            ),
            "result": [{"reference": result} for result in results],
            "conclusion": "\n".join(_conclusion(assessment, state)),
            "presentedForm": [_form(pdf, state)] if pdf is not None else [],
        }
    )


def _conclusion(assessment: Assessment, state: ReportState) -> Iterator[str]:
    yield state.words
    shown = state.shown(assessment.narrative.headline, "headline")
    headline = state.marked(assessment.narrative.headline, "headline")
    yield text(headline) if shown else "The computed headline was rejected by the signer."
    yield f"Completeness: {words.STATUS[assessment.status.value]}"
    for entry in assessment.differential:
        if entry.verdict is not Verdict.ARGUED_AGAINST:
            yield text(state.marked(entry_words(entry), "differential"))
    for item in assessment.recommendations:
        yield text(f"{item.urgency}: {state.marked(item.text, 'recommendation')}")
    for missing in assessment.missing:
        yield text(f"Missing: {missing.label} ({missing.reason.detail})")
    for conflict in assessment.conflicts:
        yield text(f"Conflict: {conflict.what}")
    for decided in state.changed:
        change = f" -> {decided.edited}" if decided.edited else ""
        yield text(f"{decided.decision}: {decided.statement}{change} ({decided.reason})")
    yield RESEARCH_USE


def _supporting(reference: str) -> dict[str, Any]:
    return {
        "url": SUPPORTING,
        "extension": [
            {"url": "type", "valueCodeableConcept": {"text": "risk assessment"}},
            {"url": "reference", "valueReference": {"reference": reference}},
        ],
    }


def _form(pdf: bytes, state: ReportState) -> dict[str, Any]:
    return {
        "contentType": "application/pdf",
        "title": text(state.words),
        "data": base64.b64encode(pdf).decode(),
    }
