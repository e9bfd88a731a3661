"""Everything of an installation as one archive, and back: rows as JSON lines, files by hash.

The archive does not depend on the database: what was kept in SQLite can be restored into
PostgreSQL. Checkpoints of runs that had not ended are not in it; such a run is started again.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from knowledge.errors import InvalidValueError, UnavailableError, UnreadableError
from knowledge.model import Frozen
from serving.storage.base import Moment
from serving.storage.database import Database
from serving.storage.files import FileStore
from serving.storage.schema import revision
from serving.storage.tables import METADATA

FORMAT = "epicrisis/backup/1"
_MANIFEST = "manifest.json"
_BATCH = 500
_LONGEST = 1 << 30


class Manifest(Frozen):
    """What an archive holds.

    Args:
        format: Of the archive.
        revision: Of the tables.
        at: When it was made.
        tables: Table to the number of its rows and the SHA-256 of its lines.
        files: SHA-256 of every content.
        absent: Contents that rows refer to and that were not in the file store.
    """

    format: str
    revision: str
    at: datetime
    tables: dict[str, tuple[int, str]]
    files: tuple[str, ...]
    absent: tuple[str, ...] = ()


def backup(database: Database, files: FileStore, target: Path, *, now: datetime) -> Manifest:
    """Write an archive of everything, and return what is in it.

    All tables are read in one transaction: the archive is of one moment.

    Args:
        database: What to save.
        files: What to save.
        target: A file that is not there yet, ``.tar.gz``.
        now: The current moment, zoned.

    Raises:
        InvalidValueError: The target exists.
        UnavailableError: The database or the disk cannot be used.
    """
    if target.exists():
        raise InvalidValueError(str(target), "is there already", "name another file")
    at = revision(database)
    if at is None:
        raise UnavailableError("database", "has no tables yet", "start the service once")
    part = target.with_name(target.name + ".part")
    try:
        with _private(part) as archive, database.reading() as session:
            tables = {}
            for table in METADATA.sorted_tables:
                lines = b"".join(_lines(session, table))
                tables[table.name] = (lines.count(b"\n"), hashlib.sha256(lines).hexdigest())
                _add(archive, f"tables/{table.name}.ndjson", lines, now)
            hashes, absent = _contents(session, files)
            for sha256 in hashes:
                _add(archive, f"files/{sha256}", files.get(sha256), now)
            made = Manifest(
                format=FORMAT, revision=at, at=now, tables=tables, files=hashes, absent=absent
            )
            _add(archive, _MANIFEST, made.model_dump_json().encode(), now)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UnavailableError(
            "backup", f"cannot be written: {error.strerror}", "free space, or name another folder"
        ) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return made


def restore(database: Database, files: FileStore, source: Path) -> Manifest:
    """Put an archive into an installation that has nothing yet, and return what was in it.

    Every hash is checked before the first row is written; all rows are written in one transaction.

    Args:
        database: With the tables of this version (`prepare`), all empty.
        files: Where contents go.
        source: The archive.

    Raises:
        InvalidValueError: The database is not empty, or of another revision than the archive.
        UnreadableError: The archive is damaged.
        UnavailableError: The database or the disk cannot be used.
    """
    manifest, tables, contents = _read(source)
    at = revision(database)
    if at != manifest.revision:
        raise InvalidValueError(
            source.name,
            f"is of revision {manifest.revision}, the database of {at}",
            "restore it with the version of the service that made it, then upgrade",
        )
    with database.transaction() as session:
        for table in METADATA.sorted_tables:
            if session.scalar(select(func.count()).select_from(table)):
                raise InvalidValueError(
                    f"table {table.name}", "is not empty", "restore into a new installation"
                )
        for content in contents:
            files.put(content)
        for table in METADATA.sorted_tables:
            rows = [_row(table, line) for line in tables.get(table.name, b"").splitlines()]
            for start in range(0, len(rows), _BATCH):
                session.execute(insert(table), rows[start : start + _BATCH])
        _continue_numbering(session, database)
    return manifest


def _lines(session: Session, table: Table) -> Iterator[bytes]:
    order = [column for column in table.primary_key]
    for row in session.execute(select(table).order_by(*order)).mappings():
        values = {key: _plain(value) for key, value in row.items()}
        yield json.dumps(values, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return value


def _row(table: Table, line: bytes) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(line)
    for column in table.columns:
        value = values.get(column.name)
        if isinstance(column.type, Moment) and value is not None:
            values[column.name] = datetime.fromisoformat(value)
        elif isinstance(value, dict) and set(value) == {"bytes"} and not _decorated(column.type):
            values[column.name] = bytes.fromhex(value["bytes"])
    return values


def _decorated(kind: object) -> bool:
    return isinstance(kind, TypeDecorator)


def _contents(session: Session, files: FileStore) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the contents that rows refer to, and those of them that are not here."""
    hashes: set[str] = set()
    for table in METADATA.sorted_tables:
        if table.name == "case_files":
            hashes.update(session.scalars(select(table.c.sha256)))
    here = {sha256 for sha256 in hashes if files.path(sha256).is_file()}
    return tuple(sorted(here)), tuple(sorted(hashes - here))


def _continue_numbering(session: Session, database: Database) -> None:
    """Let PostgreSQL's sequences go on after the restored numbers; SQLite does so by itself."""
    if database.is_sqlite:
        return
    for table in METADATA.sorted_tables:
        for column in table.primary_key:
            if column.autoincrement is True:
                session.execute(
                    select(
                        func.setval(
                            func.pg_get_serial_sequence(table.name, column.name),
                            select(func.coalesce(func.max(column), 0) + 1).scalar_subquery(),
                            False,
                        )
                    )
                )


@contextmanager
def _private(path: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive to write, for its owner alone: it has all that the database has."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        yield archive


def _add(archive: tarfile.TarFile, name: str, content: bytes, now: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mtime = int(now.timestamp())
    entry.mode = 0o600
    archive.addfile(entry, io.BytesIO(content))


def _read(source: Path) -> tuple[Manifest, dict[str, bytes], list[bytes]]:
    """Return manifest, lines by table and contents, every one checked.

    Raises:
        UnreadableError: Something is missing, changed or is no such archive.
    """
    try:
        with tarfile.open(source, "r:gz") as archive:
            found = {entry.name: _entry(archive, entry) for entry in archive if entry.isfile()}
        manifest = Manifest.model_validate_json(found[_MANIFEST])
    except (OSError, EOFError, tarfile.TarError, KeyError, ValidationError) as error:
        raise UnreadableError(
            source.name, f"is no whole backup ({type(error).__name__})", "use another one"
        ) from error
    if manifest.format != FORMAT:
        raise UnreadableError(source.name, f"has the format {manifest.format}", f"need {FORMAT}")
    tables = {name: found.get(f"tables/{name}.ndjson", b"") for name in manifest.tables}
    for name, (_, sha256) in manifest.tables.items():
        _check(source, f"table {name}", tables[name], sha256)
    contents = [found.get(f"files/{sha256}", b"") for sha256 in manifest.files]
    for sha256, content in zip(manifest.files, contents, strict=True):
        _check(source, f"file {sha256[:12]}", content, sha256)
    return manifest, tables, contents


def _entry(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(entry)
    if file is None or entry.size > _LONGEST:
        raise tarfile.TarError(f"entry {entry.name}")
    return file.read()


def _check(source: Path, item: str, content: bytes, sha256: str) -> None:
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UnreadableError(source.name, f"{item} is missing or has changed", "use another one")
