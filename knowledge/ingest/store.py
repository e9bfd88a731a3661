"""The collection of ingested documents: one SQLite file, in which nothing is changed or removed.

Rows are only added; triggers refuse anything else. State follows from the acts.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.ingest.addressed_to_ai import Flag
from knowledge.ingest.chunks import Chunk
from knowledge.ingest.document import Act, Document, state_after, successor
from knowledge.ingest.extracted import Note, Page

FILE = "documents.sqlite3"
_VERSION = 1
_WAIT_S = 10.0
"""Seconds to wait for another command that writes; an ingest writes for less than one."""

_TABLES = {
    "document": "id TEXT PRIMARY KEY, file_name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, "
    "format TEXT NOT NULL, reader TEXT NOT NULL, notes TEXT NOT NULL, flags TEXT NOT NULL",
    "page": "document TEXT NOT NULL REFERENCES document(id), position INTEGER NOT NULL, "
    "number INTEGER, text TEXT NOT NULL, PRIMARY KEY (document, position)",
    "passage": "document TEXT NOT NULL REFERENCES document(id), number INTEGER NOT NULL, "
    "page INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, heading TEXT NOT NULL, "
    "PRIMARY KEY (document, number), FOREIGN KEY (document, page) REFERENCES page(document, "
    "position)",
    "act": "number INTEGER PRIMARY KEY, document TEXT NOT NULL REFERENCES document(id), "
    "deed TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL, facts TEXT",
}
_NOTES = TypeAdapter(tuple[Note, ...])
_FLAGS = TypeAdapter(tuple[Flag, ...])


class Reading:
    """An open collection, within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def document(self, document_id: str) -> Document:
        """Return one document.

        Raises:
            InvalidValueError: There is none of that id.
        """
        found = [d for d in self.documents() if d.id == document_id]
        if not found:
            raise InvalidValueError(
                f"document {document_id!r}",
                "there is none of that id",
                "see `epicrisis knowledge documents`",
            )
        return found[0]

    def documents(self) -> tuple[Document, ...]:
        """Return every document, in the order they were first ingested."""
        acts = self.acts()
        counted = dict(
            self._connection.execute("SELECT document, count(*) FROM passage GROUP BY document")
        )
        rows = self._connection.execute(
            "SELECT id, file_name, sha256, format, reader, notes, flags FROM document "
            "ORDER BY (SELECT min(number) FROM act WHERE document = document.id)"
        )
        return tuple(_document(row, acts, counted.get(row[0], 0)) for row in rows)

    def acts(self) -> tuple[Act, ...]:
        """Return every act, oldest first."""
        rows = self._connection.execute(
            "SELECT number, document, deed, by, at, text, facts FROM act ORDER BY number"
        )
        names = ("number", "document", "deed", "by", "at", "text", "facts")
        return tuple(
            Act.model_validate(
                {**dict(zip(names, row, strict=True)), "facts": row[6] and orjson.loads(row[6])}
            )
            for row in rows
        )

    def pages(self, document_id: str) -> tuple[Page, ...]:
        """Return the text of each page of a document, in order."""
        rows = self._connection.execute(
            "SELECT number, text FROM page WHERE document = ? ORDER BY position", (document_id,)
        )
        return tuple(Page(number=number, text=text) for number, text in rows)

    def chunks(self, document_id: str) -> tuple[Chunk, ...]:
        """Return the spans of the passages of a document, in order."""
        rows = self._connection.execute(
            "SELECT page, start, end, heading FROM passage WHERE document = ? ORDER BY number",
            (document_id,),
        )
        return tuple(
            Chunk(page=page, start=start, end=end, heading=tuple(orjson.loads(heading)))
            for page, start, end, heading in rows
        )


