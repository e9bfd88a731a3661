"""Events of a run into the database, without the run ever waiting for it.

The run's own steps are written from the same event loop: one that waited here for the database
would hold up the very transaction it waits for.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.graph.events import Event, EventType, facts_of
from agent.graph.journal import Journal
from agent.graph.run import OnEvent
from knowledge.errors import UnavailableError
from serving.jobs.store import JobStore

_TRIES = 20
_AGAIN_S = 0.5
"""Seconds to the next try; ten seconds in all, then the run is begun again later."""


@asynccontextmanager
async def telling(store: JobStore, job: str) -> AsyncIterator[OnEvent]:
    """Give what is told every event; at the end all of them are kept.

    Args:
        store: Of the jobs.
        job: Id of the job.

    Raises:
        UnavailableError: They could not be kept.
    """
    told: asyncio.Queue[Event | None] = asyncio.Queue()
    writer = asyncio.create_task(_write(store, job, told))
    try:
        yield told.put_nowait
        told.put_nowait(None)
        await writer
    finally:
        if not writer.done():
            told.put_nowait(None)
            await asyncio.wait({writer}, timeout=_AGAIN_S)
            writer.cancel()
            await asyncio.wait({writer})


async def tell_missing(store: JobStore, job: str, journal: Journal) -> None:
    """Tell the tool calls that an earlier process made but was stopped before it told.

    Args:
        store: Of the jobs.
        job: Id of the job.
        journal: Of its run: a call is kept there before it is told.

    Raises:
        UnavailableError: They could not be kept.
    """
    events = await asyncio.to_thread(store.events, job)
    told = Counter(e.data["tool"] for e in events if e.type == EventType.TOOL_FINISHED)
    missing = []
    for entry in await journal.tool_calls():
        told[entry.tool] -= 1
        if told[entry.tool] < 0:
            missing.append((EventType.TOOL_FINISHED.value, facts_of(entry)))
    if missing:
        await _kept(store, job, missing)


async def _write(store: JobStore, job: str, told: "asyncio.Queue[Event | None]") -> None:
    last = False
    while not last:
        batch = [await told.get()]
        while not told.empty():
            batch.append(told.get_nowait())
        last = batch[-1] is None
        events = [(e.type.value, e.data) for e in batch if e is not None and _is_shown(e)]
        if events:
            await _kept(store, job, events)


async def _kept(store: JobStore, job: str, events: list[tuple[str, dict[str, object]]]) -> None:
    for left in range(_TRIES - 1, -1, -1):
        try:
            await asyncio.to_thread(store.tell, job, events)
            return
        except UnavailableError:
            if not left:
                raise
            await asyncio.sleep(_AGAIN_S)


def _is_shown(event: Event) -> bool:
    """Leave out that a run was cut off: the job's events say whether it was cancelled."""
    return event.type is not EventType.CANCELLED
