"""Jobs and their events in the database: the truth about every job, whoever runs it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from knowledge.model import Frozen
from knowledge.passages import Language
from serving.access.errors import ConflictError, NotFoundError
from serving.cases.tables import CaseRow
from serving.jobs.seam import Job, JobEvent, JobState
from serving.jobs.tables import JobEventRow, JobRow
from serving.storage.base import new_id
from serving.storage.database import Database
from tools.intake.given import GivenAnswer

_LANGUAGE: TypeAdapter[Language] = TypeAdapter(Language)
_OPEN = (JobState.WAITING.value, JobState.RUNNING.value)
_PROBLEM = 1000


class Reads(Frozen):
    """What a run is over, fixed when it begins.

    Args:
        files: Name to SHA-256.
        given: The newest answer to each input.
    """

    files: dict[str, str]
    given: tuple[GivenAnswer, ...] = ()


class Begun(Frozen):
    """A job that runs, with what it is over.

    Args:
        job: The job.
        at: The moment it is for.
        language: Of prompts and words.
        reads: Files and answers.
    """

    job: Job
    at: datetime
    language: Language
    reads: Reads


class JobStore:
    """What is kept of jobs; every call is one transaction.

    Every method raises `UnavailableError` where the database cannot be used.

    Args:
        database: Where.
        clock: The current moment, zoned.
    """

    def __init__(self, database: Database, *, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def submit(self, case: str, *, by: str, language: Language, key: str) -> Job:
        """Keep that a run is wanted, and return it; the same key gives the same job.

        Raises:
            NotFoundError: The case is not there any more.
            ConflictError: Others submit the same key at this moment, again and again.
        """
        for _ in range(3):
            try:
                return self._submit(case, by=by, language=language, key=key)
            except IntegrityError:
                continue  # another request with this key was first: it is found next time
        raise ConflictError(f"case {case}", "is being changed by others", "try again")

    def _submit(self, case: str, *, by: str, language: Language, key: str) -> Job:
        with self._database.transaction() as session:
            known = session.scalar(select(JobRow).where(JobRow.case_id == case, JobRow.key == key))
            if known is not None:
                return _job(known)
            standing = session.get(CaseRow, case)
            if standing is None or standing.deleted_at is not None:
                raise NotFoundError(f"case {case}")
            row = JobRow(
                id=new_id("job"),
                case_id=case,
                key=key,
                state=JobState.WAITING.value,
                by=by,
                language=language,
                asked_at=self._clock(),
                problem="",
                wanted_cancel=False,
            )
            session.add(row)
            session.flush()
            self._tell(session, row.id, f"job.{JobState.WAITING.value}", {})
            return _job(row)

    def get(self, job: str) -> Job | None:
        """Return a job, or None."""
        with self._database.reading() as session:
            row = session.get(JobRow, job)
            return None if row is None else _job(row)

    def of_case(self, case: str) -> tuple[Job, ...]:
        """Return the jobs of a case, newest first."""
        query = select(JobRow).where(JobRow.case_id == case)
        query = query.order_by(JobRow.asked_at.desc(), JobRow.id)
        with self._database.reading() as session:
            return tuple(_job(row) for row in session.scalars(query))

    def events(self, job: str, *, after: int = -1) -> tuple[JobEvent, ...]:
        """Return the events after a sequence number, in order."""
        query = select(JobEventRow).where(JobEventRow.job_id == job, JobEventRow.sequence > after)
        with self._database.reading() as session:
            return tuple(_event(row) for row in session.scalars(query.order_by("sequence")))

    def open(self) -> tuple[str, ...]:
        """Return the ids of the jobs that have not ended, oldest first."""
        query = select(JobRow.id).where(JobRow.state.in_(_OPEN)).order_by(JobRow.asked_at)
        with self._database.reading() as session:
            return tuple(session.scalars(query))

    def begin(self, job: str, read: Callable[[], Reads]) -> Begun | None:
        """Say that a job runs, and return what it is over: the same each time it is begun.

        None where it has ended, was cancelled before it began, or is not there any more.

        Args:
            job: Its id.
            read: What the case has now; called where the job begins for the first time.
        """
        with self._database.reading() as session:
            known = session.get(JobRow, job)
            fresh = None if known is None or known.reads is not None else known
        reads = read() if fresh is not None else None
        with self._database.transaction() as session:
            row = _held(session, job)
            if row is None or row.state not in _OPEN:
                return None
            if row.wanted_cancel:
                self._end(session, row, JobState.CANCELLED)
                return None
            if row.reads is None and reads is not None:
                row.reads, row.begun_at = reads.to_json(), self._clock()
            if row.reads is None or row.begun_at is None:
                return None
            row.state = JobState.RUNNING.value
            self._tell(session, job, f"job.{JobState.RUNNING.value}", {})
            return Begun(
                job=_job(row),
                at=row.begun_at,
                language=_LANGUAGE.validate_python(row.language),
                reads=Reads.model_validate(row.reads),
            )

    def tell(self, job: str, told: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Keep events of a job that is still there, in order.

        Args:
            job: Its id.
            told: Type and facts of each.
        """
        with self._database.transaction() as session:
            if _held(session, job) is not None:
                for kind, data in told:
                    self._tell(session, job, kind, data)

    def end(
        self, job: str, state: JobState, *, assessment: str | None = None, problem: str = ""
    ) -> None:
        """Say how a job ended; one that has ended stays as it is."""
        with self._database.transaction() as session:
            row = _held(session, job)
            if row is not None and row.state in _OPEN:
                self._end(session, row, state, assessment=assessment, problem=problem)

    def want_cancel(self, job: str) -> bool:
        """Ask for a job to be cancelled; whether there was anything to cancel.

        One that waits is cancelled at once, one that runs by who runs it.
        """
        with self._database.transaction() as session:
            row = _held(session, job)
            if row is None or row.state not in _OPEN:
                return False
            row.wanted_cancel = True
            if row.state == JobState.WAITING.value:
                self._end(session, row, JobState.CANCELLED)
            return True

    def is_cancel_wanted(self, job: str) -> bool:
        """Return whether a job that runs is to stop: cancelled, or gone with its case."""
        with self._database.reading() as session:
            row = session.get(JobRow, job)
            return row is None or row.wanted_cancel

    def _end(
        self,
        session: Session,
        row: JobRow,
        state: JobState,
        *,
        assessment: str | None = None,
        problem: str = "",
    ) -> None:
        row.state = state.value
        row.ended_at = self._clock()
        row.assessment = assessment
        row.problem = problem[:_PROBLEM]
        said = {"assessment": assessment, "problem": row.problem}
        self._tell(session, row.id, f"job.{state.value}", {k: v for k, v in said.items() if v})

    def _tell(self, session: Session, job: str, kind: str, data: Mapping[str, Any]) -> None:
        last = session.scalar(
            select(func.max(JobEventRow.sequence)).where(JobEventRow.job_id == job)
        )
        session.add(
            JobEventRow(
                job_id=job,
                sequence=0 if last is None else last + 1,
                type=kind,
                data=dict(data),
                at=self._clock(),
            )
        )
        session.flush()


def _held(session: Session, job: str) -> JobRow | None:
    """Return a job that nobody else changes until the transaction ends."""
    return session.get(JobRow, job, with_for_update=True)


def _job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        case=row.case_id,
        state=JobState(row.state),
        by=row.by,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        assessment=row.assessment,
        problem=row.problem,
    )


def _event(row: JobEventRow) -> JobEvent:
    return JobEvent(job=row.job_id, sequence=row.sequence, type=row.type, data=row.data, at=row.at)
