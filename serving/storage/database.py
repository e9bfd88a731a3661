"""One database for everything the service keeps: SQLite by default, PostgreSQL by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from knowledge.errors import InvalidValueError, MissingExtraError, UnavailableError
from knowledge.settings import Settings

FILE = "epicrisis.sqlite3"
_BUSY_MS = 10_000
_POOL = 10
_READ_ONLY = "epicrisis_read_only"
_WRITES_NOTHING = "DELETE FROM access_secrets WHERE 1 = 0"
_PATIENCE: ContextVar[float] = ContextVar("patience", default=_BUSY_MS / 1000)
"""Seconds SQLite waits for a lock held by others."""


class Database:
    """An engine, and transactions upon it.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.

    Raises:
        InvalidValueError: The URL names neither.
        MissingExtraError: The driver of PostgreSQL is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._writing = Lock()
        options: dict[str, Any] = {_READ_ONLY: True}
        if not self.is_sqlite:
            options["isolation_level"] = "REPEATABLE READ"  # as SQLite: one moment, all statements
        self._readers = self.engine.execution_options(**options)

    @classmethod
    def of(cls, settings: Settings) -> "Database":
        """Return the database of this installation.

        Raises:
            InvalidValueError: `Settings.database_url` names no database that is taken.
            UnavailableError: The data folder cannot be made.
        """
        if settings.database_url is not None:
            return cls(settings.database_url.get_secret_value())
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise UnavailableError(
                "data folder", f"cannot be made: {error.strerror}", "set EPICRISIS_DATA_DIR"
            ) from error
        return cls(f"sqlite:///{settings.data_dir / FILE}")

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session that is committed at the end, or rolled back where anything fails.

        Raises:
            InvalidValueError: A value is none the database takes, for example text with NUL.
            UnavailableError: The database cannot be reached, is full, or is locked for too long.
        """
        with self._turn(), self._session(self.engine) as session:
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Take this process's turn to write to SQLite, in the order of asking.

        SQLite's own waiting is polling with pauses up to 100 ms, in which others overtake.

        Raises:
            UnavailableError: The turn does not come in time.
        """
        if not self.is_sqlite:
            yield
            return
        if not self._writing.acquire(timeout=_BUSY_MS / 1000):
            raise UnavailableError(
                "database",
                "is written to by others for too long",
                "try again; nothing was changed",
            )
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one moment and waits for no writer; nothing may be written.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        with self._session(self._readers) as session:
            yield session

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                yield session
        except DataError as error:
            raise InvalidValueError(
                "request", "holds characters or numbers that cannot be kept", "correct it"
            ) from error
        except DBAPIError as error:
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise _unavailable(error) from error
            raise

    def ping(self) -> None:
        """Ask the database one question.

        Raises:
            UnavailableError: It does not answer.
        """
        try:
            with self._readers.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def check_writable(self, *, timeout_s: float) -> None:
        """Ask whether a row could be written now; nothing is.

        Args:
            timeout_s: Seconds to wait for others that write.

        Raises:
            UnavailableError: It cannot: locked by others for that long, read-only, or away.
        """
        if not self.is_sqlite:
            options = f"lock_timeout = {int(timeout_s * 1000)}"
            self._try_to_write(f"SET LOCAL {options}")
            return
        if not self._writing.acquire(timeout=timeout_s):
            raise UnavailableError("database", "is written to by others for too long", "try again")
        try:
            with self._patience(timeout_s):
                self._try_to_write()
        finally:
            self._writing.release()

    def _try_to_write(self, *before: str) -> None:
        try:
            with self.engine.connect() as connection:
                for statement in (*before, _WRITES_NOTHING):
                    connection.execute(text(statement))
                connection.rollback()
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    @contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        """Let SQLite wait so long for a lock held by others, in transactions begun here."""
        token = _PATIENCE.set(seconds)
        try:
            yield
        finally:
            _PATIENCE.reset(token)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    kind = make_url(url).get_backend_name()
    if kind == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _BUSY_MS / 1000})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        path = make_url(url).database
        if path and path != ":memory:" and not Path(path).exists():
            Path(path).touch(mode=0o600)
        return engine
    if kind == "postgresql":
        try:
            import psycopg  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(
                "PostgreSQL", "its driver is not installed", "install epicrisis[postgres]"
            ) from error
        return create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=_POOL,
            connect_args={"connect_timeout": 5},
        )
    raise InvalidValueError(
        "EPICRISIS_DATABASE_URL", f"names a {kind} database", "give a sqlite or postgresql URL"
    )


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the transaction is opened below, not by the driver
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    """Take the write lock at once: two writers wait for one another instead of failing late."""
    reads = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql(f"PRAGMA busy_timeout={int(_PATIENCE.get() * 1000)}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _unavailable(error: SQLAlchemyError) -> UnavailableError:
    return UnavailableError(
        "database",
        f"cannot be used ({type(getattr(error, 'orig', None) or error).__name__})",
        "check that it runs, can be reached and its disk is not full; nothing was changed",
    )
