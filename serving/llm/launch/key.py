"""The file with the server's key: only its owner reads it, and nothing else names the key."""

import os
import secrets
import stat
from pathlib import Path

from knowledge.errors import InvalidValueError, UnavailableError

VARIABLE = "VLLM_API_KEY"
_BYTES = 32
_PRIVATE = 0o600


def ensure_key(file: Path) -> bool:
    """Make the key file where it is missing; return whether it was made.

    Args:
        file: Gets the line ``VLLM_API_KEY=...`` with a new random key, mode 0600.

    Raises:
        InvalidValueError: There is a file that others can read, or that has no key.
        UnavailableError: It cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(file, flags, _PRIVATE), "w", encoding="ascii") as opened:
            opened.write(f"{VARIABLE}={secrets.token_urlsafe(_BYTES)}\n")
    except FileExistsError:
        read_key(file)
        return False
    except OSError as error:
        raise UnavailableError(str(file), f"cannot be written: {error.strerror}") from error
    return True


def read_key(file: Path) -> str:
    """Return the key of a key file.

    Raises:
        InvalidValueError: Others than its owner can read it, or it has no key.
        UnavailableError: It cannot be read.
    """
    try:
        mode = file.stat().st_mode
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UnavailableError(str(file), f"cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidValueError(
            str(file), "others than its owner can read the key", f"chmod 600 {file}"
        )
    for line in lines:
        name, _, value = line.strip().partition("=")
        if name == VARIABLE and value.strip():
            return value.strip()
    raise InvalidValueError(
        str(file), f"has no line {VARIABLE}=...", "write one, or remove the file"
    )
