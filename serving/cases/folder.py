"""A case's files laid out as a folder, as intake reads them, for as long as they are read."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from knowledge.errors import UnavailableError
from serving.storage.files import FileStore

WORK = "work"
"""Folder below the data folder for what is only there while it is used."""


@contextlib.contextmanager
def case_folder(files: Mapping[str, str], store: FileStore, *, data_dir: Path) -> Iterator[Path]:
    """Give a folder with these files, removed at the end.

    Args:
        files: Name to the SHA-256 of its content.
        store: Where the contents are.
        data_dir: The data folder of this installation.

    Raises:
        UnavailableError: A content is not there or has changed, or the folder cannot be written.
    """
    folder = _new(data_dir)
    try:
        lay_out(files, store, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lay_out(files: Mapping[str, str], store: FileStore, folder: Path) -> None:
    """Put these files into a folder; what a killed process left is put right.

    Every content is checked against its hash, then linked: it takes no second place on the disk.

    Raises:
        UnavailableError: As in `case_folder`.
    """
    for name, sha256 in files.items():
        content = store.get(sha256)
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists():
                if path.read_bytes() == content:
                    continue
                path.unlink()  # cut off half-way by a killed process
            try:
                os.link(store.path(sha256), path)
            except OSError:
                path.write_bytes(content)
        except OSError as error:
            raise _unwritable(error) from error


def add(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put contents into a folder that are not kept.

    Args:
        folder: Of a case.
        contents: Plain name, that no file of the case has, to bytes.

    Raises:
        UnavailableError: They cannot be written.
    """
    try:
        for name, content in contents.items():
            with (folder / name).open("xb") as file:  # never over a content that others link to
                file.write(content)
    except OSError as error:
        raise _unwritable(error) from error


def _new(data_dir: Path) -> Path:
    try:
        root = data_dir.resolve() / WORK
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Path(tempfile.mkdtemp(prefix="case-", dir=root))
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> UnavailableError:
    return UnavailableError(
        "work folder",
        f"cannot be written: {error.strerror}",
        "free space on the disk of the data folder; nothing was changed",
    )
