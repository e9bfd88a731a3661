"""The audit on the wire."""

from typing import Any

from knowledge.model import Frozen


class AuditEntry(Frozen):
    """One event of the chain.

    Args:
        sequence: Its place.
        sha256: Its hash, over its content and the hash of the event before.
        event: The FHIR R4 AuditEvent.
    """

    sequence: int
    sha256: str
    event: dict[str, Any]


class AuditPage(Frozen):
    """Some events, in order.

    Args:
        entries: The events.
        next: What to give as ``after`` for the following page; None where this is the last one.
    """

    entries: tuple[AuditEntry, ...]
    next: int | None = None
