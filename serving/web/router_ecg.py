"""The ECGs of a case: a part of its page, and a page of their own."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import HTMLResponse

from serving.access.guard import allowed_case
from serving.access.principal import Permission
from serving.cases.model import Case
from serving.cases.service import CaseService
from serving.services import ServicesDep
from serving.web.ecg_view import ecg_page
from serving.web.pages import language_of, render
from serving.web.translation import translations

router = APIRouter(tags=["pages"], include_in_schema=False)

ReadableCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]


@router.get("/cases/{case_id}/ecg")
def ecgs(
    request: Request,
    case: ReadableCase,
    services: ServicesDep,
    hx_request: Annotated[str | None, Header(alias="hx-request")] = None,
) -> HTMLResponse:
    """Return the ECGs with what was measured on them; for a script, as the part of a page.

    Raises:
        InputError: The case cannot be read.
    """
    say = translations(language_of(request)).gettext
    outcome = CaseService(services).outcome(case)
    template = "ecg_page.html" if hx_request is None else "ecg.html"
    return render(request, template, case=case, ecg=ecg_page(outcome, say))
