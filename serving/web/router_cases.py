"""The page of one case: its assessment, answers to what is missing, and its files."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, Header, Query, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from agent.assessment import Assessment
from serving.access.errors import NotFoundError
from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission
from serving.cases.model import Case, StoredAssessment
from serving.cases.service import CaseService, newest_unless_altered
from serving.services import Services, ServicesDep
from serving.web.case_page import case_context
from serving.web.entered import Entered, entered_samples, to_correct
from serving.web.entered_sample import Status, sample_file
from serving.web.missing_form import answer_from, asked_by_name, instant
from serving.web.pages import language_of, render
from serving.web.patient_view import patient_shown
from serving.web.router_start import sent_files
from serving.web.run_panel import run_panel
from serving.web.translation import translations

router = APIRouter(tags=["pages"], include_in_schema=False)

ReadableCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
AnswerableCase = Annotated[Case, Depends(allowed_case(Permission.ANSWER))]
FilesCase = Annotated[Case, Depends(allowed_case(Permission.ADD_FILES))]
AssessableCase = Annotated[Case, Depends(allowed_case(Permission.ASSESS))]
Htmx = Annotated[str | None, Header(alias="hx-request")]
Number = Annotated[int | None, Query(ge=1, le=10**9)]
Text = Annotated[str, Form(max_length=400)]


@router.get("/cases/{case_id}")
def case_page(
    request: Request,
    case: ReadableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    version: Number = None,
    since: Number = None,
    hx_request: Htmx = None,
) -> HTMLResponse:
    """Return the page of a case, or for a script the part that an assessment fills.

    It shows the newest version unless one is named, and what changed since another where asked.

    Raises:
        NotFoundError: There is no such version.
    """
    stored = services.cases.assessment(case.id, version)
    if stored is None:
        raise NotFoundError(f"assessment of case {case.id}")
    before = None if since is None else services.cases.assessment(case.id, since)
    fragment = hx_request is not None
    return _page(request, services, case, stored, before, fragment=fragment)


@router.post("/cases/{case_id}/answers")
def answer(
    request: Request,
    case: AnswerableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    input: Text,
    value: Text = "",
    unit: Text = "",
    observed_at: Text = "",
    hx_request: Htmx = None,
) -> Response:
    """Keep an answer and show the new assessment at once, with what changed.

    Raises:
        InvalidValueError: It is no answer to the question; nothing was kept.
    """
    service = CaseService(services)
    before = newest_unless_altered(services, case)
    form = {"input": input, "value": value, "unit": unit, "observed_at": observed_at}
    input_id, given = answer_from(form, time_zone=_zone(before))
    stored = service.answer(case, input_id, given.answer, principal=principal)
    return _changed(request, services, case, stored, before, fragment=hx_request is not None)


@router.post("/cases/{case_id}/samples")
def add_sample(
    request: Request,
    case: FilesCase,
    principal: PrincipalDep,
    services: ServicesDep,
    value: Text,
    collected_at: Text,
    unit: Text = "ng/L",
    status: Annotated[Status, Form()] = "preliminary",
    corrects: Text = "",
    hx_request: Htmx = None,
) -> Response:
    """Take a troponin result that a person read off, and show the new assessment.

    It is one more result, unless ``corrects`` names the file of the entry whose place it takes.

    Raises:
        InvalidValueError: It is no result of a sample that was taken, or corrects nothing that can
            be corrected; nothing was kept.
        NotFoundError: The case was not assessed yet.
    """
    before = newest_unless_altered(services, case)
    if before is None:
        raise NotFoundError(f"assessment of case {case.id}")
    collected = instant(collected_at, "time of collection", _zone(before))
    file = sample_file(
        Assessment.model_validate(before.body),
        value=value,
        unit=unit,
        collected_at=datetime.fromisoformat(collected),
        status=status,
        author=principal.name,
        now=services.clock(),
        corrects=to_correct(corrects, _entered(services, case)) if corrects else None,
    )
    stored = CaseService(services).add_files(case, [file], principal=principal)
    return _changed(request, services, case, stored, before, fragment=hx_request is not None)


@router.post("/cases/{case_id}/files")
def add_files(
    request: Request,
    case: FilesCase,
    principal: PrincipalDep,
    services: ServicesDep,
    files: Annotated[list[UploadFile], File()],
    hx_request: Htmx = None,
) -> Response:
    """Take more files into a case and show the new assessment.

    Raises:
        InputError: A file is not taken; none of them was.
    """
    before = newest_unless_altered(services, case)
    stored = CaseService(services).add_files(case, sent_files(files), principal=principal)
    return _changed(request, services, case, stored, before, fragment=hx_request is not None)


@router.post("/cases/{case_id}/files/remove")
def remove_file(
    request: Request,
    case: FilesCase,
    principal: PrincipalDep,
    services: ServicesDep,
    name: Text,
    hx_request: Htmx = None,
) -> Response:
    """Take a file out of a case and show the new assessment; earlier versions keep what it said.

    Raises:
        NotFoundError: The case has no such file.
    """
    before = newest_unless_altered(services, case)
    stored = CaseService(services).remove_file(case, name, principal=principal)
    return _changed(request, services, case, stored, before, fragment=hx_request is not None)


@router.post("/cases/{case_id}/assess")
def assess_now(
    request: Request,
    case: AssessableCase,
    principal: PrincipalDep,
    services: ServicesDep,
    as_of: Annotated[Literal["", "now"], Form()] = "",
    hx_request: Htmx = None,
) -> Response:
    """Assess a case again and show it, with what the time that passed has changed.

    A case that states a moment of its own is of that moment until somebody asks for now.
    """
    before = newest_unless_altered(services, case)
    stored = CaseService(services).assess(
        case, principal=principal, why="time", as_of_now=as_of == "now"
    )
    return _changed(request, services, case, stored, before, fragment=hx_request is not None)


def _changed(
    request: Request,
    services: Services,
    case: Case,
    stored: StoredAssessment,
    before: StoredAssessment | None,
    *,
    fragment: bool,
) -> Response:
    """Return the new assessment for a script; without one, the way to its page."""
    if not fragment:
        since = "" if before is None else f"?since={before.version}#changes"
        return RedirectResponse(f"/cases/{case.id}{since}", status_code=303)
    return _page(request, services, case, stored, before, fragment=True)


def _page(
    request: Request,
    services: Services,
    case: Case,
    stored: StoredAssessment,
    before: StoredAssessment | None,
    *,
    fragment: bool,
) -> HTMLResponse:
    say = translations(language_of(request)).gettext
    versions, altered = services.cases.history(case.id)
    context = case_context(
        case,
        stored,
        versions,
        now=services.clock(),
        say=say,
        since=before,
        answers=services.cases.answers(case.id),
        patient=patient_shown(services, case, say),
        entered=_entered(services, case),
        language=language_of(request),
    )
    by_name = asked_by_name(request.query_params.getlist("ask"), say)
    context["asks"] = (*by_name, *context["asks"])
    context["altered"] = altered
    context["newest"] = context["newest"] and max(altered, default=0) < stored.version
    if fragment:
        return render(request, "case_assessment.html", **context)
    return render(request, "case.html", **context, run=run_panel(services, case, say))


def _entered(services: Services, case: Case) -> tuple[Entered, ...]:
    return entered_samples(services.cases.files(case.id), services.cases.content)


def _zone(stored: StoredAssessment | None) -> str:
    """Return the zone of the times a form sends: the one the page shows times in, and names."""
    stated = None if stored is None else stored.body.get("time_zone")
    return stated or "UTC"
