"""What stands in place of identifiers: the same for the same key, and of no use without it."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from knowledge.errors import InvalidValueError, UnreadableError

_LEAST_KEY = 32
_LEAST_DAYS, _DAYS = 366, 3650
_MAKE_ONE = "make one with: head -c 32 /dev/urandom > FILE; keep it where the exports do not go"


@dataclass(frozen=True, kw_only=True)
class Key:
    """The secret that links what was exported with the hospital's own identifiers.

    Args:
        secret: At least 32 bytes.
    """

    secret: bytes = field(repr=False)

    def uid(self, original: str) -> str:
        """Return the unique identifier in place of one: everywhere the same."""
        return f"2.25.{int.from_bytes(self._hash('uid', original)[:16], 'big')}"

    def patient_id(self, patient: str) -> str:
        """Return the identifier in place of a patient's: 16 letters and digits."""
        return base64.b32encode(self._hash("patient", patient)[:10]).decode()

    def shift(self, patient: str) -> timedelta:
        """Return by how much the dates of a patient are moved: one to eleven years back."""
        drawn = int.from_bytes(self._hash("days", patient)[:8], "big")
        return timedelta(days=-(_LEAST_DAYS + drawn % _DAYS))

    def _hash(self, what: str, value: str) -> bytes:
        return hmac.new(self.secret, f"{what}\x00{value}".encode(), hashlib.sha256).digest()


def read_key(path: Path) -> Key:
    """Return the key of a file.

    Raises:
        UnreadableError: No such file.
        InvalidValueError: Shorter than 32 bytes.
    """
    try:
        secret = path.read_bytes().strip()
    except OSError as error:
        raise UnreadableError(str(path), f"key file: {error.strerror}", _MAKE_ONE) from error
    if len(secret) < _LEAST_KEY:
        raise InvalidValueError(str(path), f"holds under {_LEAST_KEY} bytes of key", _MAKE_ONE)
    return Key(secret=secret)
