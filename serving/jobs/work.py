"""One job from its case to its assessment: begun, gone on with, or ended with the reason."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from agent.graph.checkpoints import Checkpoints, open_checkpoints
from agent.graph.journal import Journal
from agent.graph.request import Budget, RunRequest, Session
from agent.graph.run import BROKE, AgentOutcome, forget_run, resume_run, start_run
from agent.llm.choice import Choice
from agent.llm.pool.caller import asked_by
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import UnavailableError
from knowledge.settings import Settings
from serving.access.errors import AlteredError, NotFoundError
from serving.cases.folder import WORK, lay_out
from serving.cases.model import Case, StoredAssessment
from serving.cases.reader import CaseReader
from serving.cases.service import CaseService
from serving.jobs.checkpoints import checkpoint_place
from serving.jobs.seam import JobState
from serving.jobs.store import Begun, JobStore, Reads
from serving.jobs.telling import tell_missing, telling
from serving.llm.gateway.callers import caller_for

if TYPE_CHECKING:
    from serving.services import Services

logger = logging.getLogger(__name__)

OpenLLM = Callable[[Settings], AbstractAsyncContextManager[Choice]]


class JobWork:
    """Does what jobs ask for.

    Args:
        services: Of the application.
        store: Of the jobs.
        open_llm: Opens the language model; `agent.llm.choice.llm_from` outside tests.
    """

    def __init__(self, services: "Services", store: JobStore, open_llm: OpenLLM) -> None:
        self._services = services
        self._store = store
        self._open_llm = open_llm
        self._cases = CaseService(services)
        self._reader = CaseReader(services)

    async def run(self, job: str, *, accept_broken: bool = True) -> None:
        """Run a job to its end, or from where an earlier process left it.

        What it finds is kept once, however often it is run. Cancelled as a task, it leaves the job
        as it is, to be gone on with.

        Args:
            job: Its id.
            accept_broken: Whether a run that broke on the way is kept, with the pathway's words.

        Raises:
            UnavailableError: The database or the disk cannot be used, or the run broke and may be
                begun again; the job has not ended.
        """
        begun = await asyncio.to_thread(self._begin, job)
        if begun is None:
            await self.clear(job)
            return
        case = await asyncio.to_thread(self._services.cases.find, begun.job.case)
        if case is None:
            await self.end(job, JobState.FAILED, problem="the case was deleted")
            return
        async with AsyncExitStack() as opened:
            place = checkpoint_place(self._services.settings, self._services.database)
            checkpoints = await opened.enter_async_context(open_checkpoints(place))
            choice = await opened.enter_async_context(self._open_llm(self._services.settings))
            session = await asyncio.to_thread(self._session, case, begun, choice)
            if session.llm is not None:
                pinned = await Journal(checkpoints.store, job).pinned_model()
                caller = caller_for(case, conversation=job, pinned=pinned)
                session.llm = asked_by(session.llm, caller)
            done = await self._outcome(session, checkpoints, job)
        record = done.outcome.assessment.agent
        if record is not None and BROKE in record.reason and not accept_broken:
            raise UnavailableError("run", record.reason, "it is begun again")
        await asyncio.to_thread(self._keep, case, begun, done)
        self._clear_folder(job)

    async def end(self, job: str, state: JobState, *, problem: str = "") -> None:
        """End a job without an assessment, and remove what it left."""
        await asyncio.to_thread(self._store.end, job, state, problem=problem)
        await self.clear(job)

    async def clear(self, job: str) -> None:
        """Remove the files and the steps of a job that gave no assessment."""
        self._clear_folder(job)
        found = await asyncio.to_thread(self._store.get, job)
        if found is not None and found.state is JobState.DONE:
            return
        place = checkpoint_place(self._services.settings, self._services.database)
        async with open_checkpoints(place) as checkpoints:
            await forget_run(checkpoints, job)

    def _begin(self, job: str) -> Begun | None:
        known = self._store.get(job)
        return None if known is None else self._store.begin(job, lambda: self._reads(known.case))

    def _reads(self, case_id: str) -> Reads:
        case = self._services.cases.find(case_id)
        if case is None:
            return Reads(files={})
        return Reads(files=self._reader.files(case), given=self._reader.given(case))

    def _session(self, case: Case, begun: Begun, choice: Choice) -> Session:
        settings = self._reader.settings_of(case)
        folder = self._folder(begun.job.id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lay_out(begun.reads.files, self._services.files, folder)
        searcher, no_search = self._services.index
        return Session(
            request=RunRequest(
                paths=(str(folder),),
                at=ClinicalTime(at=begun.at) if _by_clock(case, begun) else None,
                now=ClinicalTime(at=begun.at),
                given=begun.reads.given,
                language=begun.language,
                budget=Budget(llm_seconds=settings.run_llm_s, llm_tokens=settings.run_llm_tokens),
            ),
            settings=settings,
            llm=choice.llm,
            no_llm=choice.reason,
            searcher=searcher,
            no_search=no_search,
        )

    async def _outcome(self, session: Session, checkpoints: Checkpoints, job: str) -> AgentOutcome:
        there = await checkpoints.saver.aget_tuple({"configurable": {"thread_id": job}})
        if there is not None:
            await tell_missing(self._store, job, Journal(checkpoints.store, job))
        async with telling(self._store, job) as tell:
            if there is None:
                return await start_run(session, checkpoints, run=job, on_event=tell)
            return await resume_run(session, checkpoints, run=job, on_event=tell)

    def _keep(self, case: Case, begun: Begun, done: AgentOutcome) -> None:
        cases = self._services.cases
        try:
            stored = cases.keep_assessment(
                case.id,
                done.outcome.assessment,
                by=begun.job.by,
                why="agent",
                language=begun.language,
                job=begun.job.id,
            )
        except NotFoundError:
            self._store.end(begun.job.id, JobState.FAILED, problem="the case was deleted")
            return
        self._cases.told(case, stored, self._before(stored))
        self._store.end(begun.job.id, JobState.DONE, assessment=stored.id)

    def _before(self, stored: StoredAssessment) -> StoredAssessment | None:
        """Return the version before; None where there is none, or it is not what was kept."""
        earlier = stored.version - 1
        try:
            return self._services.cases.assessment(stored.case, earlier) if earlier else None
        except AlteredError as error:
            logger.error("%s: %s", error.item, error.reason)
            return None

    def _folder(self, job: str) -> Path:
        return self._services.settings.data_dir.resolve() / WORK / job

    def _clear_folder(self, job: str) -> None:
        shutil.rmtree(self._folder(job), ignore_errors=True)


def _by_clock(case: Case, begun: Begun) -> bool:
    """Return whether a run is of the moment it was begun at, and not of one its files state."""
    return case.clock_since is not None and case.clock_since <= begun.at
