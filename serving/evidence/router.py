"""Evidence of a case: as JSON, as a page, as the drawer's fragment, and as an ECG picture."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import HTMLResponse, Response

from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission
from serving.cases.model import Case
from serving.evidence.find import locate
from serving.evidence.protocol import EvidenceView
from serving.evidence.show import PICTURE, picture, show
from serving.services import ServicesDep
from serving.web.pages import render

router = APIRouter(tags=["evidence"])

ReadableCase = Annotated[Case, Depends(allowed_case(Permission.READ_CASE))]
_SVG = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/v1/cases/{case_id}/evidence/{evidence_id}")
def evidence(
    case: ReadableCase, evidence_id: str, principal: PrincipalDep, services: ServicesDep
) -> EvidenceView:
    """Return the original place of a statement: a note's span, a field, a lead, a card, a row."""
    return show(services, case, locate(services, case, principal, evidence_id))


@router.get(f"/cases/{{case_id}}/evidence/{{evidence_id}}/{PICTURE}", include_in_schema=False)
def evidence_picture(
    case: ReadableCase, evidence_id: str, principal: PrincipalDep, services: ServicesDep
) -> Response:
    """Return the ECG with its lead highlighted, as SVG."""
    drawn = picture(services, case, locate(services, case, principal, evidence_id))
    return Response(drawn, media_type="image/svg+xml", headers=_SVG)


@router.get("/cases/{case_id}/evidence/{evidence_id}", include_in_schema=False)
def evidence_page(
    request: Request,
    case: ReadableCase,
    evidence_id: str,
    principal: PrincipalDep,
    services: ServicesDep,
    hx_request: Annotated[str | None, Header()] = None,
) -> HTMLResponse:
    """Return the page of one piece of evidence, or the drawer's fragment for a script."""
    view = show(services, case, locate(services, case, principal, evidence_id))
    template = "evidence_fragment.html" if hx_request else "evidence_page.html"
    return render(request, template, case=case, view=view)
