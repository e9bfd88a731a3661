"""What reading a note gives: facts with their spans, and what was dropped with the reason."""

from typing import Literal

from knowledge.finding import Finding
from knowledge.model import Frozen


class NoteFact(Frozen):
    """One fact a language model read from a note, and code found in it.

    Args:
        input: The clinical input it would answer.
        state: present or absent.
        choice: For a choice: its id.
        quote: The words of the note, as they stand there.
        note: Id of the document.
        finding: The fact as a finding, with its span, marked as read from a note.
    """

    input: str
    state: Literal["present", "absent"]
    choice: str | None = None
    quote: str
    note: str
    finding: Finding


class DroppedFact(Frozen):
    """A claim of the model that was dropped.

    Args:
        reason: Which check it failed.
        quote: Its quote, cleaned and cut; empty where there was none.
        input: The clinical input it named, where it is one.
        note: Id of the document.
    """

    reason: str
    quote: str = ""
    input: str = ""
    note: str = ""


class UnreadNote(Frozen):
    """A note, or the rest of one, that no model has read."""

    note: str
    reason: str


class NoteReading(Frozen):
    """What was read from the notes of a case.

    Args:
        facts: Kept, in the order of catalogue and notes.
        dropped: Claims that failed a check.
        unread: Notes that were not read, or not to the end.
        exchange_keys: Keys of the recorded exchanges, in order.
    """

    facts: tuple[NoteFact, ...] = ()
    dropped: tuple[DroppedFact, ...] = ()
    unread: tuple[UnreadNote, ...] = ()
    exchange_keys: tuple[str, ...] = ()
