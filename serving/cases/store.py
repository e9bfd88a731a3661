"""Cases, their files, assessments and answers in the database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from serving.access.errors import ConflictError, NotFoundError
from serving.audit.seam import Audit
from serving.cases.assessments import AssessmentStore
from serving.cases.model import Case, CaseFile, Source, StoredAnswer
from serving.cases.opening import open_keyed, open_visit, visit
from serving.cases.patient import PatientLine
from serving.cases.rows import (
    answer_of,
    case_of,
    file_of,
    file_rows,
    standing,
)
from serving.cases.tables import (
    AnswerRow,
    CaseFileRow,
    CasePatientRow,
    CaseRow,
)
from serving.storage.base import new_id
from serving.storage.database import Database
from serving.storage.files import FileStore


class CaseStore(AssessmentStore):
    """What is kept of cases; every call is one transaction.

    Args:
        database: Where.
        files: Where their bytes are.
        clock: The current moment, zoned.
        audit: Told the hash of every assessment that is kept, so that its chain proves them; None
            where nothing proves them, in tests.

    Every method raises `UnavailableError` where the database or the disk cannot be used. Where it
    reads an assessment it raises `AlteredError` if that is not what was kept.
    """

    def __init__(
        self,
        database: Database,
        files: FileStore,
        *,
        clock: Callable[[], datetime],
        audit: Audit | None = None,
    ) -> None:
        super().__init__(database, clock=clock, audit=audit)
        self._files = files

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
        row = self._row(
            label, source, by=by, patient=patient, encounter=encounter, time_zone=time_zone
        )
        with self._database.transaction() as session:
            session.add(row)
        return case_of(row)

    def visit(self, patient: str, encounter: str | None) -> Case | None:
        """Return the case of a patient's visit, see `serving.cases.visit`; None for none."""
        with self._database.reading() as session:
            return visit(session, patient, encounter, now=self._clock())

    def open_visit(
        self,
        patient: str,
        encounter: str | None,
        *,
        label: str,
        source: Source,
        by: str,
        files: Iterable[tuple[str, bytes]],
    ) -> tuple[Case, bool]:
        """Return the case of a patient's visit, and whether it was made now, with these files.

        There is one, however many calls and processes ask at once: they take turns by patient.

        Args:
            patient: As in `Case.patient`.
            encounter: As in `Case.encounter`.
            label: Of a new case.
            source: Of a new case.
            by: Subject of who asks.
            files: Name and bytes of a new case; one that is there takes none of them.
        """
        put = [(name, self.put(content), len(content)) for name, content in files]
        made = self._row(label, source, by=by, patient=patient, encounter=encounter)
        with self._database.transaction() as session:
            return open_visit(session, made, put)

    def open_keyed(
        self,
        key: str | None,
        files: Sequence[tuple[str, str, int]],
        *,
        label: str,
        source: Source,
        by: str,
        time_zone: str | None = None,
    ) -> tuple[Case, bool]:
        """Return the case of a request, and whether it was made now, with these files.

        Args:
            key: Of the request; sent again by the same subject it gives the same case. None for a
                request that stands for itself.
            files: Name, SHA-256 and size in bytes of contents that are kept already.
            label: What people call it.
            source: Where it came from.
            by: Subject of who asks.
            time_zone: IANA zone for naive times.

        Raises:
            ConflictError: The key was sent with something else, or its case was deleted.
        """
        for _ in range(3):
            made = self._row(label, source, by=by, time_zone=time_zone)
            try:
                with self._database.transaction() as session:
                    return open_keyed(session, key, made, files)
            except IntegrityError:
                continue  # another request with this key was first: it is found next time
        raise ConflictError("Idempotency-Key", "is being used by others", "try again")

    def _row(
        self,
        label: str,
        source: Source,
        *,
        by: str,
        patient: str | None = None,
        encounter: str | None = None,
        time_zone: str | None = None,
    ) -> CaseRow:
        return CaseRow(
            id=new_id("case"),
            label=label,
            patient=patient,
            encounter=encounter,
            source=source,
            created_at=self._clock(),
            created_by=by,
            time_zone=time_zone,
        )

    def find(self, case: str) -> Case | None:
        """Return a case, or None where there is none or it was deleted."""
        with self._database.reading() as session:
            row = session.get(CaseRow, case)
            return None if row is None or row.deleted_at is not None else case_of(row)

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
            return tuple(case_of(row) for row in session.scalars(query))

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

    def follow_clock(self, case: str) -> None:
        """Assess a case as of now from now on, whatever moment its files state."""
        with self._database.transaction() as session:
            session.execute(
                update(CaseRow)
                .where(CaseRow.id == case, CaseRow.clock_since.is_(None))
                .values(clock_since=self._clock())
            )

    def keep_patient(self, case: str, patient: PatientLine) -> None:
        """Keep who the patient of a case is, as its files say now; the earlier line is replaced."""
        body = patient.to_json()
        with self._database.transaction() as session:
            standing(session.get(CaseRow, case), case)
            row = session.get(CasePatientRow, case)
            if row is None:
                session.add(CasePatientRow(case_id=case, body=body, read_at=self._clock()))
            elif row.body != body:
                row.body, row.read_at = body, self._clock()

    def patients(self, cases: Sequence[str]) -> dict[str, PatientLine]:
        """Return who the patients of these cases are, where their files were read."""
        query = select(CasePatientRow).where(CasePatientRow.case_id.in_(cases))
        with self._database.reading() as session:
            return {
                row.case_id: PatientLine.model_validate(row.body) for row in session.scalars(query)
            }

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
        rows = file_rows(case, files, by=by, at=self._clock())
        with self._database.transaction() as session:
            standing(session.get(CaseRow, case, with_for_update=True), case)  # one name, one file
            self._take_out(session, case, [row.name for row in rows], at=self._clock())
            session.add_all(rows)
        return tuple(file_of(row) for row in rows)

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
            return tuple(file_of(row) for row in session.scalars(query))

    def content(self, file: CaseFile) -> bytes:
        """Return the bytes of a file, checked against their hash."""
        return self._files.get(file.sha256)

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
            standing(session.get(CaseRow, case), case)
            session.add(row)
        return answer_of(row)

    def answers(self, case: str) -> tuple[StoredAnswer, ...]:
        """Return every answer ever given to a case, oldest first."""
        query = select(AnswerRow).where(AnswerRow.case_id == case).order_by(AnswerRow.number)
        with self._database.reading() as session:
            return tuple(answer_of(row) for row in session.scalars(query))
