"""What the cases resource takes and gives over HTTP."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from agent.assessment import RESEARCH_USE
from agent.given import Question
from knowledge.model import Frozen
from knowledge.passages import Language
from serving.cases.model import Case, CaseFile, Source, StoredAssessment, Why
from serving.cases.reader import UPLOAD

LABEL = 120
"""Characters of a case's label: a bed, initials, a word."""


class FileOut(Frozen):
    """One file of a case."""

    name: str
    sha256: str
    size: NonNegativeInt
    received_at: datetime


class AssessmentSummary(Frozen):
    """One version of a case's assessment, without its body.

    Args:
        at: The moment it is for.
        author: Whether the words are the templates' alone or the agent's, verified.
        run: Id of the agent's run, where one made it.
        sha256: Of the canonical JSON of the body.
    """

    id: str
    version: PositiveInt
    at: datetime
    made_at: datetime
    why: Why
    author: Literal["templates", "agent"]
    run: str | None = None
    language: Language
    status: str
    headline: str
    urgency: str
    sha256: str
    inputs_sha256: str
    result_sha256: str
    notice: str = RESEARCH_USE


class AssessmentOut(AssessmentSummary):
    """One version of a case's assessment, in whole.

    Args:
        assessment: As ``epicrisis/assessment/1`` publishes it (``epicrisis schema``).
    """

    assessment: dict[str, Any]


class CaseSummary(Frozen):
    """A case as a list shows it.

    Args:
        patient: ``<FHIR base>|Patient/<id>``, where it came from a FHIR server.
        patient_known: Whether its files or its source say whose it is.
    """

    id: str
    label: str
    source: Source
    patient: str | None = None
    patient_known: bool
    encounter: str | None = None
    created_at: datetime
    time_zone: str | None = None


class CaseOut(CaseSummary):
    """A case with its files and its newest assessment."""

    files: tuple[FileOut, ...]
    assessment: AssessmentSummary | None = None


class CaseList(Frozen):
    """Cases, newest first, and the notice that goes with every result."""

    cases: tuple[CaseSummary, ...]
    notice: str = RESEARCH_USE


class AssessmentList(Frozen):
    """Every version, newest first."""

    assessments: tuple[AssessmentSummary, ...]


class QuestionList(Frozen):
    """What a person can answer of what is missing, what unlocks most first."""

    case: str
    questions: tuple[Question, ...]


class AnswerIn(Frozen):
    """One answer to a question.

    Args:
        input: Clinical-input id, as the question names it.
        value: yes/no, a choice's id, a number, a time; ``unknown`` withdraws an earlier answer.
        unit: Of a number, in UCUM or as the catalogue writes it.
        observed_at: When it was observed, FHIR dateTime; when it is entered is kept anyway.
        items: Mark of the list that was read, for the question that names one.
    """

    input: str = Field(max_length=80)
    value: bool | int | float | str = Field(union_mode="left_to_right")
    unit: str | None = Field(default=None, max_length=40)
    observed_at: str | None = Field(default=None, max_length=40)
    items: str | None = Field(default=None, max_length=80)


class AssessIn(Frozen):
    """What a new assessment is asked for with.

    Args:
        language: Of the words.
        as_of_now: Leave the moment that the case states for itself: this assessment and all later
            ones are of the time they are made at.
    """

    language: Language = "en"
    as_of_now: bool = False


def summary_of(stored: StoredAssessment) -> AssessmentSummary:
    """Return a version without its body."""
    return AssessmentSummary(**_of_version(stored))


def assessment_out(stored: StoredAssessment) -> AssessmentOut:
    """Return a version in whole."""
    return AssessmentOut(**_of_version(stored), assessment=stored.body)


def case_summary(case: Case) -> CaseSummary:
    """Return a case as a list shows it."""
    return CaseSummary(**_of_case(case))


def case_out(case: Case, files: tuple[CaseFile, ...], newest: StoredAssessment | None) -> CaseOut:
    """Return a case with its files and its newest assessment."""
    return CaseOut(
        **_of_case(case),
        files=tuple(
            FileOut(name=f.name, sha256=f.sha256, size=f.size, received_at=f.received_at)
            for f in files
        ),
        assessment=None if newest is None else summary_of(newest),
    )


def _of_case(case: Case) -> dict[str, Any]:
    marked = case.patient is not None and case.patient.startswith(UPLOAD)
    return {
        "id": case.id,
        "label": case.label,
        "source": case.source,
        "patient": None if marked else case.patient,
        "patient_known": case.patient is not None,
        "encounter": case.encounter,
        "created_at": case.created_at,
        "time_zone": case.time_zone,
    }


def _of_version(stored: StoredAssessment) -> dict[str, Any]:
    kept = stored.model_dump(exclude={"body", "case", "job", "made_by"})
    return {**kept, "run": stored.job}
