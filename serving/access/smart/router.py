"""Addresses of SMART App Launch: the EHR calls them through the browser of who works there."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from serving.access.authentication import access_of
from serving.access.browser import read_cookie, set_cookie
from serving.access.errors import N_, UnauthenticatedError
from serving.access.login.attempts import VALID_S
from serving.access.login.router import give_session, refused_login
from serving.access.smart.protocol import SIDEBAR
from serving.access.smart.service import CALLBACK, SmartLaunch
from serving.services import Services, ServicesDep
from serving.web.pages import safety_headers

router = APIRouter(tags=["access"], include_in_schema=False)

_SEE_OTHER = 303
Text = Annotated[str, Query(max_length=4000)]


@router.get("/smart/launch")
def launch(request: Request, services: ServicesDep, iss: Text, launch: Text) -> Response:
    """Take up a launch by an EHR: only of one that is on the list."""
    return _sent(request, services, iss, launch)


@router.get("/smart/start")
def start(request: Request, services: ServicesDep, iss: Text) -> Response:
    """Begin a launch from here, at an EHR that is on the list; it asks for the patient."""
    return _sent(request, services, iss, None)


@router.get(CALLBACK)
def callback(
    request: Request,
    services: ServicesDep,
    state: Text = "",
    code: Text = "",
    error: Text = "",
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """End a launch: the browser comes back with a code, and leaves with a login for one patient."""
    access = access_of(services)
    access.limits.stranger(request)
    try:
        if error or not code:
            raise UnauthenticatedError(N_("the EHR gave no access"))
        done = SmartLaunch(services).finish(
            state=state,
            code=code,
            iss=iss,
            browser=read_cookie(request, services.settings, "login"),
        )
    except UnauthenticatedError as refused:
        return refused_login(request, services, access, refused, frame="sidebar")
    services.audit.used(done.principal, "login", case=None, detail={"via": "smart"})
    cookie = access.sessions.begin(
        done.principal,
        replaces=read_cookie(request, services.settings, "session"),
        context=done.context.model_dump(mode="json"),
        token=done.token,
    )
    answer = RedirectResponse(SIDEBAR, _SEE_OTHER, headers=dict(safety_headers(request)))
    give_session(answer, services, cookie, framed=bool(services.settings.frame_ancestors))
    return answer


def _sent(request: Request, services: Services, iss: str, launch: str | None) -> Response:
    access_of(services).limits.stranger(request)
    sent = SmartLaunch(services).start(iss, launch)
    answer = RedirectResponse(sent.url, _SEE_OTHER, headers=dict(safety_headers(request)))
    set_cookie(
        answer,
        services.settings,
        "login",
        sent.cookie,
        max_age_s=VALID_S,
        framed=bool(services.settings.frame_ancestors),
    )
    return answer
