"""Where fetched weights lie, and how a file comes there whole or not at all.

::

    <cache>/<model>/              only ever with every file, each checked
    <cache>/<model>/.checked      size, time and hash of each file at its last check
    <cache>/<model>.partial/      what an interrupted fetch has so far
    <cache>/<model>.lock          held by the process that fetches
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

from knowledge.errors import UnavailableError

_CHECKED = ".checked"
_BLOCK = 1 << 20
_ENTRY = 3
"""Of a record's entry: size, time, SHA-256."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MARGIN = 64 << 20
"""Bytes that must stay free beside the weights: room for logs and checkpoints."""


def stored(cache: Path, model: str) -> Path:
    """Return the folder of a model, whether or not it is there."""
    return cache / model


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks.

    Raises:
        UnavailableError: It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise UnavailableError(path.name, f"cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def known_sha256(path: Path, record: Path) -> str:
    """Return the SHA-256 of a file, read again only if its size or time has changed.

    Args:
        path: The file.
        record: JSON file that remembers checks; an entry that is not exactly a size, a time and a
            hash is not believed; a record that cannot be written is left out.
    """
    known = _read_record(record)
    stamp = _stamp(path)
    entry = known.get(str(path))
    if (
        isinstance(entry, list)
        and len(entry) == _ENTRY
        and all(type(one) is int for one in entry[:2])
        and entry[:2] == stamp
        and isinstance(entry[2], str)
        and _SHA256.fullmatch(entry[2])
    ):
        return entry[2]
    found = sha256_of(path)
    _write_record(record, {**known, str(path): [*stamp, found]})
    return found


def in_place(
    cache: Path, model: str, sha256: Mapping[str, str], *, again: bool = False
) -> Path | None:
    """Return the folder of a model if every file is there and is what it should be, else None.

    Raises:
        UnavailableError: A file is there and is not what it should be.
    """
    folder = stored(cache, model)
    if not all((folder / name).is_file() for name in sha256):
        return None
    record = folder / _CHECKED
    if again:
        record.unlink(missing_ok=True)
    for name, expected in sha256.items():
        if known_sha256(folder / name, record) != expected:
            raise UnavailableError(
                f"{model}/{name}", "has not the SHA-256 of the manifest", f"delete {folder}"
            )
    return folder


def put_in_place(partial: Path, cache: Path, model: str, sha256: Mapping[str, str]) -> None:
    """Check every file of `partial`, then make it the folder of the model in one step.

    Raises:
        UnavailableError: A file is not what it should be; the partial files are deleted.
    """
    for name, expected in sha256.items():
        if sha256_of(partial / name) != expected:
            shutil.rmtree(partial, ignore_errors=True)
            raise UnavailableError(
                f"{model}/{name}", "was put together, but has not the SHA-256 of the manifest",
                "fetch it again; if it happens twice, the source is not the one that was pinned",
            )  # fmt: skip
    record = partial / _CHECKED
    folder = stored(cache, model)
    entries = {
        str(folder / name): [*_stamp(partial / name), found] for name, found in sha256.items()
    }
    _write_record(record, entries)
    if folder.exists():
        shutil.rmtree(folder)
    partial.replace(folder)


def require_space(folder: Path, size: int, *, beside: int) -> None:
    """Make the folder; raise if its disk cannot hold what is still to come.

    Args:
        folder: Where the files will be.
        size: Bytes of all files when complete; what is there already is subtracted.
        beside: Bytes needed for a while beside them.

    Raises:
        UnavailableError: Not enough room, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise UnavailableError(str(folder), f"cannot be used: {error.strerror}") from error
    needed = max(size - there, 0) + beside + _MARGIN
    if free < needed:
        raise UnavailableError(
            str(folder),
            f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free",
            "free some, or set EPICRISIS_DATA_DIR to another disk",
        )


@contextmanager
def exclusive(cache: Path, model: str) -> Iterator[None]:
    """Hold the lock of a model; it ends with the process, however that ends.

    Raises:
        UnavailableError: Another process holds it, or the cache cannot be written.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        file = (cache / f"{model}.lock").open("a+b")
    except OSError as error:
        raise UnavailableError(str(cache), f"cannot be written: {error.strerror}") from error
    with file:
        if not _locked(file.fileno()):
            raise UnavailableError(model, "another process is fetching it", "wait for it to end")
        yield


def _locked(descriptor: int) -> bool:
    try:
        import fcntl
    except ModuleNotFoundError:
        return True  # without file locks, the last rename wins; both are checked
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError as error:
        raise UnavailableError(path.name, f"cannot be read: {error.strerror}") from error
    return [status.st_size, status.st_mtime_ns]


def _read_record(record: Path) -> dict[str, object]:
    try:
        known = orjson.loads(record.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}  # no record: everything is read again
    return known if isinstance(known, dict) else {}


def _write_record(record: Path, entries: Mapping[str, object]) -> None:
    temporary = record.with_name(f"{record.name}.{os.getpid()}")
    try:
        temporary.write_bytes(orjson.dumps(dict(entries)))
        temporary.replace(record)
    except (OSError, orjson.JSONEncodeError):  # the latter: a path that is not UTF-8
        temporary.unlink(missing_ok=True)  # a cache that cannot be written is only slower
