"""What a run tells while it goes on. Types are a contract: user interfaces switch on them."""

from enum import StrEnum
from typing import Any

from pydantic import NonNegativeInt

from agent.ledger import Entry
from knowledge.model import Frozen


class EventType(StrEnum):
    """Kinds of events, in the order they usually come."""

    RUN_STARTED = "run.started"
    CASE_READ = "case.read"
    CASE_REFUSED = "case.refused"
    TRIAGE = "triage.done"
    NOTES_READ = "notes.read"
    PLAN = "plan.made"
    TOOL_STARTED = "tool.started"
    TOOL_FINISHED = "tool.finished"
    COVERAGE = "coverage.looked"
    PASSAGES = "passages.found"
    ASSESSED = "assessment.ready"
    WRITTEN = "sentences.written"
    VERIFIED = "sentences.verified"
    DEGRADED = "agent.degraded"
    WAITING = "run.waiting"
    FINISHED = "run.finished"
    CANCELLED = "run.cancelled"


class Event(Frozen):
    """One step of a run.

    Args:
        run: Id of the run.
        sequence: Counts from 0 within one process's part of the run.
        type: What happened.
        data: Its facts; text from outside is already made safe to show.
    """

    run: str
    sequence: NonNegativeInt
    type: EventType
    data: dict[str, Any]


def facts_of(entry: Entry) -> dict[str, Any]:
    """Return what ``tool.finished`` says of a call."""
    problem = entry.problem.detail if entry.problem else ""
    return {"tool": entry.tool, "seconds": entry.seconds, "problem": problem}
