"""RiskAssessments: one per score and rule, in words where there is no single result."""

from collections.abc import Iterator
from typing import Any

from agent.assessment import Assessment
from knowledge.risk import Risk
from serving.fhir_out.as_signed import changed, decision_notes, is_rejected
from serving.fhir_out.observations import Made, originals, score_key
from serving.fhir_out.state import ReportState
from serving.fhir_out.subject import Subject
from serving.fhir_out.terms import absent_words, text, tidy, when
from serving.report import words
from serving.signing.statements import risk_words

RISK_PROBABILITY = "http://terminology.hl7.org/CodeSystem/risk-probability"
CATEGORY = "urn:epicrisis:category"
_STANDARD = {"low": "low", "intermediate": "moderate", "moderate": "moderate", "high": "high"}


def risks(
    assessment: Assessment, subject: Subject, state: ReportState, *, has_score: frozenset[str]
) -> Iterator[Made]:
    """Yield a RiskAssessment for each risk.

    Args:
        assessment: The assessment.
        subject: Whom it is about.
        state: What the signer decided.
        has_score: Keys of the score Observations that stand beside them.
    """
    for risk in assessment.risks:
        key = score_key(risk)
        basis = originals(risk.evidence, subject)
        if key in has_score:
            basis = [{"reference": subject.full_url(key)}, *basis]
        yield Made(
            key=f"risk/{key.removeprefix('score/')}",
            resource=tidy(
                {
                    "resourceType": "RiskAssessment",
                    "status": "cancelled" if is_rejected(risk, state) else state.status,
                    "method": {"text": text(risk.name)},
                    "code": {"text": text(risk.name)},
                    "occurrenceDateTime": when(assessment.provenance.at),
                    "basis": basis,
                    "prediction": [_prediction(risk, state)],
                    "note": [{"text": text(note)} for note in _notes(risk, state)],
                }
            ),
        )


def settled(risk: Risk) -> bool:
    """Whether every completion of what is unknown gives one category, and there is one."""
    return (
        risk.not_assessed is None
        and risk.range is None
        and len(risk.bands) == 1
        and risk.bands[0].name == risk.category
    )


def _prediction(risk: Risk, state: ReportState) -> dict[str, Any]:
    """Return the prediction: a category only where it is settled and signed, no probability."""
    decided = changed(risk, state)
    if decided is not None and decided.decision == "rejected":
        return {"qualitativeRisk": absent_words("rejected by the signer")}
    if decided is not None:
        own = text(decided.edited)
        return {"qualitativeRisk": {"text": own}, "rationale": own}
    said = risk_words(risk)
    if not settled(risk):
        reason = risk.not_assessed.detail if risk.not_assessed else ""
        shown = f"{words.category(risk)}{f': {reason}' if reason else ''}"
        return {"qualitativeRisk": absent_words(shown), "rationale": text(said)}
    coding = [{"system": CATEGORY, "code": risk.category}]
    if risk.category in _STANDARD:
        coding.insert(0, {"system": RISK_PROBABILITY, "code": _STANDARD[risk.category]})
    return {
        "outcome": {"text": text(words.meaning(risk) or risk.name)},
        "qualitativeRisk": {"coding": coding, "text": text(risk.category)},
        "rationale": text(said),
    }


def _notes(risk: Risk, state: ReportState) -> Iterator[str]:
    yield from decision_notes(risk, state)
    for item in risk.missing:
        yield f"Missing: {item.label} ({item.reason.detail})"
    if risk.next_due is not None and changed(risk, state) is None:
        yield f"Next due {risk.next_due}{', overdue' if risk.overdue else ''}"
    yield from risk.caveats
    for line in words.cited(risk):
        yield f"Source: {line}"
