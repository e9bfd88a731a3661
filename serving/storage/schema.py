"""Bring a database to the tables that this version needs."""

import logging
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from knowledge.errors import UnavailableError
from serving.audit.append_only import protect_all
from serving.storage.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x45504943
"""Number of the advisory lock under which PostgreSQL is migrated: one process at a time."""


def prepare(database: Database) -> None:
    """Make or migrate the tables; nothing is done where they are those of this version.

    The database then refuses changes to what is only ever added to.

    Raises:
        UnavailableError: The database cannot be used, or was made by a later version.
    """
    from alembic import command
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    with as_file(files("serving.storage") / "migrations") as folder:
        config = _config(str(folder))
        try:
            with database.engine.begin() as connection:
                if not database.is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                with Session(bind=connection) as session:
                    protect_all(session)
        except CommandError as error:
            raise UnavailableError(
                "database",
                "was made by a later version of this service",
                "install that version, or restore a backup made by this one",
            ) from error
        except DBAPIError as error:
            raise UnavailableError(
                "database",
                f"cannot be brought to this version ({type(error.orig).__name__})",
                "check that it runs and can be written; nothing was changed",
            ) from error


def revision(database: Database) -> str | None:
    """Return the revision a database is at; None where it has no tables of ours.

    Raises:
        UnavailableError: It does not answer.
    """
    from alembic.runtime.migration import MigrationContext

    database.ping()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def _config(folder: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    return config
