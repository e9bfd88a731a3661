"""The events of a job as server-sent events, from any point, for as long as it runs."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from knowledge.errors import UnavailableError
from serving.jobs.seam import JobEvent, JobState

if TYPE_CHECKING:
    from serving.services import Services

EVENTS = "text/event-stream"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}
_LOOK_S = 0.4
"""Seconds between two looks: a person sees a step as it happens."""
_ALIVE = 35
"""Looks without an event after which a comment is sent, so that no proxy closes the stream."""
_LONGEST = 4500
"""Looks after which the stream ends, some 30 minutes; the browser opens the next one."""
_ENDED = frozenset(
    f"job.{state.value}" for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
)


async def follow(services: "Services", job: str, *, after: int) -> AsyncIterator[str]:
    """Yield the events after a number as they come, until the job or the process ends.

    A database that does not answer ends the stream: the browser opens it again where it was.

    Args:
        services: Of the application.
        job: Id of the job.
        after: The last event that was seen; -1 for none.
    """
    quiet = 0
    for _ in range(_LONGEST):
        try:
            events = await asyncio.to_thread(services.jobs.events, job, after=after)
        except UnavailableError:
            return
        for event in events:
            yield as_text(event)
            after = event.sequence
        if services.closing.is_set() or (events and events[-1].type in _ENDED):
            return
        quiet = 0 if events else quiet + 1
        if quiet and quiet % _ALIVE == 0:
            yield ": waiting\n\n"
        await asyncio.sleep(_LOOK_S)


def as_text(event: JobEvent) -> str:
    """Return an event as it is sent; JSON has no line breaks of its own."""
    return f"id: {event.sequence}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n"
