"""Assessments of cases in the database: only ever added to, each proved by the audit."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from agent.assessment import Assessment
from knowledge.passages import Language
from serving.access.errors import AlteredError, ConflictError
from serving.audit.seam import KEPT, SERVICE, Audit
from serving.cases.kept import body_hash, repeated
from serving.cases.model import StoredAssessment, Why
from serving.cases.rows import assessment_of, case_of, standing
from serving.cases.tables import AssessmentRow, CaseRow
from serving.storage.base import new_id
from serving.storage.database import Database


class AssessmentStore:
    """What is kept of assessments; every call is one transaction.

    Args:
        database: Where.
        clock: The current moment, zoned.
        audit: Told the hash of every assessment that is kept, so that its chain proves them; None
            where nothing proves them, in tests.

    Every method raises `UnavailableError` where the database cannot be used. Where it reads an
    assessment it raises `AlteredError` if that is not what was kept.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime], audit: Audit | None
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

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
        columns = repeated(body)
        with self._database.transaction() as session:
            known = standing(session.get(CaseRow, case), case)
            last = session.scalar(
                select(func.max(AssessmentRow.version)).where(AssessmentRow.case_id == case)
            )
            row = AssessmentRow(
                id=new_id("assessment"),
                case_id=case,
                version=(last or 0) + 1,
                at=assessment.provenance.at.at,
                made_at=self._clock(),
                made_by=by,
                why=why,
                job=job,
                language=language if columns["author"] == "agent" else "en",
                body=body,
                sha256=body_hash(body),
                **columns,
            )
            session.add(row)
            if self._audit is not None:
                detail = {"assessment": row.id, "version": row.version, "sha256": row.sha256}
                self._audit.within(session, SERVICE, KEPT, case=case_of(known), detail=detail)
        return assessment_of(row)

    def _of_job(self, job: str) -> StoredAssessment | None:
        with self._database.reading() as session:
            row = session.scalar(select(AssessmentRow).where(AssessmentRow.job == job))
            return None if row is None else assessment_of(row)

    def assessment(self, case: str, version: int | None = None) -> StoredAssessment | None:
        """Return one version, or the newest; None where there is none."""
        query = select(AssessmentRow).where(AssessmentRow.case_id == case)
        if version is not None:
            query = query.where(AssessmentRow.version == version)
        query = query.order_by(AssessmentRow.version.desc()).limit(1)
        with self._database.reading() as session:
            row = session.scalar(query)
            return None if row is None else assessment_of(row)

    def assessments(self, case: str) -> tuple[StoredAssessment, ...]:
        """Return every version, newest first."""
        query = select(AssessmentRow).where(AssessmentRow.case_id == case)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(AssessmentRow.version.desc()))
            return tuple(assessment_of(row) for row in rows)

    def history(self, case: str) -> tuple[tuple[StoredAssessment, ...], tuple[int, ...]]:
        """Return every version that is as it was kept, and the numbers of those that are not.

        Both newest first. For a page, which shows the first and says the second.
        """
        query = select(AssessmentRow).where(AssessmentRow.case_id == case)
        found: list[StoredAssessment] = []
        altered: list[int] = []
        with self._database.reading() as session:
            for row in session.scalars(query.order_by(AssessmentRow.version.desc())):
                try:
                    found.append(assessment_of(row))
                except AlteredError:
                    altered.append(row.version)
        return tuple(found), tuple(altered)
