"""Rows of cases as values."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import TypeAdapter

from serving.access.errors import NotFoundError
from serving.cases.kept import checked_body
from serving.cases.model import Case, CaseFile, Source, StoredAnswer, StoredAssessment
from serving.cases.tables import AnswerRow, AssessmentRow, CaseFileRow, CaseRow

_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def standing(row: CaseRow | None, case: str) -> CaseRow:
    """Return the row of a case that something is added to.

    Raises:
        NotFoundError: It was deleted meanwhile.
    """
    if row is None or row.deleted_at is not None:
        raise NotFoundError(f"case {case}")
    return row


def file_rows(
    case: str, files: Iterable[tuple[str, str, int]], *, by: str, at: datetime
) -> list[CaseFileRow]:
    """Return rows of files.

    Args:
        case: Id of the case.
        files: Name, SHA-256 and size in bytes.
        by: Subject of who sent them.
        at: When.
    """
    return [
        CaseFileRow(
            case_id=case, name=name, sha256=sha256, size=size, received_at=at, received_by=by
        )
        for name, sha256, size in files
    ]


def case_of(row: CaseRow) -> Case:
    """Return a case."""
    return Case(
        id=row.id,
        label=row.label,
        patient=row.patient,
        encounter=row.encounter,
        source=_SOURCE.validate_python(row.source),
        created_at=row.created_at,
        created_by=row.created_by,
        time_zone=row.time_zone,
        deleted_at=row.deleted_at,
        clock_since=row.clock_since,
    )


def file_of(row: CaseFileRow) -> CaseFile:
    """Return a file of a case."""
    return CaseFile(
        case=row.case_id,
        name=row.name,
        sha256=row.sha256,
        size=row.size,
        received_at=row.received_at,
        received_by=row.received_by,
        removed_at=row.removed_at,
    )


def assessment_of(row: AssessmentRow) -> StoredAssessment:
    """Return an assessment, which is as it was kept.

    Raises:
        AlteredError: It is not.
    """
    return StoredAssessment.model_validate(
        {
            "id": row.id,
            "case": row.case_id,
            "version": row.version,
            "at": row.at,
            "made_at": row.made_at,
            "made_by": row.made_by,
            "why": row.why,
            "author": row.author,
            "job": row.job,
            "language": row.language,
            "status": row.status,
            "headline": row.headline,
            "urgency": row.urgency,
            "body": checked_body(row),
            "sha256": row.sha256,
            "inputs_sha256": row.inputs_sha256,
            "result_sha256": row.result_sha256,
        }
    )


def answer_of(row: AnswerRow) -> StoredAnswer:
    """Return an answer."""
    return StoredAnswer(
        number=row.number,
        case=row.case_id,
        input=row.input,
        answer=row.answer,
        author=row.author,
        by=row.by,
        entered_at=row.entered_at,
    )
