"""Cases made once: of a visit that several calls are about, of a request that is sent again."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from serving.access.errors import ConflictError
from serving.cases.model import Case
from serving.cases.rows import case_of, file_rows
from serving.cases.tables import CaseKeyRow, CaseRow
from serving.cases.visit import case_of_visit
from serving.storage.base import canonical

_LOCK = 0x56495354
"""First half of the advisory lock under which PostgreSQL finds or makes the case of a visit."""

File = tuple[str, str, int]
"""Name, SHA-256 and size in bytes."""


def visit(session: Session, patient: str, encounter: str | None, *, now: datetime) -> Case | None:
    """Return the case of a patient's visit; None where there is none.

    Args:
        session: In a transaction.
        patient: As in `Case.patient`.
        encounter: As in `Case.encounter`.
        now: The current moment, zoned.
    """
    query = (
        select(CaseRow)
        .where(CaseRow.deleted_at.is_(None), CaseRow.patient == patient)
        .order_by(CaseRow.created_at.desc(), CaseRow.id)
    )
    cases = [case_of(row) for row in session.scalars(query)]
    return case_of_visit(cases, encounter=encounter, now=now)


def open_visit(session: Session, made: CaseRow, files: Sequence[File]) -> tuple[Case, bool]:
    """Return the case of a visit, and whether it was made now.

    Args:
        session: In a transaction that writes; others that ask for this patient wait for its end.
        made: The case, where there is none yet.
        files: Its files then.
    """
    if session.get_bind().dialect.name != "sqlite":  # which lets one writer in at a time
        session.execute(
            text("SELECT pg_advisory_xact_lock(:n, hashtext(:patient))"),
            {"n": _LOCK, "patient": made.patient},
        )
    found = visit(session, made.patient or "", made.encounter, now=made.created_at)
    return (found, False) if found is not None else (_added(session, made, files), True)


def open_keyed(
    session: Session, key: str | None, made: CaseRow, files: Sequence[File]
) -> tuple[Case, bool]:
    """Return the case of a request, and whether it was made now.

    Args:
        session: In a transaction that writes.
        key: Of the request; None for one that stands for itself.
        made: The case, where the key made none yet.
        files: Its files then.

    Raises:
        ConflictError: The key was sent with something else, or its case was deleted.
        IntegrityError: Another request with this key was first.
    """
    if key is None:
        return _added(session, made, files), True
    sent = hashlib.sha256(canonical([made.label, made.time_zone, sorted(files)])).hexdigest()
    known = session.get(CaseKeyRow, (made.created_by, key))
    if known is None:
        case = _added(session, made, files)
        session.add(
            CaseKeyRow(subject=made.created_by, key=key, case_id=case.id, request_sha256=sent)
        )
        return case, True
    row = session.get(CaseRow, known.case_id)
    if known.request_sha256 != sent or row is None or row.deleted_at is not None:
        raise ConflictError(
            "Idempotency-Key", "was sent with another request", "send a new key with a new request"
        )
    return case_of(row), False


def _added(session: Session, made: CaseRow, files: Sequence[File]) -> Case:
    session.add(made)
    session.flush()
    session.add_all(file_rows(made.id, files, by=made.created_by, at=made.created_at))
    return case_of(made)
