"""What the rest of the service asks of the queue."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import NonNegativeInt

from knowledge.model import Frozen
from knowledge.passages import Language


class JobState(StrEnum):
    """How far a job is. A failed one says why; it is never shown as finished."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(Frozen):
    """One piece of long work: the agent's run on one case.

    Args:
        id: Its id.
        case: Id of the case.
        state: How far it is.
        by: Subject of who asked.
        asked_at: When.
        ended_at: When it ended, if it did.
        assessment: Id of the assessment it made, where done.
        problem: Why it failed, where it did.
    """

    id: str
    case: str
    state: JobState
    by: str
    asked_at: datetime
    ended_at: datetime | None = None
    assessment: str | None = None
    problem: str = ""


class JobEvent(Frozen):
    """One step that can be shown: an `agent.graph.events.Event` as it was told.

    Args:
        job: Id of the job.
        sequence: Counts from 0 over the whole job, also over a restart.
        type: Value of an `EventType`, or ``job.<state>``.
        data: Its facts, safe to show.
        at: When.
    """

    job: str
    sequence: NonNegativeInt
    type: str
    data: dict[str, Any]
    at: datetime


class Jobs(Protocol):
    """A durable queue of agent runs."""

    def submit(self, case: str, *, by: str, language: Language, key: str) -> Job:
        """Ask for the agent's run on a case, and return at once.

        Args:
            case: Id of the case.
            by: Subject of who asks.
            language: Of prompts and words.
            key: Two requests with one key are one job.

        Raises:
            UnavailableError: It cannot be kept.
        """
        ...

    def get(self, job: str) -> Job | None:
        """Return a job, or None."""
        ...

    def of_case(self, case: str) -> tuple[Job, ...]:
        """Return the jobs of a case, newest first."""
        ...

    def events(self, job: str, *, after: int = -1) -> tuple[JobEvent, ...]:
        """Return the events after a sequence number, in order."""
        ...

    def cancel(self, job: str) -> bool:
        """Cancel a job; whether there was anything to cancel."""
        ...

    def start(self) -> None:
        """Take up work, also what a killed process left."""
        ...

    def stop(self) -> None:
        """Stop taking work and wait for what runs to reach a point it can be resumed from."""
        ...
