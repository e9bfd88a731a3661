"""An error as a page, or as the part of one, for a person in a browser."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from serving.web.pages import language_of, render
from serving.web.translation import translations


def _(text: str) -> str:
    """Mark a text for the catalogue of translations and return it as it is."""
    return text


_TITLES = {
    400: _("That request cannot be read"),
    401: _("Nobody is logged in"),
    403: _("That is not allowed"),
    404: _("There is nothing here"),
    405: _("That cannot be done here"),
    408: _("That took too long"),
    409: _("That does not fit what is there"),
    412: _("Something that is needed first is missing"),
    413: _("That is too large"),
    415: _("That kind of file is not read"),
    422: _("That was not taken"),
    429: _("Too many requests"),
    503: _("Something that is needed is not available"),
}
_OURS = _("A mistake of ours; nothing was assessed")
ALTERED = _("What was kept here was changed since; it is not shown")
_API = ("/v1/", "/static/", "/livez", "/readyz", "/metrics", "/openapi.json")


def wants_page(request: Request) -> bool:
    """Return whether a person in a browser asked: by a link, a form, or a script of a page."""
    if request.url.path.startswith(_API):
        return False
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts or "hx-request" in request.headers


def problem_page(
    request: Request, status: int, *, item: str, reason: str, way_out: str, title: str = ""
) -> HTMLResponse:
    """Return the error as a page; for a script, as what it puts beside the form.

    Its title is that of the status unless another is given.
    """
    say = translations(language_of(request)).gettext
    template = "problem_fragment.html" if "hx-request" in request.headers else "problem.html"
    return render(
        request,
        template,
        status=status,
        title=say(title or _TITLES.get(status, _OURS)),
        item=item,
        reason=reason,
        way_out=way_out,
    )
