"""Drafts, signed reports and flags in the database."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from serving.access.errors import AlteredError, ConflictError, NotFoundError
from serving.cases.kept import checked_body
from serving.cases.model import StoredAssessment
from serving.cases.tables import AssessmentRow, CaseRow
from serving.signing.model import (
    Change,
    DraftDecision,
    Flag,
    SignedStatement,
    Signer,
    SignOff,
)
from serving.signing.tables import DraftDecisionRow, FlagRow, SignOffRow
from serving.storage.base import canonical, new_id
from serving.storage.database import Database

_ONE_EACH = "somebody else signed this case at the same moment"


class SignOffStore:
    """What is kept of sign-offs; every call is one transaction.

    Every method raises `UnavailableError` where the database cannot be used.

    Args:
        database: Where.
        clock: The current moment, zoned.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def draft(self, assessment: str, subject: str) -> tuple[DraftDecision, ...]:
        """Return what one person has decided on one version and not signed."""
        with self._database.reading() as session:
            return _draft(session, assessment, subject)

    def keep_draft(
        self, case: str, assessment: str, subject: str, decisions: Sequence[DraftDecision]
    ) -> None:
        """Keep decisions of one person; a later one on a statement takes the earlier's place.

        Raises:
            ConflictError: A newer version has been made meanwhile; names it.
        """
        with self._database.transaction() as session:
            newest = _newest(session, case)
            if newest.id != assessment:
                raise _outdated(newest)
            for one in decisions:
                session.merge(
                    DraftDecisionRow(
                        case_id=case,
                        assessment_id=assessment,
                        subject=subject,
                        statement=one.statement,
                        decision=one.model_dump(mode="json"),
                        decided_at=one.decided_at,
                    )
                )

    def drop_draft(self, assessment: str, subject: str) -> None:
        """Forget what one person has decided on one version and not signed."""
        with self._database.transaction() as session:
            _drop_draft(session, assessment, subject)

    def sign(
        self,
        case: str,
        assessment: str,
        signer: Signer,
        *,
        amends: str | None,
        reason: str,
        decide: Callable[[tuple[DraftDecision, ...]], tuple[SignedStatement, ...]],
        note: Callable[[Session, SignOff], None],
    ) -> SignOff:
        """Sign one version and return the report; the flags of what it amends are settled.

        Nobody can make a newer version between the check and the signature: the case is locked.

        Args:
            case: Id of the case.
            assessment: Id of the version that was looked at.
            signer: Who.
            amends: The sign-off it takes the place of.
            reason: Why it is amended.
            decide: Gives every statement with its decision, from the signer's draft; may refuse.
            note: Puts the report into the audit, in the same transaction.

        Raises:
            AlteredError: The version is not what was kept.
            NotFoundError: The case is not there, or was never assessed.
            ConflictError: A newer version was made, or somebody signed meanwhile; says which.
        """
        try:
            with self._database.transaction() as session:
                newest = _newest(session, case)
                if newest.id != assessment:
                    raise _outdated(newest)
                checked_body(newest)
                before = _last(session, case)
                _follows(before, amends)
                made = _report(
                    newest,
                    signer,
                    before,
                    reason=reason,
                    at=self._clock(),
                    decided=decide(_draft(session, assessment, signer.subject)),
                )
                session.add(_sign_off_row(made))
                _drop_draft(session, assessment, signer.subject)
                if amends is not None:
                    _settle(session, amends, signer, made.signed_at)
                note(session, made)
        except IntegrityError as error:
            raise ConflictError(f"case {case}", _ONE_EACH, "read what was signed") from error
        return made

    def sign_offs(self, case: str) -> tuple[SignOff, ...]:
        """Return every signed report of a case, newest first."""
        query = select(SignOffRow).where(SignOffRow.case_id == case)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(SignOffRow.number.desc()))
            return tuple(_sign_off(row) for row in rows)

    def newest(self, case: str) -> SignOff | None:
        """Return the signed report that counts, or None."""
        with self._database.reading() as session:
            row = _last(session, case)
            return None if row is None else _sign_off(row)

    def raise_flag(
        self, sign_off: SignOff, later: StoredAssessment, changes: Sequence[Change]
    ) -> Flag | None:
        """Flag a signed report, and return the flag; None where it says so already.

        Args:
            sign_off: The report.
            later: The version that does not bear it out.
            changes: What differs.
        """
        said: list[dict[str, Any]] = [one.to_json() for one in changes]
        with self._database.transaction() as session:
            lock_case(session, sign_off.case)
            rows = session.scalars(select(FlagRow).where(FlagRow.sign_off_id == sign_off.id))
            for row in rows:
                same = row.resolved_at is None and canonical(row.changes) == canonical(said)
                if same or row.assessment_id == later.id:
                    return None
            row = FlagRow(
                id=new_id("flag"),
                case_id=sign_off.case,
                sign_off_id=sign_off.id,
                assessment_id=later.id,
                version=later.version,
                why=later.why,
                raised_at=self._clock(),
                changes=said,
            )
            session.add(row)
        return _flag(row)

    def flags(self, case: str) -> tuple[Flag, ...]:
        """Return every flag of a case, newest first."""
        query = select(FlagRow).where(FlagRow.case_id == case)
        with self._database.reading() as session:
            rows = session.scalars(query.order_by(FlagRow.version.desc(), FlagRow.id))
            return tuple(_flag(row) for row in rows)

    def let_stand(self, case: str, flag: str, signer: Signer, reason: str) -> Flag:
        """Settle a flag: a clinician says that the report stands, and why.

        Raises:
            NotFoundError: The case has no such flag.
            ConflictError: It is settled already.
        """
        with self._database.transaction() as session:
            row = session.get(FlagRow, flag)
            if row is None or row.case_id != case:
                raise NotFoundError("flag")
            done = session.execute(
                update(FlagRow)
                .where(FlagRow.id == flag, FlagRow.resolved_at.is_(None))
                .values(
                    resolved_at=self._clock(),
                    resolved_by=signer.subject,
                    resolver=signer.name,
                    resolution="stands",
                    reason=reason,
                )
            )
            if getattr(done, "rowcount", 0) != 1:
                raise ConflictError("flag", "is settled already", "read how")
            session.refresh(row)
        return _flag(row)


