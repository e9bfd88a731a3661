"""Reports over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import PositiveInt

from serving.access.guard import PrincipalDep, allowed_case
from serving.access.principal import Permission
from serving.access.smart.context import smart_context
from serving.cases.model import Case
from serving.fhir_out.back_service import WriteBackService, WrittenBack
from serving.fhir_out.service import MEDIA, Form, ReportService
from serving.openapi import problems
from serving.services import ServicesDep
from serving.web.pages import language_of

router = APIRouter(prefix="/v1/cases", tags=["reports"])

ExportCase = Annotated[Case, Depends(allowed_case(Permission.EXPORT))]
Version = Annotated[
    PositiveInt | None,
    Query(le=2**31 - 1, description="A version; without it the signed one, else the newest"),
]

_ENDING: dict[Form, str] = {
    "fhir": "fhir.json",
    "pdf": "pdf",
    "html": "html",
    "md": "md",
    "json": "json",
}
_CONTENT: dict[str, dict[str, str]] = {media.partition(";")[0]: {} for media in MEDIA.values()}


@router.get(
    "/{case_id}/report",
    response_class=Response,
    responses={200: {"content": _CONTENT}, **problems(409)},
)
def get_report(
    case: ExportCase,
    principal: PrincipalDep,
    services: ServicesDep,
    request: Request,
    format: Form = "pdf",
    version: Version = None,
) -> Response:
    """Return the report of a case: a draft until it is signed, and it says which."""
    written = ReportService(services).write(
        case, format, version=version, language=language_of(request)
    )
    services.audit.used(
        principal,
        "report.exported",
        case=case,
        detail={
            "format": format,
            "version": written.stored.version,
            "status": written.state.status,
            "assessment_sha256": written.stored.sha256,
        },
    )
    name = f"{case.id}-v{written.stored.version}.{_ENDING[format]}"
    return Response(
        written.content,
        media_type=written.media,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'; "
            "style-src 'unsafe-inline'; img-src data:",
        },
    )


@router.post(
    "/{case_id}/report/write-back",
    responses={207: {"model": WrittenBack}, **problems(409)},
)
def write_report_back(
    case: ExportCase,
    principal: PrincipalDep,
    services: ServicesDep,
    request: Request,
    response: Response,
) -> WrittenBack:
    """Write the signed report to the EHR the login was launched from, with the person's own token.

    207 where a part of it could not be written: the answer names each part and why.
    """
    done = WriteBackService(services).write(case, principal=principal, smart=smart_context(request))
    if not done.complete:
        response.status_code = 207
    return done
