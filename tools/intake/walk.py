"""The files of a case: what a folder holds, without following links or waiting on pipes."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.errors import TooLargeError, UnreadableError
from knowledge.settings import Settings
from tools.intake.limits import MIB
from tools.intake.result import InputFile

MAX_DEPTH = 16
"""Folders in folders: an exported visit is a few levels deep."""


_SHOWN = 60
"""Characters of a path's name that a message repeats."""


@dataclass(frozen=True, slots=True)
class Found:
    """One path of the case.

    Args:
        file: Its name relative to the case, with ``/``.
        path: Where it is.
        size: Bytes, as listed.
        refused: What became of it, where it is not to be opened.
    """

    file: str
    path: Path
    size: int = 0
    refused: InputFile | None = None


def files_of(paths: Sequence[Path], *, settings: Settings) -> list[Found]:
    """Return every file of a case in the order of their names.

    A path given may itself be a link; links below it are not followed.

    Args:
        paths: Folders and files.
        settings: `max_files` and `max_case_mib`.

    Raises:
        UnreadableError: A path given does not exist, or is none.
        TooLargeError: Too many files, or those small enough to be read too large together.
    """
    given = []
    for path in paths:
        given.append(_resolved(path))
    roots = sorted(set(given))
    folders = [path if path.is_dir() else path.parent for path in roots]
    base = Path(os.path.commonpath(folders)) if folders else Path()
    found: dict[Path, Found] = {}
    for root in roots:
        for item in _below(root, base) if root.is_dir() else [_one(root, base)]:
            found.setdefault(item.path, item)
            if len(found) > settings.max_files:
                raise TooLargeError(
                    "case", f"more than {settings.max_files} files", "give one patient's visit"
                )
    readable = _named_apart(sorted(found.values(), key=lambda item: (item.file, item.path)))
    read = (item.size for item in readable if item.size <= settings.max_file_mib * MIB)
    if sum(read) > settings.max_case_mib * MIB:
        raise TooLargeError(
            "case", f"over {settings.max_case_mib} MiB together", "give one patient's visit"
        )
    return readable


def _resolved(path: Path) -> Path:
    name = shown(path.name)[:_SHOWN] or "path"
    try:
        if path.exists():
            return path.resolve()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "links in a circle"
        raise UnreadableError(name, f"cannot be opened: {reason}", "check the path") from error
    raise UnreadableError(name, "no such file or folder", "check the path")


def _named_apart(items: list[Found]) -> list[Found]:
    """Return the files with a number behind a name that would stand for two of them."""
    used: set[str] = set()
    apart = []
    for item in items:
        file, number = item.file, 1
        while file in used:
            number += 1
            file = f"{item.file} ({number})"
        used.add(file)
        if file == item.file:
            apart.append(item)
        else:
            refused = item.refused and item.refused.model_copy(update={"file": file})
            apart.append(replace(item, file=file, refused=refused))
    return apart


def _below(folder: Path, base: Path, depth: int = 0) -> Iterator[Found]:
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as error:
        reason = f"the folder cannot be listed: {error.strerror}"
        yield _refused(folder, base, "folder", "failed", reason)
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink():
            yield _link(path, base)
        elif entry.name.startswith("."):
            yield _refused(path, base, "hidden", "ignored", "a hidden file or folder")
        elif not entry.is_dir(follow_symlinks=False):
            yield _one(path, base)
        elif depth >= MAX_DEPTH:
            yield _refused(path, base, "folder", "failed", "folders nested too deep")
        else:
            yield from _below(path, base, depth + 1)


def _one(path: Path, base: Path) -> Found:
    try:
        status = path.stat(follow_symlinks=False)
    except OSError as error:
        return _refused(path, base, "file", "failed", f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return _refused(path, base, "special file", "ignored", "a pipe, socket or device")
    return Found(file=_name(path, base), path=path, size=status.st_size)


def _link(path: Path, base: Path) -> Found:
    """Return a link as refused: its target is read under its own name, or lies outside."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return _refused(path, base, "link", "failed", "a link that leads nowhere or in a circle")
    if not target.is_relative_to(base):
        return _refused(path, base, "link", "failed", "a link that leads outside the case")
    return _refused(path, base, "link", "ignored", "a link; its target is read by its own name")


def _refused(path: Path, base: Path, kind: str, status: str, reason: str) -> Found:
    file = _name(path, base)
    report = InputFile.model_validate(
        {"file": file, "kind": kind, "status": status, "reason": reason}
    )
    return Found(file=file, path=path, refused=report)


def _name(path: Path, base: Path) -> str:
    return shown(path.relative_to(base).as_posix())


def shown(name: str) -> str:
    """Return a file name as text that can be written: bytes that are no UTF-8 are written out."""
    return name.encode("utf-8", "backslashreplace").decode()
