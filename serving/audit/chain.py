"""The chain: each event's hash is over its content and the hash of the one before."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from serving.audit.event import action_of, case_of, subject_of
from serving.audit.tables import AuditRow
from serving.storage.base import canonical

GENESIS = "0" * 64
"""What stands before the first event."""


def link(previous: str, body: bytes) -> str:
    """Return the hash of an event.

    Args:
        previous: Hash of the event before it, in hexadecimal.
        body: Its canonical JSON.

    Examples:
        >>> link(GENESIS, b"{}")[:12]
        '5508d2b710e6'
    """
    return hashlib.sha256(previous.encode() + body).hexdigest()


def row_of(body: Mapping[str, Any], *, sequence: int, previous: str) -> AuditRow:
    """Return an event as the row that follows another.

    Args:
        body: The AuditEvent; its place becomes its id.
        sequence: Its place, counted from 1.
        previous: Hash of the event before.
    """
    named = {**body, "id": str(sequence)}
    return AuditRow(
        sequence=sequence,
        body=named,
        previous=previous,
        sha256=link(previous, canonical(named)),
        **columns(named),
    )


def columns(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that are searched by: each repeats a part of the event."""
    return {
        "at": datetime.fromisoformat(body["recorded"]),
        "subject": subject_of(body),
        "action": action_of(body),
        "case_id": case_of(body),
    }
