"""Take a case out for good: what remains is that there was one, and the audit."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from knowledge.model import Frozen
from serving.access.errors import NotFoundError
from serving.cases.tables import CaseFileRow, CaseRow
from serving.storage.database import Database
from serving.storage.files import FileStore
from serving.storage.tables import METADATA

_BLANK = "deleted"


class Deleted(Frozen):
    """What was taken out.

    Args:
        case: Id of the case.
        rows: Table to the number of rows that were deleted.
        files: Number of contents removed; those another case has too are kept.
    """

    case: str
    rows: dict[str, int]
    files: int


def delete_case(
    database: Database, files: FileStore, case: str, *, clock: Callable[[], datetime]
) -> Deleted:
    """Delete everything of a case and return what that was.

    Its row remains without label, patient and encounter, so that the audit's references lead
    somewhere; the audit itself is never touched.

    Args:
        database: Where the case is.
        files: Where its contents are.
        case: Its id.
        clock: The current moment, zoned.

    Raises:
        NotFoundError: No such case, or it was deleted before.
        UnavailableError: The database cannot be used.
    """
    with database.transaction() as session:
        row = session.get(CaseRow, case)
        if row is None or row.deleted_at is not None:
            raise NotFoundError(f"case {case}")
        row.label, row.patient, row.encounter = _BLANK, None, None
        row.deleted_at = clock()
        session.flush()  # only of a case that is marked as deleted, assessments can be taken out
        hashes = set(session.scalars(select(CaseFileRow.sha256).where(CaseFileRow.case_id == case)))
        rows = {
            table.name: count for table in _of_cases() if (count := _emptied(session, table, case))
        }
        kept = set(
            session.scalars(select(CaseFileRow.sha256).where(CaseFileRow.sha256.in_(hashes)))
        )
    for sha256 in hashes - kept:
        files.delete(sha256)
    return Deleted(case=case, rows=rows, files=len(hashes - kept))


def older_than(database: Database, *, days: int, now: datetime) -> tuple[str, ...]:
    """Return the cases made more than so many days ago that are still here, oldest first.

    Raises:
        UnavailableError: The database cannot be used.
    """
    query = (
        select(CaseRow.id)
        .where(CaseRow.deleted_at.is_(None), CaseRow.created_at < now - timedelta(days=days))
        .order_by(CaseRow.created_at)
    )
    with database.reading() as session:
        return tuple(session.scalars(query))


def _of_cases() -> Iterator[Table]:
    """Yield every table with rows of a case, those that refer to others first."""
    for table in reversed(METADATA.sorted_tables):
        if any(key.target_fullname == "cases.id" for key in table.foreign_keys):
            yield table


def _emptied(session: Session, table: Table, case: str) -> int:
    column = next(k.parent for k in table.foreign_keys if k.target_fullname == "cases.id")
    done = session.execute(delete(table).where(column == case))
    return int(getattr(done, "rowcount", 0))
