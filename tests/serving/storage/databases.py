"""Each database the service runs on, for tests: a SQLite file, and a PostgreSQL from a package."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from serving.storage.database import Database
from tests.postgresql import postgresql

KINDS = ("sqlite", "postgresql")


@contextmanager
def database_of(kind: str, folder: Path) -> Iterator[Database]:
    """Open an empty database of a kind, and drop it afterwards."""
    if kind == "sqlite":
        database = Database(f"sqlite:///{folder / 'service.sqlite3'}")
        try:
            yield database
        finally:
            database.close()
        return
    with postgresql() as address:
        database = Database(address)
        try:
            yield database
        finally:
            database.close()


def tables_of(database: Database) -> set[str]:
    """Return the names of all tables there are."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if database.is_sqlite
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    with database.engine.connect() as connection:
        return {name for (name,) in connection.execute(text(query))}
