"""Critical results and the list of cases, as values."""

from datetime import datetime
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from agent.assessment import RESEARCH_USE
from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import Evidence
from knowledge.model import Frozen
from knowledge.pathways import Urgency

REMINDER = "reminder"
"""Subject of what is due and late: no result, so it need not be known any more once it is done."""


class Rested(Frozen):
    """A laboratory result that the result of a rule rests on.

    Args:
        place: Where it stands in its source.
        value: With its unit, as it was.
    """

    place: str
    value: str


class Critical(Frozen):
    """One result that a person must know at once.

    Args:
        key: From what it is: the same result has the same key in every version.
        kind: A laboratory value, an immediate action with the diagnoses that are supported, or the
            result that one or more rules of one tool draw from the same samples.
        subject: What it is about: ``value:potassium:high``; `REMINDER` for an action that is
            immediate only because its time has passed.
        parts: For an immediate action: ids of the recommendations and diagnoses; for rules: their
            names.
        rests_on: For rules: the laboratory results they rest on, as they were.
        words: The result.
        value: Of a value, with its unit, as it was.
        certain: False where the value is known only within bounds that reach the limit.
        time: When it was collected, for a value.
        evidence: Where it comes from.
        citation: Source of the limit, to show.
        review: Review state of the limit, in words.
    """

    key: str
    kind: Literal["value", "immediate", "rule"]
    subject: str
    parts: tuple[str, ...] = ()
    rests_on: tuple[Rested, ...] = ()
    words: str
    value: str = ""
    certain: bool = True
    time: ClinicalTime | None = None
    evidence: tuple[Evidence, ...] = ()
    citation: str
    review: str


class Escalated(Frozen):
    """That nobody acknowledged in time.

    Args:
        level: 1 and up.
        at: When it was noticed.
    """

    level: PositiveInt
    at: datetime


class Acknowledgement(Frozen):
    """A critical result, and whether a person has said that they know it.

    Args:
        id: Its id.
        case: Id of the case.
        result: What must be known.
        assessment: Id of the version that raised it.
        version: Its version.
        raised_at: When.
        due_at: When it should have been acknowledged.
        level: 0, or how far it has escalated.
        escalations: When it reached each level.
        superseded_at: When a later version no longer had it, if so; it can still be acknowledged.
        superseded_why: Why not.
        acknowledged_at: When, if it was.
        acknowledged_by: Subject of who did.
        name: Their name.
        note: What they wrote.
    """

    id: str
    case: str
    result: Critical
    assessment: str
    version: PositiveInt
    raised_at: datetime
    due_at: datetime
    level: NonNegativeInt = 0
    escalations: tuple[Escalated, ...] = ()
    superseded_at: datetime | None = None
    superseded_why: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    name: str | None = None
    note: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether a person must still say that they know it."""
        return self.acknowledged_at is None and self.superseded_at is None

    def is_overdue(self, now: datetime) -> bool:
        """Return whether it should have been acknowledged by now."""
        return self.is_open and now >= self.due_at


class Due(Frozen):
    """One thing that is to be done at a time.

    Args:
        what: The recommendation, in words.
        at: When.
        words: ``due 2026-11-20 10:42 Europe/Berlin``, ``overdue since ...``, or why it cannot be
            said; with the moment that the case states, where it was judged at that.
        shown: The time alone, with its date and zone.
        overdue: Whether the time has passed; None where its zone is not known.
        minutes: Until then, negative after it; None where its zone is not known.
        judged_at: The moment it was judged at: now, or the one the case states for itself.
        stated: That moment, with its date and zone, where the case states one: nothing counts
            down to what was due then. None where it was judged now.
    """

    what: str
    at: ClinicalTime
    words: str
    shown: str
    overdue: bool | None
    minutes: float | None
    judged_at: datetime
    stated: str | None = None


State = Literal[
    "not assessed",
    "assessing",
    "failed",
    "refused",
    "not assessable",
    "to sign",
    "flagged",
    "signed",
]


class WorklistRow(Frozen):
    """One case on the list.

    Args:
        case: Its id.
        label: What people call it.
        state: How far it is.
        waits: Whether a clinician has something to do: sign, settle a flag, acknowledge.
        urgency: As in the assessment; None where there is none that counts, which is not low.
        headline: As in the assessment; empty without one.
        why: For a case that is not, or not wholly, assessed: the reason.
        version: Of the newest assessment.
        assessed_at: When it was made.
        waiting_since: Since when it waits.
        waiting_minutes: For how long.
        signed_version: Of the signed report that counts.
        signer: Who signed it.
        open_flags: How many changes to it are not settled.
        critical: Results nobody has acknowledged, the longest waiting first.
        due: What is to be done when, the next first.
        not_judged: Values that could not be compared with the critical limits, with the reason.
    """

    case: str
    label: str
    state: State
    waits: bool
    urgency: Urgency | None = None
    headline: str = ""
    why: str = ""
    version: PositiveInt | None = None
    assessed_at: datetime | None = None
    waiting_since: datetime | None = None
    waiting_minutes: NonNegativeInt | None = None
    signed_version: PositiveInt | None = None
    signer: str | None = None
    open_flags: NonNegativeInt = 0
    critical: tuple[Acknowledgement, ...] = ()
    due: tuple[Due, ...] = ()
    not_judged: tuple[str, ...] = ()


class HeldMessages(Frozen):
    """Messages of the HL7 v2 feed that are in no case, for one reason.

    Args:
        reason: Why.
        messages: How many.
    """

    reason: str
    messages: PositiveInt


class Worklist(Frozen):
    """The cases, those first that need somebody soonest.

    Args:
        at: The moment it was made.
        rows: The cases.
        waiting: How many of them wait.
        unacknowledged: How many critical results nobody has acknowledged.
        more: Whether there are older cases that are not in it.
        held: Messages that were received and are in no case until a person decides, by reason: a
            result or a withdrawal may be among them.
        notice: Research use.
    """

    at: datetime
    rows: tuple[WorklistRow, ...]
    waiting: NonNegativeInt
    unacknowledged: NonNegativeInt
    more: bool
    held: tuple[HeldMessages, ...] = ()
    notice: str = RESEARCH_USE
