"""A document of the hospital: what is stated about it, what was done with it, and its state."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, PositiveInt, field_validator

from knowledge.ingest.addressed_to_ai import Flag
from knowledge.ingest.extracted import Format, Note
from knowledge.model import Frozen
from knowledge.passages import Language
from knowledge.plain_text import visible

_LONGEST = 500


class State(StrEnum):
    """Where a document stands; only an approved one is ever found by a search."""

    QUARANTINED = "quarantined"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Deed(StrEnum):
    """What a person did with a document."""

    INGESTED = "ingested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class DocumentFacts(Frozen):
    """What the administrator states about a document; nothing of it is guessed from the file.

    Args:
        title: As it is cited.
        body: The society or hospital that issued it.
        year: Of the issue.
        licence: Under which the hospital may use it.
        doi: Where it has one.
        topics: Keys such as ``acs``; searched by filter.
        population: Whom it is about; empty for everybody.
        language: Of the text.
        published: Date of issue; the first day of `year` where it is not known.
        supersedes: Id of the version that this one replaces once it is approved.
    """

    title: str
    body: str
    year: PositiveInt
    licence: str
    doi: str | None = None
    topics: tuple[str, ...] = ()
    population: str = ""
    language: Language = "en"
    published: date | None = None
    supersedes: str | None = None

    @field_validator("title", "body", "licence")
    @classmethod
    def _said(cls, value: str) -> str:
        value = " ".join(visible(value).split())[:_LONGEST]
        if not value:
            raise ValueError("is empty")
        return value

    @field_validator("year")
    @classmethod
    def _plausible(cls, year: int) -> int:
        if not 1900 <= year <= 2200:  # a year of four digits, not a typing error
            raise ValueError("is not a year between 1900 and 2200")
        return year

    @property
    def date(self) -> date:
        """The date of issue, as precise as it is known."""
        return self.published or date(self.year, 1, 1)


class Act(Frozen):
    """One thing done with a document; never changed, never removed.

    Args:
        number: Order of all acts in the collection.
        document: Id.
        deed: What was done.
        by: Who did it.
        at: When, with its zone.
        text: Reason or note; empty where none was given.
        facts: What was stated, for `Deed.INGESTED`.
    """

    number: PositiveInt
    document: str
    deed: Deed
    by: str
    at: AwareDatetime
    text: str = ""
    facts: DocumentFacts | None = None


class Document(Frozen):
    """A document with its history.

    Args:
        id: From the SHA-256 of its bytes: equal bytes are one document.
        file_name: As it was given.
        sha256: Of the bytes.
        format: As sniffed.
        reader: Version of the reading rules that made its passages.
        facts: As stated last.
        state: After the last act.
        acts: All of them, oldest first.
        passages: How many there are.
        notes: How it was read: what was hidden, dropped or left out.
        flags: Text that addresses an AI.
        superseded_by: Id of the approved version that replaces it.
    """

    id: str
    file_name: str
    sha256: str
    format: Format
    reader: str
    facts: DocumentFacts
    state: State
    acts: tuple[Act, ...]
    passages: int
    notes: tuple[Note, ...]
    flags: tuple[Flag, ...]
    superseded_by: str | None = None


def state_after(acts: Sequence[Act]) -> State:
    """Return the state after the acts on one document, oldest first."""
    match acts[-1].deed:
        case Deed.INGESTED:
            return State.QUARANTINED
        case Deed.APPROVED:
            return State.APPROVED
        case Deed.REJECTED:
            return State.REJECTED
        case Deed.WITHDRAWN:
            return State.WITHDRAWN


def successor(document: str, acts: Sequence[Act]) -> str | None:
    """Return the version that replaces a document: the first approved one that says so.

    A replacement counts from its approval, and still after its own withdrawal: taking back the new
    version never brings back the old one by itself. It ends when the old one is ingested anew.

    Args:
        document: Id of the document that may be replaced.
        acts: Of all documents, oldest first.
    """
    claims: dict[str, str | None] = {}
    found: str | None = None
    for act in acts:
        if act.facts is not None:
            claims[act.document] = act.facts.supersedes
        replaces = claims.get(act.document) == document
        if act.document == document and act.deed is Deed.INGESTED:
            found = None
        elif replaces and act.deed is Deed.APPROVED:
            found = found or act.document
        elif replaces and act.deed is Deed.REJECTED and found == act.document:
            found = None
    return found
