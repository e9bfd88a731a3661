"""The published OpenAPI: every operation with the errors it can answer."""

from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from pydantic import ConfigDict

from knowledge.model import Frozen

_PROBLEM = "application/problem+json"


class Problem(Frozen):
    """Why a request failed (RFC 9457), with the way out.

    Args:
        type: Always ``about:blank``: the status says what kind it is.
        title: Phrase of the status.
        status: HTTP status.
        detail: The whole in one sentence.
        item: What it is about.
        reason: Why it cannot be used.
        way_out: What can be done about it.
        case: The case that was made, where one was.
        files: The files that are not of one patient.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    item: str | None = None
    reason: str | None = None
    way_out: str | None = None
    case: str | None = None
    files: tuple[str, ...] | None = None


_WORDS = {
    400: "Malformed",
    401: "Nobody is named, or the proof is not valid",
    403: "Named, but may not",
    404: "Not there, or not for this token",
    409: "The files are not of one patient, or the state has changed",
    413: "Over a limit",
    415: "Of a kind that is not taken",
    422: "Not valid, or outside what is accepted",
    429: "Too often; `Retry-After` says when to come back",
    500: "A mistake of ours; nothing was assessed",
    503: "Something needed is down; nothing was changed",
}
ALWAYS = (401, 403, 404, 422, 429, 500, 503)
"""What any operation of ours can answer."""

OURS = "/v1/"
"""Begins the addresses whose errors are problem+json, one by one documented here."""

_REF = {"$ref": "#/components/schemas/Problem"}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return these error answers for an operation's ``responses``."""
    return {status: {"model": Problem, "description": _WORDS[status]} for status in statuses}


def not_kept(response: Response) -> None:
    """Let no browser and no proxy keep an answer: it may be of a patient; a router's dependency."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"


def install(app: FastAPI) -> None:
    """Publish errors of the application in the form they are sent."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _published(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _published(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    for address, operations in schema["paths"].items():
        for operation in operations.values():
            if address.startswith(OURS):
                _document(operation["responses"])
    return schema


def _document(answers: dict[str, Any]) -> None:
    """Add the errors any operation can answer, and give each in the form it is sent."""
    for status in ALWAYS:
        known = answers.get(str(status), {}).get("content", {}).get("application/json", {})
        if str(status) not in answers or "HTTPValidationError" in str(known):
            answers[str(status)] = {
                "description": _WORDS[status],
                "content": {"application/json": {"schema": _REF}},
            }
    for answer in answers.values():
        content = answer.get("content", {})
        if content.get("application/json", {}).get("schema") == _REF:
            content[_PROBLEM] = content.pop("application/json")
