"""Rows that nobody may change: the database itself refuses.

The triggers stop the service's own mistakes and whoever has only its rights. Who owns the database
can take them away; the chain and its anchor then show what was changed.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

Operation = Literal["UPDATE", "DELETE", "TRUNCATE"]
ALL: tuple[Operation, ...] = ("UPDATE", "DELETE", "TRUNCATE")

PROTECTED: Mapping[str, Literal["for good", "with its case"]] = {
    "audit": "for good",
    "assessments": "with its case",
    "sign_offs": "with its case",
    "reading_versions": "with its case",
    "reading_releases": "with its case",
    "reading_log": "with its case",
}
"""Tables that are only ever added to, and how long a row stays: for good, or until its case is
marked as deleted (`serving.storage.deletion`)."""


def protect_all(session: Session) -> None:
    """Forbid changes to every table of `PROTECTED`, where they are not forbidden yet.

    Args:
        session: In a transaction that may write. On PostgreSQL only one at a time may call this.
    """
    for table in PROTECTED:
        protect(session, table)


def protect(session: Session, table: str) -> None:
    """Forbid changes to one table of `PROTECTED`, where they are not forbidden yet.

    Args:
        session: In a transaction that may write. On PostgreSQL only one at a time may call this.
        table: Its name.
    """
    for operation in unprotected(session, table):
        for statement in _statements(session, table, operation):
            session.execute(text(statement))


def unprotected(session: Session, table: str) -> tuple[Operation, ...]:
    """Return the operations on a table of `PROTECTED` that the database would let through."""
    sqlite = _is_sqlite(session)
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
        if sqlite
        else "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) "
        "AND tgenabled IN ('O', 'A')"
    )
    there = set(session.scalars(text(query), {"table": table}))
    wanted = (op for op in ALL if not (sqlite and op == "TRUNCATE"))
    return tuple(op for op in wanted if _name(table, op) not in there)


def _statements(session: Session, table: str, operation: Operation) -> Iterator[str]:
    name = _name(table, operation)
    leaves = operation == "DELETE" and PROTECTED[table] == "with its case"
    deleted = "EXISTS (SELECT 1 FROM cases WHERE id = OLD.case_id AND deleted_at IS NOT NULL)"
    if _is_sqlite(session):
        when = f"WHEN NOT {deleted} " if leaves else ""
        yield (
            f"CREATE TRIGGER {name} BEFORE {operation} ON {table} {when}"
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    function = f"{table}_leaves_with_its_case" if leaves else f"{table}_append_only"
    way_out = f"IF {deleted} THEN RETURN OLD; END IF; " if leaves else ""
    yield (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger AS "
        f"$$ BEGIN {way_out}RAISE EXCEPTION '{table} is append-only'; END $$ LANGUAGE plpgsql"
    )
    each = "STATEMENT" if operation == "TRUNCATE" else "ROW"
    yield (
        f"CREATE TRIGGER {name} BEFORE {operation} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION {function}()"
    )


def _name(table: str, operation: Operation) -> str:
    return f"{table}_no_{operation.lower()}"


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"
