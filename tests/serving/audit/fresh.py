"""Empty databases with our tables, one for each test: a SQLite file or one of a real PostgreSQL."""

import atexit
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from serving.audit.append_only import protect_all
from serving.storage.database import Database
from serving.storage.tables import METADATA
from tests.postgresql import started

KINDS = ("sqlite", "postgresql")


@contextmanager
def fresh_database(kind: str, folder: Path) -> Iterator[Database]:
    """Open a database of a kind with every table and no row."""
    url = f"sqlite:///{folder / 'service.sqlite3'}" if kind == "sqlite" else _new_postgresql()
    database = Database(url)
    try:
        METADATA.create_all(database.engine)
        with database.transaction() as session:
            protect_all(session)
        yield database
    finally:
        database.close()


def _new_postgresql() -> str:
    uri = make_url(_server().get_uri())
    name = f"t_{secrets.token_hex(6)}"
    admin = create_engine(uri.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return uri.set(database=name).render_as_string(hide_password=False)


@cache
def _server() -> Any:
    """Start one server for this run of the tests; it is stopped when the run ends."""
    running = started()
    atexit.register(running.cleanup)
    return running
