"""Random secrets, their hashes, and a box that only the holder of a secret opens."""

import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.exc import IntegrityError

from knowledge.errors import UnavailableError
from serving.access.tables import AccessSecretRow
from serving.storage.database import Database

_BYTES = 32
_NONCE = 12


def new_secret() -> str:
    """Return 256 random bits as text that fits a URL, a header and a cookie."""
    return secrets.token_urlsafe(_BYTES)


def digest(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256. A random one needs no salt.

    Examples:
        >>> digest("a")[:8]
        'ca978112'
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def derived(secret: str, purpose: str) -> str:
    """Return a second secret that follows from the first and does not give it away.

    Args:
        secret: The first.
        purpose: What for; another purpose gives another secret.
    """
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def same(given: str, expected: str) -> bool:
    """Return whether two secrets are equal, in a time that tells nothing."""
    return hmac.compare_digest(given.encode(), expected.encode())


def seal(secret: str, text: str) -> bytes:
    """Return the text encrypted (AES-256-GCM) with a key that follows from the secret."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key(secret)).encrypt(nonce, text.encode(), None)


def unseal(secret: str, sealed: bytes) -> str | None:
    """Return the text, or None where the secret is another one or the box was changed."""
    try:
        return AESGCM(_key(secret)).decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode()
    except (InvalidTag, ValueError):
        return None


def kept_secret(database: Database, name: str) -> str:
    """Return a secret of this installation; it is made at its first use.

    Raises:
        UnavailableError: The database cannot be used.
    """
    for _ in range(2):
        with database.reading() as session:
            row = session.get(AccessSecretRow, name)
            if row is not None:
                return row.value
        try:
            with database.transaction() as session:
                session.add(AccessSecretRow(name=name, value=secrets.token_hex(_BYTES)))
        except IntegrityError:
            continue  # another process was first
    with database.reading() as session:
        row = session.get(AccessSecretRow, name)
    if row is None:
        raise UnavailableError("access secrets", "cannot be kept", "check the database")
    return row.value


def _key(secret: str) -> bytes:
    return bytes.fromhex(derived(secret, "seal"))
