"""One resource made from a message, before it is known which other messages speak of the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.intake.hl7v2.message import Message, Segment
from tools.intake.hl7v2.status import Role

_SHOWN = 2_000
"""Characters of a segment that are kept beside its resource, to be shown."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is the same in every message about one result, report, visit or document.

    Args:
        kind: Resource type.
        filler: Filler order number with who gave it; empty where there is none.
        placer: Placer order number likewise.
        code: What was asked for or measured, as code; of a result with its sub-id.
        words: A short text for the name of the resource.
    """

    kind: str
    filler: str = ""
    placer: str = ""
    code: str = ""
    words: str = ""


@dataclass(slots=True)
class Item:
    """One resource.

    Args:
        resource: FHIR JSON, without id, subject and meta.
        where: Its segment in words, for example ``OBX 3``.
        segments: What it was made from, as it came.
        number: Of the message in its file.
        stamp: When its state was reported (OBR-22, else MSH-7), as FHIR dateTime; or None.
        clock: Whose clock times without an offset are read from.
        sent: When its message was made (MSH-7), as FHIR dateTime; or None.
        key: What ties it to other messages; None for what stands for itself.
        time: When it was collected, as FHIR dateTime.
        role: What it does to earlier versions.
        patient: Position of its PID in the message; None where it has none.
        members: Results of a report.
        mentioned: Whether the message only names it: one that is about it says more.
        rank: Place among the versions in the order they were made; None where that is not known.
        codes: Of a result (OBX-3), each of its identifiers.
        sub: Its sub-id (OBX-4).
        service: What was ordered (OBR-4), each of its identifiers.
        filler, placer: Its order numbers with who gave them; empty where there is none.
        whose: Numbers of the patient, with who gave them.
        doubt: Why another message leaves open whether it holds.
    """

    resource: dict[str, Any]
    where: str
    segments: Sequence[str]
    number: int
    stamp: str | None
    clock: str
    sent: str | None = None
    key: Key | None = None
    time: str | None = None
    role: Role = Role.PLAIN
    patient: int | None = None
    members: list["Item"] = field(default_factory=list)
    mentioned: bool = False
    rank: int | None = None
    id: str = ""
    conflicting: bool = False
    codes: frozenset[str] = frozenset()
    sub: str = ""
    service: frozenset[str] = frozenset()
    filler: str = ""
    placer: str = ""
    whose: tuple[tuple[str, str], ...] = ()
    doubt: str = ""

    @property
    def kind(self) -> str:
        """The resource type."""
        return str(self.resource["resourceType"])


@dataclass(frozen=True, slots=True)
class Context:
    """What every part of one message shares.

    Args:
        message: The message.
        offset: Of MSH-7, for times without their own.
        stamp: MSH-7 as FHIR dateTime; None where it cannot be read.
        problems: Collects what could not be used.
    """

    message: Message
    offset: str | None
    stamp: str | None
    problems: list[str]

    def item(
        self, resource: dict[str, Any], where: str, *made_of: Segment, pid: Segment | None
    ) -> Item:
        """Return an item of this message."""
        return Item(
            resource=resource,
            where=where,
            segments=tuple(one.raw[:_SHOWN] for one in made_of),
            number=self.message.raw.number,
            stamp=self.stamp,
            clock=self.message.clock,
            sent=self.stamp,
            patient=None if pid is None else pid.position,
        )

    def problem(self, what: str) -> None:
        """Note what could not be used, with the message it stands in."""
        self.problems.append(f"{self.message.name}: {what}")
