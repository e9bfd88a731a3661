"""The local server that ``epicrisis llm serve`` has started, as other processes find it.

It is written to a file that only its owner can read, since it holds the key.
"""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import PositiveInt, SecretStr, ValidationError, field_serializer

from knowledge.errors import UnavailableError
from knowledge.model import Frozen

_FILE = "llm-server.json"
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


class Running(Frozen):
    """A server that was started.

    Args:
        pid: Of the process that supervises it.
        host: Name of the machine: the folder may be on several.
        url: Base address of its API.
        model: Name of its model.
        api_key: Bearer token.
        sha256: Of its weights.
    """

    pid: PositiveInt
    host: str
    url: str
    model: str
    api_key: SecretStr
    sha256: str

    @field_serializer("api_key", when_used="json")
    def _to_its_owner(self, key: SecretStr) -> str:
        return key.get_secret_value()


@contextmanager
def announced(
    folder: Path, *, url: str, model: str, api_key: SecretStr, sha256: str
) -> Iterator[Running]:
    """Announce a server of this process until the end of the block.

    Raises:
        UnavailableError: The folder cannot be written.
    """
    running = Running(
        pid=os.getpid(),
        host=socket.gethostname(),
        url=url,
        model=model,
        api_key=api_key,
        sha256=sha256,
    )
    path = folder / _FILE
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        temporary = path.with_name(f"{_FILE}.{running.pid}")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(running.model_dump_json().encode())
        temporary.replace(path)
    except OSError as error:
        raise UnavailableError(str(folder), f"cannot be written: {error.strerror}") from error
    try:
        yield running
    finally:
        if found_running(folder) == running:
            path.unlink(missing_ok=True)


def found_running(folder: Path) -> Running | None:
    """Return the announced server if its process is alive on this machine, else None.

    A file that others could have written or read is not believed.
    """
    try:
        descriptor = os.open(folder / _FILE, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not _is_private(os.fstat(file.fileno())):
            return None
        content = file.read(1 << 16)
    try:
        running = Running.model_validate_json(content)
    except ValidationError:
        return None
    here = running.host == socket.gethostname()
    return running if here and _is_alive(running.pid) else None


def _is_private(status: os.stat_result) -> bool:
    if not hasattr(os, "getuid"):
        return True  # no owners and modes on this system; the folder is the user's own
    others = status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return status.st_uid == os.getuid() and not others


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
