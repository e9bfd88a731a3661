"""One piece of evidence as a person reads it; what cannot be shown says why."""

from typing import assert_never

from knowledge.errors import InputError, UnavailableError
from knowledge.evidence import (
    DicomEvidence,
    Evidence,
    FhirEvidence,
    GuidelineEvidence,
    NoteEvidence,
    RecordEvidence,
    ReferenceEvidence,
    ToolEvidence,
    describe,
)
from knowledge.plain_text import visible
from serving.cases.model import Case
from serving.evidence.ecg_lead import draw_lead, show_lead
from serving.evidence.fhir_field import show_field
from serving.evidence.find import Located
from serving.evidence.image import show_image
from serving.evidence.knowledge_rows import show_citation, show_passage, show_row
from serving.evidence.links import address
from serving.evidence.material import Material
from serving.evidence.note import show_span
from serving.evidence.protocol import EvidenceView, NotShown, Shown
from serving.evidence.record import show_answer, show_record
from serving.evidence.tool_output import show_output
from serving.services import Services
from tools.intake.given import FILE as ENTERED
from tools.intake.readings_known import RELEASED

PICTURE = "ecg.svg"
_LEAD = "lead "
IMAGE = "image"
_WHOLE = ("recording", "signal")


def show(services: Services, case: Case, located: Located) -> EvidenceView:
    """Return what a piece of evidence points to.

    Args:
        services: Of the application.
        case: The case it belongs to.
        located: The evidence and its files.
    """
    return EvidenceView(
        id=located.id,
        case=case.id,
        place=_place(located),
        file=visible(getattr(located.evidence, "file", "")),
        version=located.version,
        shown=_shown(services, case, located),
    )


def picture(services: Services, case: Case, located: Located) -> str:
    """Return the ECG picture of a piece of evidence, as SVG.

    Raises:
        InputError: It is no place in an ECG, or nothing can be measured.
    """
    material = Material(services=services, case=case, files=located.files)
    evidence = located.evidence
    if isinstance(evidence, DicomEvidence | RecordEvidence):
        found = material.recording(evidence.file)
        if found is not None:
            return draw_lead(found[0], _lead(evidence))
    raise InputError("evidence", "is no place in an ECG", "open the evidence itself")


def _shown(services: Services, case: Case, located: Located) -> Shown:
    if located.citation is not None:
        return show_citation(located.citation, located.assessment)
    if located.evidence is None:
        return NotShown(reason="it names no place")
    material = Material(services=services, case=case, files=located.files)
    try:
        return _place_shown(services, case, located, located.evidence, material)
    except (InputError, UnavailableError) as error:
        return NotShown(reason=visible(f"{error.item}: {error.reason}"), way_out=error.way_out)


def _place_shown(
    services: Services, case: Case, located: Located, evidence: Evidence, material: Material
) -> Shown:
    zone = located.assessment.time_zone if located.assessment else case.time_zone
    match evidence:
        case FhirEvidence():
            return show_field(evidence, material.content(evidence.file))
        case DicomEvidence():
            return (
                show_image(services, case, evidence, located.files.get(evidence.file))
                or _ecg(evidence, material, located, case, zone)
                or NotShown(
                    reason=f"{visible(evidence.file)} holds no ECG that was read, "
                    "and is no image that is shown of this case now",
                    way_out="open it in the image viewer of the hospital",
                )
            )
        case NoteEvidence():
            document = material.document(evidence.document)
            if document is None:
                return NotShown(reason="the note is not in the case's files any more")
            return show_span(document, evidence.start, evidence.end, time_zone=zone)
        case RecordEvidence():
            return _record(services, case, located, evidence, material, zone)
        case ReferenceEvidence():
            return show_row(evidence)
        case GuidelineEvidence():
            return show_passage(evidence, services.index[0])
        case ToolEvidence():
            return show_output(
                evidence, located.assessment, scores=located.scores, case=case.id, time_zone=zone
            )
    assert_never(evidence)


def _record(
    services: Services,
    case: Case,
    located: Located,
    evidence: RecordEvidence,
    material: Material,
    zone: str | None,
) -> Shown:
    if evidence.file == ENTERED:
        answer = show_answer(evidence, services.cases.answers(case.id))
        return answer or NotShown(reason="no such answer was entered")
    if evidence.file.startswith(RELEASED):
        return NotShown(
            reason=f"{visible(evidence.record)!r} of the {visible(evidence.file)}, as its readers "
            "signed it",
            way_out="open the reading on the page of its study",
        )
    if evidence.record == IMAGE:
        image = show_image(services, case, evidence, located.files.get(evidence.file))
        if image is not None:
            return image
    if evidence.record in _WHOLE or evidence.record.startswith(_LEAD):
        drawn = _ecg(evidence, material, located, case, zone)
        if drawn is not None:
            return drawn
    return show_record(evidence, material.content(evidence.file))


def _ecg(
    evidence: DicomEvidence | RecordEvidence,
    material: Material,
    located: Located,
    case: Case,
    zone: str | None,
) -> Shown | None:
    """Return the ECG with its lead; None where the file is none."""
    found = material.recording(evidence.file)
    if found is None:
        return None
    return show_lead(
        *found,
        _lead(evidence),
        picture=f"{address(case.id, located.id)}/{PICTURE}",
        time_zone=zone,
    )


def _lead(evidence: DicomEvidence | RecordEvidence) -> str | None:
    if isinstance(evidence, DicomEvidence):
        return evidence.lead
    return evidence.record.removeprefix(_LEAD) if evidence.record.startswith(_LEAD) else None


def _place(located: Located) -> str:
    if located.evidence is not None:
        return visible(describe(located.evidence))
    return visible(located.citation.label) if located.citation else ""
