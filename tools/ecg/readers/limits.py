"""How large a recording may be, checked before it is decoded, and what a rate may be."""

import hashlib
from collections.abc import Iterable

from knowledge.errors import TooLargeError, UnreadableError

MAX_FILE_BYTES = 64 * 1024 * 1024
"""One file. A 10 s 12-lead recording is below 1 MiB, even as text."""

MAX_VALUES = 20_000_000
"""Samples times leads: 12 leads at 1000 Hz for 27 minutes, 160 MB once decoded."""

MAX_LEADS = 64

MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 100_000.0
"""Beyond every recorder; real ones sample at 100 to 32000 Hz."""


def check_bytes(file: str, content: bytes, limit: int = MAX_FILE_BYTES) -> None:
    """Refuse a file over the limit.

    Raises:
        TooLargeError: The content is longer than `limit`.
    """
    if len(content) > limit:
        raise TooLargeError(
            file,
            f"{len(content)} bytes, over the limit of {limit} for an ECG file",
            "export the resting 12-lead ECG alone",
        )


def check_shape(file: str, *, samples: int, leads: int) -> None:
    """Refuse a declared signal size over the limit, before memory is taken for it.

    Raises:
        TooLargeError: More than `MAX_LEADS` leads or `MAX_VALUES` values.
    """
    if leads > MAX_LEADS or samples * leads > MAX_VALUES:
        raise TooLargeError(
            file,
            f"declares {samples} samples in {leads} leads",
            "export the resting 12-lead ECG alone",
        )


def check_rate(file: str, rate_hz: float) -> None:
    """Refuse a sampling rate that no recorder has, or that is not a number.

    Raises:
        UnreadableError: Outside `MIN_RATE_HZ` to `MAX_RATE_HZ`.
    """
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise UnreadableError(
            file, f"a sampling rate of {rate_hz:g} Hz, which no recorder has", "export it again"
        )


def content_id(parts: Iterable[bytes]) -> str:
    """Return the first 16 hex digits of the SHA-256 of the parts one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:16]
