"""What the signer made of a computed result: their words, and the computed one as a note.

A result that the signer replaced or rejected is never coded as the final one; it is kept in words,
labelled as computed and not signed.
"""

from collections.abc import Iterator
from typing import Any

from agent.assessment import Assessment, Sentence
from agent.narrative import score_sentence
from knowledge.evidence import DicomEvidence, RecordEvidence, ToolEvidence
from knowledge.risk import Risk
from serving.fhir_out.observations import ECG_TOOL, ecg_key
from serving.fhir_out.state import OWN_WORDS, Decided, ReportState
from serving.fhir_out.terms import absent_words, text
from serving.report import words
from serving.signing.related import listed, names_of
from serving.signing.statements import risk_words

NOT_SIGNED = "Computed by Epicrisis, not what was signed"
_VALUES = ("valueQuantity", "valueString", "dataAbsentReason", "component")


def changed(risk: Risk, state: ReportState) -> Decided | None:
    """Return the decision on a risk where it is not plain acceptance."""
    decided = state.about(risk_words(risk), "risk")
    return None if decided is None or decided.decision == "accepted" else decided


def is_rejected(risk: Risk, state: ReportState) -> bool:
    """Return whether the signer rejected what a risk says."""
    decided = changed(risk, state)
    return decided is not None and decided.decision == "rejected"


def decision_notes(risk: Risk, state: ReportState) -> Iterator[str]:
    """Yield who changed a result and why, what was computed, and what else was changed."""
    decided = state.about(risk_words(risk), "risk")
    if decided is None:
        return
    if decided.beside:
        yield f"Accepted as computed; the signer changed: {', '.join(decided.beside)}"
    if decided.decision == "accepted":
        return
    yield f"{decided.decision} by {state.signed_by}: {decided.reason}"
    if decided.decision == "edited":
        own = f"; not computed here: {', '.join(decided.unverified)}" if decided.unverified else ""
        yield f"Result and rationale are {OWN_WORDS}{own}"
    yield f"{NOT_SIGNED}: {score_sentence(risk)}"


def score_as_signed(resource: dict[str, Any], risk: Risk, state: ReportState) -> dict[str, Any]:
    """Return the Observation of a score without the computed points, where it was not accepted."""
    decided = changed(risk, state)
    if decided is None:
        return resource
    bare = {key: value for key, value in resource.items() if key not in _VALUES}
    notes = [*decision_notes(risk, state), *_arithmetic(risk)]
    made = {**bare, "note": [{"text": text(note)} for note in notes]}
    if decided.decision == "edited":
        return {**made, "valueString": text(decided.edited)}
    return {**made, "dataAbsentReason": absent_words("rejected by the signer")}


def ecg_not_signed(assessment: Assessment, state: ReportState) -> dict[str, str]:
    """Return the keys of recordings whose sentence the signer changed, with a note that says so."""
    found: dict[str, str] = {}
    for sentence in assessment.narrative.sentences:
        decided = state.about(sentence.text, "sentence")
        if decided is None or decided.decision == "accepted" or not _is_ecg(assessment, sentence):
            continue
        said = f": {decided.edited}" if decided.edited else ""
        note = f"{NOT_SIGNED}: the signer {decided.decision} what the report says of this ECG"
        for evidence in sentence.evidence:
            if isinstance(evidence, DicomEvidence | RecordEvidence):
                found[ecg_key(assessment, evidence.file)] = f"{note}{said} ({decided.reason})"
    return found


def _is_ecg(assessment: Assessment, sentence: Sentence) -> bool:
    """Return whether a sentence tells what the ECG tool found, and no score or verdict."""
    tools = {e.tool for e in sentence.evidence if isinstance(e, ToolEvidence)}
    others = names_of(assessment, sentence.evidence, sentence.text)
    return tools == {ECG_TOOL} and not others and not listed(assessment, sentence.text)


def _arithmetic(risk: Risk) -> Iterator[str]:
    items = "; ".join(f"{i.label}: {i.answer} ({words.points(i)})" for i in risk.items)
    if items:
        yield f"{NOT_SIGNED}, item by item: {items}"
