"""What a browser sends and gets: cookies, and the proof that a form is one of ours."""

from typing import Literal

from fastapi import Request
from starlette.responses import Response

from knowledge.settings import Settings
from serving.access.address import is_secure, origin, public_base
from serving.access.errors import ForbiddenError
from serving.access.secret import same

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"

Cookie = Literal["session", "login"]
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def cookie_name(settings: Settings, cookie: Cookie) -> str:
    """Return the name of a cookie: bound to this host by its prefix wherever there is TLS."""
    name = f"epicrisis_{cookie}"
    return f"__Host-{name}" if is_secure(settings) else name


def read_cookie(request: Request, settings: Settings, cookie: Cookie) -> str | None:
    """Return the value of a cookie, or None."""
    return request.cookies.get(cookie_name(settings, cookie)) or None


def set_cookie(
    response: Response,
    settings: Settings,
    cookie: Cookie,
    value: str,
    *,
    max_age_s: int,
    framed: bool = False,
) -> None:
    """Give the browser a cookie that no script reads.

    Args:
        response: That carries it.
        settings: Of this process.
        cookie: Which.
        value: Its value.
        max_age_s: Seconds it is kept.
        framed: Whether it is also sent in the frame of an EHR, kept apart per EHR (CHIPS).
    """
    parts = [f"{cookie_name(settings, cookie)}={value}", "Path=/", f"Max-Age={max_age_s}"]
    parts.append("HttpOnly")
    if is_secure(settings):
        parts.append("Secure")
    if framed and is_secure(settings):
        parts += ["SameSite=None", "Partitioned"]
    else:
        parts.append("SameSite=Lax")
    response.headers.append("Set-Cookie", "; ".join(parts))


def drop_cookie(response: Response, settings: Settings, cookie: Cookie) -> None:
    """Take a cookie back, also one that was given in a frame."""
    set_cookie(response, settings, cookie, "", max_age_s=0)
    if settings.frame_ancestors:
        set_cookie(response, settings, cookie, "", max_age_s=0, framed=True)


def is_browser(request: Request) -> bool:
    """Return whether a request comes from a page: only browsers send these headers."""
    headers = request.headers
    return any(name in headers for name in ("origin", "sec-fetch-site", "cookie", "referer"))


def is_forwarded(request: Request) -> bool:
    """Return whether a proxy stands between: then its address says nothing of who asks."""
    return any(name in request.headers for name in _FORWARDED)


def refuse_other_sites(request: Request, settings: Settings) -> None:
    """Refuse what a page of somebody else has made the browser send.

    A link from elsewhere may open a page; nothing else may come from another site or another port.

    Raises:
        ForbiddenError: It comes from elsewhere.
    """
    site = request.headers.get("sec-fetch-site")
    opened = request.method in SAFE_METHODS and request.headers.get("sec-fetch-mode") == "navigate"
    if site is not None and site not in ("same-origin", "none") and not opened:
        raise ForbiddenError("requests from other sites")
    sent = request.headers.get("origin")
    if sent in (None, "null") or opened:
        return  # "null" is what a page without a referrer sends; the token of the form decides
    if sent.lower() not in _origins(request, settings):
        raise ForbiddenError("requests from other sites")


def require_csrf(request: Request, expected: str) -> None:
    """Refuse a change that does not carry the token of this login, in its header or its form.

    Raises:
        ForbiddenError: It carries none, or another.
    """
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get(CSRF_HEADER) or getattr(request.state, "form_csrf", "")
    if not given or not same(given, expected):
        raise ForbiddenError("a form without its token; load the page again")


async def read_form_csrf(request: Request) -> None:
    """Note the token that a form carries, for `require_csrf`.

    A body that is read by hand as a stream is left alone: such a request carries the header.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    parsed = getattr(request, "_form", None)
    if request.method in SAFE_METHODS or CSRF_HEADER in request.headers:
        return
    if parsed is None and kind == "application/x-www-form-urlencoded":
        parsed = await request.form()
    if parsed is not None:
        value = parsed.get(CSRF_FIELD)
        request.state.form_csrf = value if isinstance(value, str) else ""


def _origins(request: Request, settings: Settings) -> tuple[str, ...]:
    if settings.public_url is not None:
        return (origin(public_base(settings)),)
    return (f"{request.url.scheme}://{request.headers.get('host', '')}".lower(),)
