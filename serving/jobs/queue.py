"""The queue of agent runs: a table, a lock for each job, and a thread that does the work.

It is durable without a library for it. What must survive a kill is kept already: a run's steps by
LangGraph's checkpoints, its calls by the journal, its state and events in tables that a case is
deleted with. DBOS 3.4.0 was tried and keeps all of that a second time, in tables of its own, so
that a job and its row cannot be written together; and without its hosted conductor it recovers by
executor id: a second process with the same id runs again what the first is still running, one with
another id never takes up what a dead one left. Huey hands a task out before it is run, so a killed
worker loses it, and it has no PostgreSQL storage of its own.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.llm.choice import llm_from
from knowledge.errors import UnavailableError
from knowledge.passages import Language
from knowledge.settings import Settings
from serving.cases.folder import WORK
from serving.jobs.attempt import Attempt
from serving.jobs.lock import JobLock
from serving.jobs.seam import Job, JobEvent, JobState
from serving.jobs.store import JobStore
from serving.jobs.work import JobWork, OpenLLM
from serving.storage.database import Database

if TYPE_CHECKING:
    from serving.services import Services

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
"""Seconds between two looks: for jobs another process accepted or left, and for cancelling."""
_STOP_S = 30.0
"""Seconds that a stop waits for a tool that is being run; it is then left to a later process."""
_TRIES = 3
"""Times a run is begun, while the database can be used, before it has failed."""


class JobQueue:
    """Jobs as the rest of the service asks for them, and the thread that runs them.

    Args:
        database: Keeps the jobs.
        settings: Limits, and the data folder.
        clock: The current moment, zoned.
        open_llm: Opens the language model of a run.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        clock: Callable[[], datetime],
        open_llm: OpenLLM = llm_from,
    ) -> None:
        self._database = database
        self._settings = settings
        self._open_llm = open_llm
        self._store = JobStore(database, clock=clock)
        self._work: JobWork | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._tries: dict[str, int] = {}

    def works_for(self, services: "Services") -> None:
        """Say what the runs are made with; before `start`."""
        self._work = JobWork(services, self._store, self._open_llm)

    def submit(self, case: str, *, by: str, language: Language, key: str) -> Job:
        """As in `serving.jobs.seam.Jobs`."""
        job = self._store.submit(case, by=by, language=language, key=key)
        self._wake.set()
        return job

    def get(self, job: str) -> Job | None:
        """As in `serving.jobs.seam.Jobs`."""
        return self._store.get(job)

    def of_case(self, case: str) -> tuple[Job, ...]:
        """As in `serving.jobs.seam.Jobs`."""
        return self._store.of_case(case)

    def events(self, job: str, *, after: int = -1) -> tuple[JobEvent, ...]:
        """As in `serving.jobs.seam.Jobs`."""
        return self._store.events(job, after=after)

    def cancel(self, job: str) -> bool:
        """As in `serving.jobs.seam.Jobs`."""
        return self._store.want_cancel(job)

    def start(self) -> None:
        """Take up work, also what a killed process left; a second call does nothing."""
        if self._thread is not None or self._work is None:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._main, name="epicrisis-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop taking work, and leave what runs to be gone on with; a second call does nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        self._wake.set()
        thread.join(_STOP_S)
        if thread.is_alive():
            logger.warning("a tool is still running; its run goes on at the next start")

    def _main(self) -> None:
        try:
            asyncio.run(self._take_work())
        except Exception:
            # The outermost handler of the thread: without it, work would stop without a word.
            logger.exception("the queue of jobs broke; runs go on at the next start")

    async def _take_work(self) -> None:
        running: dict[str, asyncio.Task[None]] = {}
        reported = False
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                waiting = await asyncio.to_thread(self._store.open)
                reported = False
            except UnavailableError as error:
                waiting = ()
                if not reported:
                    logger.error("jobs wait: %s", error)
                    reported = True
            running = {job: task for job, task in running.items() if not task.done()}
            for job in waiting:
                if job not in running and len(running) < self._settings.runs_at_once:
                    running[job] = asyncio.create_task(self._take(job))
            await asyncio.to_thread(self._wake.wait, _LOOK_S)
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)

    async def _take(self, job: str) -> None:
        """Run one job, unless another process does."""
        lock = JobLock(self._database, self._folder, job)
        try:
            if await asyncio.to_thread(lock.take):
                with lock:
                    await self._attempt(job, lock)
                    self._tries.pop(job, None)
                return
        except Exception as error:  # noqa: BLE001 - logged in `_again`
            # The outermost handler of a job: logged without the patient's data, and never "done".
            await self._again(job, error)
        await asyncio.sleep(_LOOK_S)

    async def _attempt(self, job: str, lock: JobLock) -> None:
        attempt = Attempt(self._store, self._worker, lock, wall_s=self._settings.run_wall_s)
        await attempt.make(job, last=self._tries.get(job, 0) + 1 >= _TRIES)

    async def _again(self, job: str, error: Exception) -> None:
        """Leave a job to be begun again, or end it where that has not helped."""
        known = isinstance(error, UnavailableError)
        reason = str(error) if known else f"a mistake of ours ({type(error).__name__})"
        logger.error("%s cannot go on: %s", job, reason, exc_info=None if known else error)
        try:
            await asyncio.to_thread(self._database.ping)
            self._tries[job] = self._tries.get(job, 0) + 1
            if self._tries[job] >= _TRIES:
                await self._worker.end(job, JobState.FAILED, problem=reason)
        except UnavailableError:
            logger.error("%s waits for the database", job)

    @property
    def _worker(self) -> JobWork:
        if self._work is None:
            raise TypeError("the queue was started without its services")
        return self._work

    @property
    def _folder(self) -> Path:
        return self._settings.data_dir.resolve() / WORK
