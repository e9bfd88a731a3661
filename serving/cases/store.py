"""Cases, their files, assessments and answers in the database."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.assessment import Assessment
from knowledge.clinical_time import ClinicalTime
from knowledge.passages import Language
from serving.access.errors import ConflictError, NotFoundError
from serving.cases.model import Case, CaseFile, Source, StoredAnswer, StoredAssessment, Why
from serving.cases.tables import AnswerRow, AssessmentRow, CaseFileRow, CaseRow
from serving.storage.base import canonical, new_id
from serving.storage.database import Database
from serving.storage.files import FileStore

_SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


class CaseStore:
    """What is kept of cases; every call is one transaction.

    Args:
        database: Where.
        files: Where their bytes are.
        clock: The current moment, zoned.

    Every method raises `UnavailableError` where the database or the disk cannot be used.
    """

    def __init__(
        self, database: Database, files: FileStore, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._files = files
        self._clock = clock

    def create(
        self,
        *,
        label: str,
        source: Source,
        by: str,
        patient: str | None = None,
        encounter: str | None = None,
        time_zone: str | None = None,
    ) -> Case:
        """Make a case without files and return it."""
        row = CaseRow(
            id=new_id("case"),
            label=label,
            patient=patient,
            encounter=encounter,
            source=source,
            created_at=self._clock(),
            created_by=by,
            time_zone=time_zone,
        )
        with self._database.transaction() as session:
            session.add(row)
        return _case(row)

    def find(self, case: str) -> Case | None:
        """Return a case, or None where there is none or it was deleted."""
        with self._database.reading() as session:
            row = session.get(CaseRow, case)
            return None if row is None or row.deleted_at is not None else _case(row)

    def list(self, *, patient: str | None = None, limit: int = 200) -> tuple[Case, ...]:
        """Return cases that were not deleted, newest first.

        Args:
            patient: Of this patient alone; None for all.
            limit: At most this many.
        """
        query = select(CaseRow).where(CaseRow.deleted_at.is_(None))
        if patient is not None:
            query = query.where(CaseRow.patient == patient)
        query = query.order_by(CaseRow.created_at.desc(), CaseRow.id).limit(limit)
        with self._database.reading() as session:
            return tuple(_case(row) for row in session.scalars(query))

    def set_patient(self, case: str, patient: str) -> None:
        """State whose case it is, where that was not known.

        Raises:
            ConflictError: It is known to be of another patient.
        """
        with self._database.transaction() as session:
            done = session.execute(
                update(CaseRow)
                .where(CaseRow.id == case)
                .where(CaseRow.patient.is_(None) | (CaseRow.patient == patient))
                .values(patient=patient)
            )
            if getattr(done, "rowcount", 0) != 1:
                raise ConflictError(
                    f"case {case}", "is of another patient", "make a case of its own for this one"
                )

    def put(self, content: bytes) -> str:
        """Keep bytes that no case has yet, and return their SHA-256."""
        return self._files.put(content)

    def add_file(self, case: str, name: str, content: bytes, *, by: str) -> CaseFile:
        """Keep one file and return it; one of the same name takes the place of the earlier."""
        return self.add_files(case, [(name, self.put(content), len(content))], by=by)[0]

    def add_files(
        self, case: str, files: Iterable[tuple[str, str, int]], *, by: str
    ) -> tuple[CaseFile, ...]:
        """Take files into a case, all of them or none, and return them.

        Args:
            case: Id of the case.
            files: Name, SHA-256 and size in bytes of contents that are kept already; one of the
                same name takes the place of the earlier.
            by: Subject of who sent them.

        Raises:
            NotFoundError: The case is not there any more.
        """
        now = self._clock()
        rows = [
            CaseFileRow(
                case_id=case,
                name=name,
                sha256=sha256,
                size=size,
                received_at=now,
                received_by=by,
            )
            for name, sha256, size in files
        ]
        with self._database.transaction() as session:
            _standing(session.get(CaseRow, case), case)
            self._take_out(session, case, [row.name for row in rows], at=now)
            session.add_all(rows)
        return tuple(_file(row) for row in rows)

    def remove_file(self, case: str, name: str) -> None:
        """Take a file out of a case; earlier assessments keep what they read of it.

        Raises:
            NotFoundError: The case has no such file.
        """
        with self._database.transaction() as session:
            if not self._take_out(session, case, [name], at=self._clock()):
                raise NotFoundError("file")

    @staticmethod
    def _take_out(session: Session, case: str, names: Sequence[str], *, at: datetime) -> int:
        done = session.execute(
            update(CaseFileRow)
            .where(CaseFileRow.case_id == case, CaseFileRow.name.in_(names))
            .where(CaseFileRow.removed_at.is_(None))
            .values(removed_at=at)
        )
        return int(getattr(done, "rowcount", 0))

    def files(self, case: str) -> tuple[CaseFile, ...]:
        """Return the files that a case has now, by name."""
        query = (
            select(CaseFileRow)
            .where(CaseFileRow.case_id == case, CaseFileRow.removed_at.is_(None))
            .order_by(CaseFileRow.name)
        )
        with self._database.reading() as session:
            return tuple(_file(row) for row in session.scalars(query))

    def content(self, file: CaseFile) -> bytes:
        """Return the bytes of a file, checked against their hash."""
        return self._files.get(file.sha256)

    def keep_assessment(
        self,
        case: str,
        assessment: Assessment,
        *,
        by: str,
        why: Why,
        language: Language,
        job: str | None = None,
    ) -> StoredAssessment:
        """Keep an assessment as the next version of a case and return it.

        A job keeps one assessment: a second call for the same job returns the first. Words that the
        templates wrote are English, whatever language was asked for, and are kept as such.

        Raises:
            NotFoundError: The case is not there any more.
            ConflictError: Others kept versions at the same moment, again and again.
        """
        for _ in range(5):
            try:
                return self._keep(case, assessment, by=by, why=why, language=language, job=job)
            except IntegrityError:
                if job is not None and (kept := self._of_job(job)) is not None:
                    return kept
        raise ConflictError(f"case {case}", "is being changed by others", "try again")

    def _keep(
        self,
        case: str,
        assessment: Assessment,
        *,
        by: str,
        why: Why,
        language: Language,
        job: str | None,
    ) -> StoredAssessment:
        body = assessment.to_json()
        by_agent = assessment.agent is not None and assessment.agent.mode == "with language model"
        with self._database.transaction() as session:
            _standing(session.get(CaseRow, case), case)
            last = session.scalar(
                select(func.max(AssessmentRow.version)).where(AssessmentRow.case_id == case)
            )
            row = AssessmentRow(
                id=new_id("assessment"),
                case_id=case,
                version=(last or 0) + 1,
                at=_moment(assessment.provenance.at),
                made_at=self._clock(),
                made_by=by,
                why=why,
                author="agent" if by_agent else "templates",
                job=job,
                language=language if by_agent else "en",
                status=assessment.status.value,
                headline=assessment.narrative.headline,
                urgency=assessment.narrative.urgency,
                body=body,
                sha256=hashlib.sha256(canonical(body)).hexdigest(),
                inputs_sha256=assessment.provenance.inputs_sha256,
                result_sha256=assessment.provenance.result_sha256,
            )
            session.add(row)
        return _assessment(row)

    def _of_job(self, job: str) -> StoredAssessment | None:
        with self._database.reading() as session:
            row = session.scalar(select(AssessmentRow).where(AssessmentRow.job == job))
            return None if row is None else _assessment(row)

    def assessment(self, case: str, version: int | None = None) -> StoredAssessment | None:
        """Return one version, or the newest; None where there is none."""
        query = select(AssessmentRow).where(AssessmentRow.case_id == case)
        if version is not None:
            query = query.where(AssessmentRow.version == version)
        query = query.order_by(AssessmentRow.version.desc()).limit(1)
        with self._database.reading() as session:
            row = session.scalar(query)
            return None if row is None else _assessment(row)

    def assessments(self, case: str) -> tuple[StoredAssessment, ...]:
        """Return every version, newest first."""
        query = select(AssessmentRow).where(AssessmentRow.case_id == case)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(AssessmentRow.version.desc()))
            return tuple(_assessment(row) for row in rows)

    def keep_answer(
        self, case: str, input_id: str, answer: Mapping[str, Any], *, author: str, by: str
    ) -> StoredAnswer:
        """Keep an answer that was checked already, and return it."""
        row = AnswerRow(
            case_id=case,
            input=input_id,
            answer=dict(answer),
            author=author,
            by=by,
            entered_at=self._clock(),
        )
        with self._database.transaction() as session:
            _standing(session.get(CaseRow, case), case)
            session.add(row)
        return _answer(row)

    def answers(self, case: str) -> tuple[StoredAnswer, ...]:
        """Return every answer ever given to a case, oldest first."""
        query = select(AnswerRow).where(AnswerRow.case_id == case).order_by(AnswerRow.number)
        with self._database.reading() as session:
            return tuple(_answer(row) for row in session.scalars(query))


def _standing(row: CaseRow | None, case: str) -> None:
    """Refuse what would be added to a case that was deleted meanwhile."""
    if row is None or row.deleted_at is not None:
        raise NotFoundError(f"case {case}")


def _moment(at: ClinicalTime) -> datetime:
    return at.at


def _case(row: CaseRow) -> Case:
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
    )


def _file(row: CaseFileRow) -> CaseFile:
    return CaseFile(
        case=row.case_id,
        name=row.name,
        sha256=row.sha256,
        size=row.size,
        received_at=row.received_at,
        received_by=row.received_by,
        removed_at=row.removed_at,
    )


def _assessment(row: AssessmentRow) -> StoredAssessment:
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
            "body": row.body,
            "sha256": row.sha256,
            "inputs_sha256": row.inputs_sha256,
            "result_sha256": row.result_sha256,
        }
    )


def _answer(row: AnswerRow) -> StoredAnswer:
    return StoredAnswer(
        number=row.number,
        case=row.case_id,
        input=row.input,
        answer=row.answer,
        author=row.author,
        by=row.by,
        entered_at=row.entered_at,
    )
