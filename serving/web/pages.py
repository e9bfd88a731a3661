"""One way to answer with a page: templates, language, safety headers."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, get_args

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from agent.assessment import RESEARCH_USE
from knowledge.evidence import describe
from knowledge.passages import Language
from knowledge.plain_text import visible
from serving.web.translation import translations

COOKIE = "epicrisis_language"

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)
"""Nothing from anywhere else, no inline script and no inline style."""

Frame = Literal["page", "sidebar"]


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    frame: Frame = "page",
    **context: Any,
) -> HTMLResponse:
    """Return a page.

    Args:
        request: Whose language it is in.
        template: File below ``serving/web/templates``.
        status: HTTP status.
        frame: ``sidebar`` may stand in a frame of the configured EHRs; a page in none.
        context: What the template shows; every text in it is escaped and freed of what cannot be
            seen.
    """
    language = language_of(request)
    text = (
        environment(language)
        .get_template(template)
        .render(
            request=request,
            language=language,
            research_use=translations(language).gettext(RESEARCH_USE),
            csrf=getattr(request.state, "csrf", ""),
            principal=getattr(request.state, "principal", None),
            now=request.app.state.services.clock().isoformat(),
            **context,
        )
    )
    return HTMLResponse(text, status_code=status, headers=safety_headers(request, frame=frame))


def safety_headers(request: Request, *, frame: Frame = "page") -> Mapping[str, str]:
    """Return the headers every page has."""
    allowed = getattr(request.app.state.services.settings, "frame_ancestors", ())
    ancestors = " ".join(allowed) if frame == "sidebar" and allowed else "'none'"
    return {
        "Content-Security-Policy": CSP.format(ancestors=ancestors),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def language_of(request: Request) -> Language:
    """Return the language a person chose, else the first of the browser's that there is."""
    chosen = request.query_params.get("lang") or request.cookies.get(COOKIE, "")
    wanted = [chosen, *request.headers.get("accept-language", "").split(",")]
    languages: tuple[Language, ...] = get_args(Language)
    for text in wanted:
        for language in languages:
            if text.strip().lower().startswith(language):
                return language
    return "en"


@cache
def environment(language: Language) -> Environment:
    """Return the templates with the words of one language."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader("serving.web"), PackageLoader("serving.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.filters["place"] = describe
    made.filters.update(_link_filters())
    made.filters["msg"] = translations(language).gettext  # words with a %s that a script fills
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return made


def _link_filters() -> dict[str, Callable[..., Any]]:
    """Return what turns evidence into links to its place."""
    from serving.evidence.links import evidence_links, source_links
    from serving.web.inputs_view import places

    return {"places": places, "links": evidence_links, "source_links": source_links}


def _shown(value: object) -> object:
    if isinstance(value, Markup):
        return value
    return visible(value) if isinstance(value, str) else value
