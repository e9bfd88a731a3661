"""The events as they were written, for another system or a person with the right to see them."""

from collections.abc import Iterator

from sqlalchemy import select

from serving.audit.protocol import AuditEntry
from serving.audit.tables import AuditRow
from serving.storage.base import canonical
from serving.storage.database import Database

_BATCH = 1000


def ndjson(database: Database, *, after: int = 0) -> Iterator[bytes]:
    """Yield the AuditEvents after a place in the chain, one a line, in order.

    Args:
        database: Where they are.
        after: Place of the last event that is already known; 0 for all.

    Raises:
        UnavailableError: The database cannot be used.
    """
    while True:
        page = entries(database, after=after, limit=_BATCH)
        for entry in page:
            yield canonical(entry.event) + b"\n"
            after = entry.sequence
        if len(page) < _BATCH:
            return


def entries(
    database: Database,
    *,
    after: int,
    limit: int,
    case: str | None = None,
    subject: str | None = None,
    action: str | None = None,
) -> tuple[AuditEntry, ...]:
    """Return events after a place in the chain, in order.

    Args:
        database: Where they are.
        after: Place in the chain; 0 for the start.
        limit: At most this many.
        case: Of this case alone.
        subject: Of this person alone.
        action: Of this action alone.

    Raises:
        UnavailableError: The database cannot be used.
    """
    query = select(AuditRow).where(AuditRow.sequence > after)
    if case is not None:
        query = query.where(AuditRow.case_id == case)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    if action is not None:
        query = query.where(AuditRow.action == action)
    with database.reading() as session:
        rows = session.scalars(query.order_by(AuditRow.sequence).limit(limit))
        return tuple(
            AuditEntry(sequence=row.sequence, sha256=row.sha256, event=row.body) for row in rows
        )
