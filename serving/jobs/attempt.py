"""One attempt at a job: watched for cancelling, for its time, and for the right to run it."""

import asyncio
import logging
from enum import StrEnum

from knowledge.errors import EpicrisisError, UnavailableError
from serving.jobs.lock import JobLock
from serving.jobs.seam import JobState
from serving.jobs.store import JobStore
from serving.jobs.work import JobWork

logger = logging.getLogger(__name__)

_LOOK_S = 0.5
"""Seconds between two looks whether a run is to stop."""


class Stop(StrEnum):
    """Why a run was stopped before its end."""

    CANCELLED = "cancelled"
    LATE = "late"
    LOST = "lost"


class Attempt:
    """Makes one attempt.

    Args:
        store: Of the jobs.
        work: Does it.
        lock: Held by this process; let go by whoever took it.
        wall_s: Seconds after which the run has failed.
    """

    def __init__(self, store: JobStore, work: JobWork, lock: JobLock, *, wall_s: float) -> None:
        self._store = store
        self._work = work
        self._lock = lock
        self._wall_s = wall_s

    async def make(self, job: str, *, last: bool) -> None:
        """Run the job until it has ended, is to be stopped, or cannot go on now.

        Cancelled as a task, it leaves the job to be gone on with.

        Args:
            job: Its id.
            last: Whether a run that broke is taken as it is, with the pathway's words.

        Raises:
            UnavailableError: Something needed is not to be had; the job has not ended.
        """
        task = asyncio.create_task(self._work.run(job, accept_broken=last))
        try:
            stop = await self._watch(job, task)
        finally:
            task.cancel()
            await asyncio.wait({task})
        match stop:
            case None:
                await self._ended(job, task)
            case Stop.CANCELLED:
                await self._work.end(job, JobState.CANCELLED)
            case Stop.LATE:
                problem = f"not finished within {self._wall_s:g} s; nothing was assessed by it"
                await self._work.end(job, JobState.FAILED, problem=problem)
            case Stop.LOST:
                raise UnavailableError("job", "its lock was lost with the database")

    async def _ended(self, job: str, task: "asyncio.Task[None]") -> None:
        try:
            task.result()
        except UnavailableError:
            raise
        except EpicrisisError as error:
            await self._work.end(job, JobState.FAILED, problem=str(error))

    async def _watch(self, job: str, task: "asyncio.Task[None]") -> Stop | None:
        """Return why the run is to stop, or None once it has ended by itself."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._wall_s
        while True:
            await asyncio.wait({task}, timeout=_LOOK_S)
            if task.done():
                return None
            if loop.time() > end:
                return Stop.LATE
            if not await asyncio.to_thread(self._lock.is_held):
                return Stop.LOST
            try:
                if await asyncio.to_thread(self._store.is_cancel_wanted, job):
                    return Stop.CANCELLED
            except UnavailableError:
                continue  # the run itself will meet the database, and say so
