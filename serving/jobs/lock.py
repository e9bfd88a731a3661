"""The right to run a job: held by one process, and gone the moment that process is.

In PostgreSQL it is an advisory lock on a connection of its own; with SQLite, whose file is of one
machine, a lock on a file. Neither can be left behind by a killed process, so another may take a job
up at once, and nobody compares clocks.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from knowledge.errors import UnavailableError
from serving.storage.database import Database

_KEEPALIVE = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
"""PostgreSQL notices a machine that has vanished after 25 s instead of two hours."""


class JobLock:
    """The lock of one job; use as a context manager once `take` has said True.

    Args:
        database: Which the job is in.
        folder: Where lock files are, for SQLite.
        job: Id of the job.
    """

    def __init__(self, database: Database, folder: Path, job: str) -> None:
        self._database = database
        self._path = folder / f"{job}.lock"
        self._job = job
        self._file: int | None = None
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take the lock if nobody has it; whether it was taken.

        Raises:
            UnavailableError: The database or the folder cannot be used.
        """
        return self._take_file() if self._database.is_sqlite else self._take_advisory()

    def is_held(self) -> bool:
        """Return whether it is still ours: a database that went away has let it go."""
        if self._connection is None:
            return self._file is not None
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.commit()
        except SQLAlchemyError:
            return False
        return True

    def release(self) -> None:
        """Let it go; a second call does nothing."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _take_file(self) -> bool:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnavailableError(
                "work folder",
                f"cannot be written: {error.strerror}",
                "free space on the disk of the data folder",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.path.samestat(os.fstat(file), os.stat(self._path))
        except OSError:
            same = False  # another has it, or has just let it go
        if not same:
            os.close(file)
            return False
        self._file = file
        return True

    def _take_advisory(self) -> bool:
        try:
            connection = self._database.engine.connect()
            try:
                for statement in _KEEPALIVE:
                    connection.execute(text(statement))
                taken = connection.scalar(
                    text("SELECT pg_try_advisory_lock(hashtextextended(:job, 0))"),
                    {"job": self._job},
                )
                connection.commit()
            except SQLAlchemyError:
                connection.close()
                raise
        except SQLAlchemyError as error:
            raise UnavailableError(
                "database", f"cannot be used ({type(error).__name__})", "check that it runs"
            ) from error
        if not taken:
            connection.close()
            return False
        self._connection = connection
        return True