class Writing(Reading):
    """An open collection to which rows are added."""

    def add_document(
        self,
        *,
        row: tuple[str, str, str, str, str],
        notes: Sequence[Note],
        flags: Sequence[Flag],
        pages: Sequence[Page],
        passages: Sequence[Chunk],
    ) -> None:
        """Add a document with its pages and passages.

        Args:
            row: Id, file name, SHA-256, format and version of the reading rules.
            notes: How it was read.
            flags: Text that addresses an AI.
            pages: With their text.
            passages: Spans upon the pages.
        """
        add = self._connection
        add.execute(
            "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *row,
                _NOTES.dump_json(tuple(notes)).decode(),
                _FLAGS.dump_json(tuple(flags)).decode(),
            ),
        )
        add.executemany(
            "INSERT INTO page VALUES (?, ?, ?, ?)",
            [(row[0], position, p.number, p.text) for position, p in enumerate(pages)],
        )
        add.executemany(
            "INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?)",
            [
                (row[0], number, c.page, c.start, c.end, orjson.dumps(c.heading).decode())
                for number, c in enumerate(passages, start=1)
            ],
        )

    def add_act(self, act: Act) -> None:
        """Add an act; its number must be the next one."""
        facts = act.facts.model_dump_json() if act.facts is not None else None
        self._connection.execute(
            "INSERT INTO act VALUES (?, ?, ?, ?, ?, ?, ?)",
            (act.number, act.document, act.deed, act.by, act.at.isoformat(), act.text, facts),
        )


@contextmanager
def reading(folder: Path) -> Iterator[Reading | None]:
    """Open a collection to read it; None where there is none yet.

    Raises:
        UnavailableError: The file cannot be read, or is of a newer version.
    """
    file = folder / FILE
    if not file.exists():
        yield None
        return
    with _opened(file, f"{file.absolute().as_uri()}?mode=ro") as connection:
        connection.execute("BEGIN")
        if _version(connection) == 0:  # made, but nothing was ever added
            yield None
            return
        _check_version(connection, file)
        yield Reading(connection)


@contextmanager
def writing(folder: Path) -> Iterator[Writing]:
    """Open a collection to add to it; all of what is added is kept, or none.

    Raises:
        UnavailableError: The file cannot be written, or is of a newer version.
    """
    file = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UnavailableError(
            str(folder), f"cannot be made: {error.strerror}", "set EPICRISIS_DATA_DIR"
        ) from error
    file.touch(mode=0o600)  # licensed texts: for the owner alone
    with _opened(file, file.absolute().as_uri()) as connection:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:
            _make(connection)
        _check_version(connection, file)
        yield Writing(connection)
        connection.commit()


@contextmanager
def _opened(file: Path, uri: str) -> Iterator[sqlite3.Connection]:
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
        finally:
            connection.close()  # without a commit this undoes what was added
    except (sqlite3.Error, ValidationError, orjson.JSONDecodeError) as error:
        raise UnavailableError(
            str(file), f"the collection cannot be used: {error}", "restore it from its backup"
        ) from error


def _make(connection: sqlite3.Connection) -> None:
    for name, columns in _TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({columns}) STRICT")
        for deed in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER {name}_no_{deed.lower()} BEFORE {deed} ON {name} "
                "BEGIN SELECT RAISE(ABORT, 'rows are only added'); END"
            )
    connection.execute(f"PRAGMA user_version = {_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def _check_version(connection: sqlite3.Connection, file: Path) -> None:
    version = _version(connection)
    if version != _VERSION:
        raise UnavailableError(
            str(file), f"is of version {version}, not {_VERSION}", "use the program that made it"
        )


def _document(row: Sequence[Any], acts: Sequence[Act], passages: int) -> Document:
    own = tuple(act for act in acts if act.document == row[0])
    stated = [act.facts for act in own if act.facts is not None]
    if not stated:
        raise UnavailableError(FILE, f"document {row[0]} has no act of ingest", "restore a backup")
    return Document(
        id=row[0],
        file_name=row[1],
        sha256=row[2],
        format=row[3],
        reader=row[4],
        facts=stated[-1],
        state=state_after(own),
        acts=own,
        passages=passages,
        notes=_NOTES.validate_json(row[5]),
        flags=_FLAGS.validate_json(row[6]),
        superseded_by=successor(row[0], acts),
    )
