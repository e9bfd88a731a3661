"""A case taken out by an operator: audited, with the agent's runs and their checkpoints."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from agent.graph.checkpoints import open_checkpoints
from agent.graph.run import forget_run
from knowledge.settings import Settings
from serving.access.errors import ConflictError, NotFoundError
from serving.access.principal import Permission, Principal, Role
from serving.audit.log import AuditLog
from serving.cases.store import CaseStore
from serving.dicom_in.inbox import forget_studies
from serving.dicom_in.studies import StudyStore
from serving.jobs.checkpoints import checkpoint_place
from serving.jobs.seam import JobState
from serving.jobs.store import JobStore
from serving.storage.database import Database
from serving.storage.deletion import Deleted, delete_case
from serving.storage.files import FileStore

_OPEN = (JobState.WAITING, JobState.RUNNING)


def remove(
    settings: Settings,
    database: Database,
    files: FileStore,
    case: str,
    *,
    by: str,
    clock: Callable[[], datetime],
) -> Deleted:
    """Delete a case with everything kept of it, and return what that was.

    It is in the audit before anything is deleted. The checkpoints of its runs and its studies in
    the inbox of received images go first, so that a failure half way leaves a case that can be
    deleted again, and no run and no image without its case.

    Args:
        settings: Where checkpoints and the audit's anchor are.
        database: Where the case is.
        files: Where its contents are.
        case: Its id.
        by: Who deletes.
        clock: The current moment, zoned.

    Raises:
        NotFoundError: No such case, or it was deleted before.
        ConflictError: A run of it is going on.
        UnavailableError: The database cannot be used.
    """
    found = CaseStore(database, files, clock=clock).find(case)
    if found is None:
        raise NotFoundError(f"case {case}")
    jobs = JobStore(database, clock=clock).of_case(case)
    if any(job.state in _OPEN for job in jobs):
        raise ConflictError(f"case {case}", "a run of it is going on", "cancel it, then delete")
    operator = Principal(subject=by, name=by, roles=frozenset({Role.ADMIN}), via="local")
    AuditLog.of(settings, database, clock).used(operator, Permission.DELETE.value, case=found)
    place = checkpoint_place(settings, database)
    asyncio.run(_forget(place, [job.id for job in jobs]))
    arrived = StudyStore(database, clock=clock).of_case(case)
    forget_studies(settings.data_dir / "dicom", [one.study for one in arrived])
    return delete_case(database, files, case, clock=clock)


async def _forget(place: str, runs: list[str]) -> None:
    if not runs:
        return
    async with open_checkpoints(place) as checkpoints:
        for run in runs:
            await forget_run(checkpoints, run)
