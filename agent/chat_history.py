"""What a user asked about a case and was answered: append-only, and read by that user alone."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import AwareDatetime

from agent.chat.answer import ChatAnswer
from knowledge.errors import InvalidValueError
from knowledge.model import Frozen
from knowledge.settings import Settings

FILE = "chat.sqlite3"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    case_id TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS turns_by_user_and_case ON turns (user, case_id, id);
CREATE TRIGGER IF NOT EXISTS turns_stay BEFORE UPDATE ON turns
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER IF NOT EXISTS turns_are_kept BEFORE DELETE ON turns
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
"""


class Turn(Frozen):
    """One question and its answer.

    Args:
        question: As typed.
        answer: What was shown.
        at: When, zoned.
    """

    question: str
    answer: ChatAnswer
    at: AwareDatetime


class ChatHistory:
    """The turns of every user and case, in one SQLite file.

    Args:
        path: The file; its folder is made where it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.expanduser()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as connection:
            connection.executescript(_SCHEMA)
        self._path.chmod(0o600)

    @classmethod
    def of(cls, settings: Settings) -> "ChatHistory":
        """Return the history of this installation, below its data folder."""
        return cls(settings.data_dir / FILE)

    def append(self, user: str, case: str, turn: Turn) -> None:
        """Add one turn.

        Raises:
            InvalidValueError: No user or no case is named.
        """
        _named(user, case)
        with self._open() as connection:
            connection.execute(
                "INSERT INTO turns (user, case_id, body) VALUES (?, ?, ?)",
                (user, case, turn.model_dump_json()),
            )

    def turns(self, user: str, case: str) -> tuple[Turn, ...]:
        """Return the turns of one user on one case, oldest first; never those of another.

        Raises:
            InvalidValueError: No user or no case is named.
        """
        _named(user, case)
        with self._open() as connection:
            rows = connection.execute(
                "SELECT body FROM turns WHERE user = ? AND case_id = ? ORDER BY id", (user, case)
            ).fetchall()
        return tuple(Turn.model_validate_json(body) for (body,) in rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection


def _named(user: str, case: str) -> None:
    for item, value in (("user", user), ("case", case)):
        if not value.strip():
            raise InvalidValueError(item, "none is named", "a history belongs to a user and a case")
