"""A person whose login has ended is sent to the login, and back to where they were."""

from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from serving.access.browser import SAFE_METHODS
from serving.access.login.service import local_path

_SEE_OTHER = 303


def to_login(request: Request) -> Response:
    """Return what takes a browser to the login page; for a script, as the header it follows.

    Args:
        request: That nobody is named in; it has changed nothing.
    """
    if "hx-request" in request.headers:
        here = urlsplit(request.headers.get("hx-current-url", ""))
        return Response(status_code=401, headers={"HX-Redirect": _address(here.path, here.query)})
    if request.method not in SAFE_METHODS:
        return RedirectResponse("/login", _SEE_OTHER)
    return RedirectResponse(_address(request.url.path, request.url.query), _SEE_OTHER)


def _address(path: str, query: str) -> str:
    return f"/login?next={quote(local_path(f'{path}?{query}' if query else path or '/'), safe='')}"