def lock_case(session: Session, case: str) -> CaseRow:
    """Let nobody add a version, a sign-off or a flag to this case until the transaction ends.

    PostgreSQL locks the row, which a new version refers to; SQLite lets one writer in anyway.
    """
    query = select(CaseRow).where(CaseRow.id == case, CaseRow.deleted_at.is_(None))
    row = session.scalar(query.with_for_update())
    if row is None:
        raise NotFoundError(f"case {case}")
    return row


def _newest(session: Session, case: str) -> AssessmentRow:
    lock_case(session, case)
    last = select(func.max(AssessmentRow.version)).where(AssessmentRow.case_id == case)
    row = session.scalar(
        select(AssessmentRow).where(
            AssessmentRow.case_id == case, AssessmentRow.version == last.scalar_subquery()
        )
    )
    if row is None:
        raise NotFoundError(f"assessment of case {case}")
    return row


def _outdated(newest: AssessmentRow) -> ConflictError:
    return ConflictError(
        f"case {newest.case_id}",
        f"version {newest.version} is newer",
        f"review version {newest.version} and decide on that one",
    )


def _follows(before: SignOffRow | None, amends: str | None) -> None:
    if before is None and amends is not None:
        raise ConflictError("sign-off", "amends one that is not there", "sign without `amends`")
    if before is not None and amends != before.id:
        raise ConflictError(
            f"case {before.case_id}",
            f"version {before.version} was signed by {before.name} at "
            f"{before.signed_at.isoformat(timespec='minutes')}",
            f"read it; to take its place, sign with `amends` {before.id}",
        )


def _report(
    newest: AssessmentRow,
    signer: Signer,
    before: SignOffRow | None,
    *,
    reason: str,
    at: datetime,
    decided: tuple[SignedStatement, ...],
) -> SignOff:
    made = SignOff.model_validate(
        {
            "id": new_id("signoff"),
            "case": newest.case_id,
            "number": 1 if before is None else before.number + 1,
            "assessment": newest.id,
            "version": newest.version,
            "assessment_sha256": newest.sha256,
            "inputs_sha256": newest.inputs_sha256,
            "result_sha256": newest.result_sha256,
            "language": newest.language,
            "signed_at": at,
            "signer": signer,
            "amends": None if before is None else before.id,
            "reason": reason,
            "statements": decided,
        }
    )
    return made.model_copy(update={"sha256": report_hash(made.to_json())})


def report_hash(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a signed report, of all but that hash itself."""
    return hashlib.sha256(canonical({k: v for k, v in body.items() if k != "sha256"})).hexdigest()


def _sign_off_row(made: SignOff) -> SignOffRow:
    return SignOffRow(
        id=made.id,
        case_id=made.case,
        follows=made.amends or "",
        number=made.number,
        assessment_id=made.assessment,
        version=made.version,
        signed_at=made.signed_at,
        signed_by=made.signer.subject,
        name=made.signer.name,
        body=made.to_json(),
        sha256=made.sha256,
    )


def _sign_off(row: SignOffRow) -> SignOff:
    """Return the report, checked against its hash."""
    if report_hash(row.body) != row.sha256 or row.body.get("sha256") != row.sha256:
        raise AlteredError(f"sign-off {row.id}", "it is not what was signed")
    return SignOff.model_validate(row.body)


def _last(session: Session, case: str) -> SignOffRow | None:
    query = select(SignOffRow).where(SignOffRow.case_id == case)
    return session.scalar(query.order_by(SignOffRow.number.desc()).limit(1))


def _draft(session: Session, assessment: str, subject: str) -> tuple[DraftDecision, ...]:
    query = select(DraftDecisionRow.decision).where(
        DraftDecisionRow.assessment_id == assessment, DraftDecisionRow.subject == subject
    )
    return tuple(DraftDecision.model_validate(one) for one in session.scalars(query))


def _drop_draft(session: Session, assessment: str, subject: str) -> None:
    session.execute(
        delete(DraftDecisionRow).where(
            DraftDecisionRow.assessment_id == assessment, DraftDecisionRow.subject == subject
        )
    )


def _settle(session: Session, sign_off: str, signer: Signer, at: datetime) -> None:
    session.execute(
        update(FlagRow)
        .where(FlagRow.sign_off_id == sign_off, FlagRow.resolved_at.is_(None))
        .values(
            resolved_at=at,
            resolved_by=signer.subject,
            resolver=signer.name,
            resolution="amended",
        )
    )


def _flag(row: FlagRow) -> Flag:
    return Flag.model_validate(
        {
            "id": row.id,
            "case": row.case_id,
            "sign_off": row.sign_off_id,
            "assessment": row.assessment_id,
            "version": row.version,
            "why": row.why,
            "raised_at": row.raised_at,
            "changes": row.changes,
            "resolved_at": row.resolved_at,
            "resolver": row.resolver,
            "resolution": row.resolution,
            "reason": row.reason,
        }
    )
