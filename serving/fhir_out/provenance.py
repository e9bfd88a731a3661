"""Where the result comes from: the software, the person who signed, and every hash."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from agent.assessment import RESEARCH_USE, Assessment
from serving.cases.model import StoredAssessment
from serving.fhir_out.state import ReportState
from serving.fhir_out.subject import Subject
from serving.fhir_out.terms import coded, text, tidy

AGENT_TYPE = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
HASH = "urn:epicrisis:sha256"
PERSON = "urn:epicrisis:subject"
DEVICE_KEY = "software"


def device(assessment: Assessment) -> dict[str, Any]:
    """Return the software as a Device."""
    made_by = assessment.provenance
    return tidy(
        {
            "resourceType": "Device",
            "status": "active",
            "deviceName": [{"name": "Epicrisis", "type": "manufacturer-name"}],
            "type": {"text": "clinical decision support software, research use"},
            "version": [
                {"type": {"text": "epicrisis"}, "value": made_by.epicrisis},
                {"type": {"text": "python"}, "value": made_by.python},
                *(
                    {"type": {"text": text(name)}, "value": text(version)}
                    for name, version in sorted(made_by.packages.items())
                ),
            ],
            "note": [{"text": RESEARCH_USE}],
        }
    )


def provenance(
    stored: StoredAssessment,
    assessment: Assessment,
    subject: Subject,
    state: ReportState,
    targets: Sequence[str],
) -> dict[str, Any]:
    """Return the Provenance of everything in `targets`.

    Args:
        stored: As kept, with its hashes.
        assessment: The same, typed.
        subject: Names the software within the bundle.
        state: Who signed.
        targets: Full addresses of what it is the provenance of.
    """
    return tidy(
        {
            "resourceType": "Provenance",
            "target": [{"reference": target} for target in targets],
            "occurredDateTime": stored.at.astimezone(UTC).isoformat(timespec="seconds"),
            "recorded": (state.signed_at or stored.made_at)
            .astimezone(UTC)
            .isoformat(timespec="seconds"),
            "activity": {"text": f"assessment version {stored.version} ({stored.why})"},
            "agent": list(_agents(assessment, subject, state)),
            "entity": list(_hashes(stored, assessment)),
        }
    )


def _agents(assessment: Assessment, subject: Subject, state: ReportState) -> Iterator[Any]:
    yield {
        "type": coded(AGENT_TYPE, "assembler", "computed by"),
        "who": {
            "reference": subject.full_url(DEVICE_KEY),
            "display": f"Epicrisis {assessment.provenance.epicrisis}",
        },
    }
    if assessment.agent is not None and assessment.agent.model:
        yield {
            "type": coded(AGENT_TYPE, "assembler", "words written by, each sentence verified"),
            "who": {"display": text(assessment.agent.model)},
        }
    if state.status != "preliminary":
        yield {
            "type": coded(AGENT_TYPE, "attester", "signed by"),
            "who": {
                "type": "Practitioner",
                "identifier": {"system": PERSON, "value": text(state.signer)},
                "display": text(state.signed_by),
            },
        }


def _hashes(stored: StoredAssessment, assessment: Assessment) -> Iterator[Any]:
    yield _hash("revision", stored.sha256, f"assessment {stored.id}")
    yield _hash("revision", stored.result_sha256, "result without timings")
    yield _hash("source", stored.inputs_sha256, "all input files")
    for item in assessment.inputs:
        if item.sha256:
            yield _hash("source", item.sha256, f"{item.file} ({item.status})")
    for table, sha256 in sorted(assessment.provenance.reference_sha256.items()):
        yield _hash("source", sha256, f"reference data {table}")


def _hash(role: str, sha256: str, words: str) -> dict[str, Any]:
    return {
        "role": role,
        "what": {"identifier": {"system": HASH, "value": sha256}, "display": text(words)},
    }
