"""A file of laboratory results that is neither FHIR nor an ECG, as it was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from knowledge.patient import Identity
from knowledge.timeline import Document, Fact
from tools.intake.result import InputFile

MAX_TOLD = 200
"""Problems of one file that are told one by one; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class LabFile:
    """One file.

    Args:
        file: Its name.
        kind: What it is, in words.
        identities: Who it says the patient is; each different one once, none where it says nothing.
        facts: Its results.
        documented: Results read from a document; they answer no question by themselves.
        document: Its text, where it is one.
        counts: What was used, by kind.
        notes: What was found out while reading.
        problems: What of it could not be used.
        unread: Whether something in it that may be a result was not understood.
    """

    file: str
    kind: str
    identities: tuple[Identity, ...] = ()
    facts: tuple[Fact, ...] = ()
    documented: tuple[Fact, ...] = ()
    document: Document | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    unread: bool = False


@dataclass(frozen=True, kw_only=True)
class LabFiles:
    """The laboratory files of a case.

    Args:
        read: By name.
        failed: Those that could not be read, and mapping files, with what became of them.
    """

    read: Mapping[str, LabFile] = field(default_factory=dict)
    failed: tuple[InputFile, ...] = ()

    def with_(self, other: "LabFiles") -> "LabFiles":
        """Return both together; no file is in both."""
        return LabFiles(read={**self.read, **other.read}, failed=(*self.failed, *other.failed))


def told(problems: list[str]) -> tuple[str, ...]:
    """Return problems one by one up to a limit, and how many more there are."""
    if len(problems) <= MAX_TOLD:
        return tuple(problems)
    return (*problems[:MAX_TOLD], f"and {len(problems) - MAX_TOLD} more rows or lines")
