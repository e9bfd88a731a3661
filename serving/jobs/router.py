"""The agent's runs over HTTP: asked for, followed step by step, cancelled."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from starlette.responses import StreamingResponse

from serving.access.errors import ConflictError, NotFoundError
from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission
from serving.cases.model import Case
from serving.jobs.protocol import RunIn, RunList, RunOut, run_out
from serving.jobs.seam import Job, JobState
from serving.jobs.stream import EVENTS, HEADERS, follow
from serving.openapi import not_kept, problems
from serving.services import Services, ServicesDep
from serving.storage.base import new_id

router = APIRouter(
    prefix="/v1/cases/{case_id}/runs", tags=["runs"], dependencies=[Depends(not_kept)]
)

ReadCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
AssessCase = Annotated[Case, Depends(allowed_case(Permission.ASSESS))]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=120,
        pattern=r"^[!-~]+$",
        description="Two requests with one key are one run",
    ),
]
Last = Annotated[
    int,
    Header(alias="Last-Event-ID", ge=-1, le=2**31 - 1, description="Events after this one alone"),
]

OPEN = (JobState.WAITING, JobState.RUNNING)


@router.post("", status_code=202, responses=problems(409))
def start_run(
    case: AssessCase,
    principal: PrincipalDep,
    services: ServicesDep,
    response: Response,
    asked: RunIn | None = None,
    key: Key = None,
) -> RunOut:
    """Ask for the agent's run; the answer comes at once, the run goes on by itself.

    Where the same request may be sent again, give it an `Idempotency-Key`: it is one run then.
    """
    wanted = asked or RunIn()
    job = services.jobs.submit(
        case.id, by=principal.subject, language=wanted.language, key=key or new_id("key")
    )
    response.headers["Location"] = f"/v1/cases/{case.id}/runs/{job.id}"
    return run_out(job)


@router.get("")
def list_runs(case: ReadCase, services: ServicesDep) -> RunList:
    """Return the runs of a case, newest first."""
    return RunList(runs=tuple(run_out(job) for job in services.jobs.of_case(case.id)))


@router.get("/{run_id}")
def get_run(case: ReadCase, run_id: str, services: ServicesDep) -> RunOut:
    """Return how far a run is; one that failed says why."""
    return run_out(job_of(services, case, run_id))


@router.get(
    "/{run_id}/events",
    response_class=StreamingResponse,
    responses={
        200: {"content": {EVENTS: {"schema": {"type": "string"}}}},
        204: {"description": "The run has ended and there is nothing more"},
    },
)
def run_events(case: ReadCase, run_id: str, services: ServicesDep, last: Last = -1) -> Response:
    """Stream what a run tells, also what it has told before, as server-sent events.

    Each event has its number as `id`, so a browser that lost the connection goes on after it.
    """
    job = job_of(services, case, run_id)
    if job.state not in OPEN and not services.jobs.events(job.id, after=last):
        return Response(status_code=204)
    return StreamingResponse(
        follow(services, job.id, after=last), media_type=EVENTS, headers=HEADERS
    )


@router.delete("/{run_id}", status_code=202, responses=problems(409))
def cancel_run(case: AssessCase, run_id: str, services: ServicesDep) -> RunOut:
    """Cancel a run; it makes no assessment. 409 where it has ended."""
    job = job_of(services, case, run_id)
    if not services.jobs.cancel(job.id):
        raise ConflictError("run", "has ended", "read its state")
    return run_out(job_of(services, case, run_id))


def job_of(services: Services, case: Case, run: str) -> Job:
    """Return a run of this case.

    Raises:
        NotFoundError: The case has no such run.
    """
    job = services.jobs.get(run) if run.isascii() and run.isprintable() else None
    if job is None or job.case != case.id:
        raise NotFoundError("run")
    return job
