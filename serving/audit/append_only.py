"""Rows that nobody may change: the database itself refuses.

The triggers stop the service's own mistakes and whoever has only its rights. Who owns the database
can take them away; the chain and its anchor then show what was changed.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

Operation = Literal["UPDATE", "DELETE", "TRUNCATE"]
ALL: tuple[Operation, ...] = ("UPDATE", "DELETE", "TRUNCATE")


def protect(session: Session, table: str, operations: Iterable[Operation] = ALL) -> None:
    """Forbid these operations on a table, where they are not forbidden yet.

    Args:
        session: In a transaction that may write. On PostgreSQL only one at a time may call this.
        table: Name of one of our tables.
        operations: SQLite knows no TRUNCATE.
    """
    missing = set(unprotected(session, table, operations))
    for operation in operations:
        if operation in missing:
            for statement in _statements(session, table, operation):
                session.execute(text(statement))


def unprotected(
    session: Session, table: str, operations: Iterable[Operation] = ALL
) -> tuple[Operation, ...]:
    """Return the operations that the database would let through."""
    sqlite = _is_sqlite(session)
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
        if sqlite
        else "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) "
        "AND tgenabled IN ('O', 'A')"
    )
    there = set(session.scalars(text(query), {"table": table}))
    wanted = (op for op in operations if not (sqlite and op == "TRUNCATE"))
    return tuple(op for op in wanted if _name(table, op) not in there)


def _statements(session: Session, table: str, operation: Operation) -> Iterator[str]:
    name = _name(table, operation)
    if _is_sqlite(session):
        yield (
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    yield (
        f"CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$ LANGUAGE plpgsql"
    )
    each = "STATEMENT" if operation == "TRUNCATE" else "ROW"
    yield (
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION {table}_append_only()"
    )


def _name(table: str, operation: Operation) -> str:
    return f"{table}_no_{operation.lower()}"


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
