"""The start page: pick a case, send a new one, or open a bundled example; and the language."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Path, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from knowledge.passages import Language
from knowledge.plain_text import visible
from serving.access.address import is_secure
from serving.access.guard import PrincipalDep, allowed
from serving.access.principal import Permission, Principal
from serving.cases.service import CaseService
from serving.services import ServicesDep
from serving.web.case_list import case_list
from serving.web.examples import example_files, examples
from serving.web.pages import COOKIE, language_of, render
from serving.web.translation import translations

router = APIRouter(tags=["pages"], include_in_schema=False)

Creator = Annotated[Principal, Depends(allowed(Permission.CREATE_CASE))]
_YEAR_S = 365 * 24 * 3600
_LABEL = 80
_SEE_OTHER = 303


@router.get("/")
def start(request: Request, principal: PrincipalDep, services: ServicesDep) -> HTMLResponse:
    """Return the start page; the cases on it are those the person may read."""
    say = translations(language_of(request)).gettext
    return render(
        request,
        "start.html",
        cases=case_list(services, principal, say),
        examples=examples(say),
        may_create=principal.may(Permission.CREATE_CASE, patient=principal.patient),
        limits=services.settings,
    )


@router.post("/cases")
def create(
    principal: Creator,
    services: ServicesDep,
    files: Annotated[list[UploadFile] | None, File()] = None,
    folder: Annotated[list[UploadFile] | None, File()] = None,
    label: Annotated[str, Form(max_length=400)] = "",
    time_zone: Annotated[str, Form(max_length=80)] = "",
) -> RedirectResponse:
    """Make a case of what was sent and go to its page.

    Raises:
        InputError: A name, a size, a count or the time zone is not taken; nothing was made.
    """
    sent = sent_files(files, folder)
    named = visible(label).strip()[:_LABEL] or services.clock().strftime(
        "Case of %Y-%m-%d %H:%M UTC"
    )
    case, _stored = CaseService(services).open(
        sent, label=named, principal=principal, time_zone=time_zone.strip() or None
    )
    return RedirectResponse(f"/cases/{case.id}", status_code=_SEE_OTHER)


@router.post("/cases/examples/{name}")
def open_example(
    request: Request,
    name: Annotated[str, Path(max_length=40)],
    principal: Creator,
    services: ServicesDep,
) -> RedirectResponse:
    """Make a case of a bundled example and go to its page.

    Raises:
        InvalidValueError: There is no such example.
    """
    title = next((e.title for e in examples(str) if e.name == name), name)
    case, _stored = CaseService(services).open(
        example_files(name), label=f"Example: {title}", principal=principal, source="example"
    )
    return RedirectResponse(f"/cases/{case.id}", status_code=_SEE_OTHER)


@router.get("/language/{language}")
def choose_language(language: Language, services: ServicesDep, next: str = "/") -> RedirectResponse:
    """Keep the language in a cookie and go back; an address elsewhere is not gone to."""
    inside = next.startswith("/") and not next.startswith(("//", "/\\")) and next.isprintable()
    response = RedirectResponse(next if inside else "/", status_code=_SEE_OTHER)
    response.set_cookie(
        COOKIE,
        language,
        max_age=_YEAR_S,
        httponly=True,
        samesite="lax",
        secure=is_secure(services.settings),
    )
    return response


def sent_files(*groups: list[UploadFile] | None) -> list[tuple[str, bytes]]:
    """Return name and bytes of the files of a form; a field left empty has none."""
    uploads = [upload for group in groups for upload in group or () if upload.filename]
    return [(upload.filename or "", upload.file.read()) for upload in uploads]
