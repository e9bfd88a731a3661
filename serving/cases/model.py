"""A case and what belongs to it, as values."""

from datetime import datetime
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveInt

from knowledge.model import Frozen
from knowledge.passages import Language

Source = Literal["upload", "fhir", "cds", "hl7", "dicom", "example"]
Why = Literal["asked for", "new file", "answer", "time", "correction", "agent"]


class Case(Frozen):
    """One patient's visit.

    Args:
        id: Its id, not to be guessed.
        label: What people call it (bed, initials); never used to identify a patient.
        patient: The patient compartment: who it is of, as ``<FHIR base>|Patient/<id>`` for a case
            from a FHIR server, or a hash over the files' identity for uploads; None while unknown.
        encounter: Likewise for the encounter.
        source: Where it came from.
        created_at: When.
        created_by: Subject of who made it.
        time_zone: IANA zone for naive times, where one was stated.
        deleted_at: When it was deleted, if it was; its content is then gone.
        clock_since: Since when it is assessed as of now although its files state a moment of their
            own; None where they are followed.
    """

    id: str
    label: str
    patient: str | None = None
    encounter: str | None = None
    source: Source
    created_at: datetime
    created_by: str
    time_zone: str | None = None
    deleted_at: datetime | None = None
    clock_since: datetime | None = None


class CaseFile(Frozen):
    """One file of a case.

    Args:
        case: Id of the case.
        name: Relative path within the case, as it was sent.
        sha256: Of its bytes; the file store has them.
        size: In bytes.
        received_at: When.
        received_by: Subject of who sent it.
        removed_at: When it was taken out of the case, if it was; earlier assessments keep it.
    """

    case: str
    name: str
    sha256: str
    size: NonNegativeInt
    received_at: datetime
    received_by: str
    removed_at: datetime | None = None


class StoredAssessment(Frozen):
    """One assessment as it was made: never changed, only followed by a later version.

    Args:
        id: Its id.
        case: Id of the case.
        version: Counts from 1 in a case.
        at: The moment it is for.
        made_at: When it was computed.
        made_by: Subject of who asked.
        why: What it was made for.
        author: Whether the words are the templates' alone or the agent's, verified.
        job: Id of the job, for the agent's.
        language: Of the words.
        status: As in `agent.assessment.Status`.
        headline: As in the narrative.
        urgency: As in the narrative.
        body: The published JSON, ``epicrisis/assessment/1``.
        sha256: Of the canonical JSON of `body`.
        inputs_sha256, result_sha256: As in its provenance.
    """

    id: str
    case: str
    version: PositiveInt
    at: datetime
    made_at: datetime
    made_by: str
    why: Why
    author: Literal["templates", "agent"]
    job: str | None = None
    language: Language
    status: str
    headline: str
    urgency: str
    body: dict[str, Any]
    sha256: str
    inputs_sha256: str
    result_sha256: str


class StoredAnswer(Frozen):
    """One answer to a missing item: only ever added to, the newest counts.

    Args:
        number: Counts up in the whole store.
        case: Id of the case.
        input: Clinical-input id.
        answer: JSON of `tools.intake.answer.Answer`.
        author: Name of who answered, as shown.
        by: Their subject.
        entered_at: When.
    """

    number: int
    case: str
    input: str
    answer: dict[str, Any]
    author: str
    by: str
    entered_at: datetime
