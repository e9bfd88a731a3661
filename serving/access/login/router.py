"""Pages of login and logout, and who is logged in."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from serving.access.authentication import Authenticator, access_of
from serving.access.browser import drop_cookie, read_cookie, set_cookie
from serving.access.errors import N_, UnauthenticatedError
from serving.access.guard import PrincipalDep
from serving.access.login.attempts import VALID_S
from serving.access.login.service import CALLBACK, OidcLogin, local_path
from serving.services import Services, ServicesDep
from serving.web.pages import Frame, render, safety_headers

router = APIRouter(tags=["access"], include_in_schema=False)

_SEE_OTHER = 303
Text = Annotated[str, Query(max_length=4000)]


@router.get("/login", response_class=HTMLResponse)
def login_page(
    request: Request,
    services: ServicesDep,
    next: Annotated[str, Query(max_length=500)] = "/",
) -> Response:
    """Return the page that says how one logs in here; a login that has ended is taken back."""
    return _page(request, services, next_path=local_path(next))


@router.get("/login/start")
def login_start(
    request: Request,
    services: ServicesDep,
    next: Annotated[str, Query(max_length=500)] = "/",
) -> Response:
    """Send the browser to the login provider."""
    access_of(services).limits.stranger(request)
    sent = OidcLogin(services).start(next)
    answer = RedirectResponse(sent.url, _SEE_OTHER, headers=dict(safety_headers(request)))
    set_cookie(answer, services.settings, "login", sent.cookie, max_age_s=VALID_S)
    return answer


@router.get(CALLBACK)
def login_callback(
    request: Request,
    services: ServicesDep,
    state: Text = "",
    code: Text = "",
    error: Text = "",
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """End a login: the browser comes back from the provider."""
    access = access_of(services)
    access.limits.stranger(request)
    try:
        if error or not code:
            raise UnauthenticatedError(N_("the provider gave no login"))
        principal, next_path = OidcLogin(services).finish(
            state=state,
            code=code,
            iss=iss,
            browser=read_cookie(request, services.settings, "login"),
        )
    except UnauthenticatedError as refused:
        return refused_login(request, services, access, refused)
    services.audit.used(principal, "login", case=None, detail={"via": principal.via})
    cookie = access.sessions.begin(
        principal, replaces=read_cookie(request, services.settings, "session")
    )
    answer = RedirectResponse(next_path, _SEE_OTHER, headers=dict(safety_headers(request)))
    give_session(answer, services, cookie)
    return answer


@router.post("/logout", response_class=HTMLResponse)
def logout(request: Request, services: ServicesDep, principal: PrincipalDep) -> Response:
    """End the login of this browser, here."""
    cookie = read_cookie(request, services.settings, "session")
    if cookie is not None:
        access_of(services).sessions.end(cookie)
        services.audit.used(principal, "logout", case=None)
    request.state.principal = None
    request.state.csrf = ""
    oidc = services.settings.oidc_issuer is not None and principal.via == "oidc"
    elsewhere = OidcLogin(services).logout_url() if oidc else None
    answer = _page(request, services, ended=True, elsewhere=elsewhere)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def give_session(
    answer: Response, services: Services, cookie: str, *, framed: bool = False
) -> None:
    """Give the browser its session, and take the cookie of the attempt back."""
    drop_cookie(answer, services.settings, "login")
    set_cookie(
        answer,
        services.settings,
        "session",
        cookie,
        max_age_s=services.settings.session_hours * 3600,
        framed=framed,
    )


def refused_login(
    request: Request,
    services: Services,
    access: Authenticator,
    refused: UnauthenticatedError,
    *,
    frame: Frame = "page",
) -> Response:
    """Return the page of a login that was refused; counted and audited.

    Raises:
        TooManyError: Too many were, from this address.
    """
    access.limits.failed(request)
    services.audit.refused(None, "login", case=None)
    return _page(request, services, problem=refused.reason, status=401, frame=frame)


def _page(
    request: Request,
    services: Services,
    *,
    next_path: str = "/",
    problem: str = "",
    ended: bool = False,
    elsewhere: str | None = None,
    status: int = 200,
    frame: Frame = "page",
) -> Response:
    settings = services.settings
    answer = render(
        request,
        "login.html",
        status=status,
        frame=frame,
        issuer=settings.oidc_issuer,
        launches=bool(settings.smart_issuers),
        local=access_of(services).local.serves(request),
        next_path=next_path,
        problem=problem,
        ended=ended,
        elsewhere=elsewhere,
    )
    cookie = read_cookie(request, settings, "session")
    if cookie is not None and (ended or access_of(services).sessions.find(cookie) is None):
        drop_cookie(answer, settings, "session")
    return answer
