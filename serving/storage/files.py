"""Files by their content: the SHA-256 is the name, the same bytes are kept once."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from knowledge.errors import UnavailableError

_FOLDER = "files"


class FileStore:
    """Bytes below one folder, named by their SHA-256.

    Args:
        root: The data folder of this installation.
    """

    def __init__(self, root: Path) -> None:
        self._root = root / _FOLDER

    def put(self, content: bytes) -> str:
        """Keep these bytes and return their SHA-256; they are on the disk when it returns.

        Raises:
            UnavailableError: They cannot be written (no space, no permission).
        """
        name = hashlib.sha256(content).hexdigest()
        path = self.path(name)
        if path.is_file():
            return name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as error:
            raise UnavailableError(
                "file store",
                f"cannot be written: {error.strerror}",
                "free space on the disk of the data folder; the file was not accepted",
            ) from error
        return name

    def get(self, sha256: str) -> bytes:
        """Return the bytes of this hash.

        Raises:
            UnavailableError: They are not here, or are no longer what was kept.
        """
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise UnavailableError(
                f"file {sha256[:12]}", "is not in the file store", "restore it from a backup"
            ) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise UnavailableError(
                f"file {sha256[:12]}", "has changed on the disk", "restore it from a backup"
            )
        return content

    def check_readable(self, sha256: str) -> None:
        """Ask whether the bytes of this hash are here and can be read; they are not compared.

        Raises:
            UnavailableError: They are not, or cannot.
        """
        try:
            with self.path(sha256).open("rb") as file:
                file.read(1)
        except OSError as error:
            raise UnavailableError(
                f"file {sha256[:12]}", "is not in the file store", "restore it from a backup"
            ) from error

    def delete(self, sha256: str) -> None:
        """Remove the bytes of this hash, where they are here."""
        self.path(sha256).unlink(missing_ok=True)

    def path(self, sha256: str) -> Path:
        """Return where the bytes of this hash are, or would be.

        Raises:
            ValueError: It is no SHA-256 in hexadecimal.
        """
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise ValueError("not a SHA-256")
        return self._root / sha256[:2] / sha256
