"""The agent's run from the case page: start, watch each step, cancel."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from serving.access.errors import NotFoundError
from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission
from serving.cases.model import Case
from serving.jobs.seam import Job
from serving.services import Services, ServicesDep
from serving.web.pages import environment, language_of, render, safety_headers
from serving.web.run_panel import OPEN, run_panel, steps
from serving.web.translation import translations

router = APIRouter(tags=["pages"], include_in_schema=False)

ReadableCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
AssessableCase = Annotated[Case, Depends(allowed_case(Permission.ASSESS))]
Htmx = Annotated[str | None, Header(alias="hx-request")]
_POLL_S = 0.4
_LONGEST_S = 1800.0
"""A stream ends after this; the browser opens the next one where it left off."""


@router.post("/cases/{case_id}/runs")
def start_run(
    request: Request,
    case: AssessableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    key: Annotated[str, Form(min_length=8, max_length=80)],
    hx_request: Htmx = None,
) -> Response:
    """Ask for the agent's run and show its panel.

    Raises:
        UnavailableError: It cannot be kept.
    """
    job = services.jobs.submit(
        case.id, by=principal.subject, language=language_of(request), key=key
    )
    return _panel(request, services, case, job, fragment=hx_request is not None)


@router.get("/cases/{case_id}/runs/{job_id}")
def show_run(
    request: Request,
    case: ReadableCase,
    job_id: str,
    services: ServicesDep,
    hx_request: Htmx = None,
) -> Response:
    """Return the panel of a run.

    Raises:
        NotFoundError: The case has no such run.
    """
    job = _job(services, case, job_id)
    return _panel(request, services, case, job, fragment=hx_request is not None)


@router.post("/cases/{case_id}/runs/{job_id}/cancel")
def cancel_run(
    request: Request,
    case: AssessableCase,
    job_id: str,
    services: ServicesDep,
    hx_request: Htmx = None,
) -> Response:
    """Cancel a run and show its panel; what the tools found before stays in its journal."""
    job = _job(services, case, job_id)
    services.jobs.cancel(job.id)
    return _panel(
        request, services, case, _job(services, case, job_id), fragment=hx_request is not None
    )


@router.get("/cases/{case_id}/runs/{job_id}/steps")
async def run_steps(
    request: Request,
    case: ReadableCase,
    job_id: str,
    services: ServicesDep,
    after: int = -1,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Stream each step as a line of the list, then ``done``.

    It begins after the last step the page has (`after`), or after the last that a browser which
    comes back has seen.
    """
    job = await asyncio.to_thread(_job, services, case, job_id)
    known = last_event_id or ""
    begin = int(known) if known.isdigit() else after
    return StreamingResponse(
        _stream(request, services, case, job, begin),
        media_type="text/event-stream",
        headers={**safety_headers(request), "X-Accel-Buffering": "no"},
    )


async def _stream(
    request: Request, services: Services, case: Case, job: Job, after: int
) -> AsyncIterator[str]:
    template = environment(language_of(request)).get_template("case_run_step.html")
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() - began < _LONGEST_S:
        now = await asyncio.to_thread(services.jobs.get, job.id)
        events = await asyncio.to_thread(services.jobs.events, job.id, after=after)
        for event in events:
            after = event.sequence
            for step in steps([event]):
                yield _message(template.render(step=step), after)
        if now is None or now.state not in OPEN:
            yield f"event: done\nid: {after}\ndata: done\n\n"
            return
        if await request.is_disconnected():
            return
        if not events:
            yield ": waiting\n\n"
        await asyncio.sleep(_POLL_S)


def _message(html: str, number: int) -> str:
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"id: {number}\n{lines}\n"


def _job(services: Services, case: Case, job_id: str) -> Job:
    job = services.jobs.get(job_id)
    if job is None or job.case != case.id:
        raise NotFoundError("run")
    return job


def _panel(
    request: Request, services: Services, case: Case, job: Job, *, fragment: bool
) -> Response:
    if not fragment:
        return RedirectResponse(f"/cases/{case.id}#agent", status_code=303)
    say = translations(language_of(request)).gettext
    panel = run_panel(services, case, say, job=job)
    return render(request, "case_run.html", case=case, run=panel, finished=not panel.open)
