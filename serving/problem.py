"""Errors as answers: problem+json (RFC 9457), and OperationOutcome where the address is FHIR's.

One table gives the status of every class of error; the nearest class in its ancestry counts.
"""

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from knowledge.errors import (
    ContractError,
    EpicrisisError,
    IdentityConflictError,
    InputError,
    ReferenceDataError,
    TooLargeError,
    UnavailableError,
    UnsupportedError,
)
from knowledge.plain_text import visible
from serving.access.errors import (
    AlteredError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    PreconditionError,
    TooManyError,
    UnauthenticatedError,
)
from serving.access.login.redirect import to_login
from serving.web.problem_page import ALTERED, problem_page, wants_page

logger = logging.getLogger(__name__)

STATUS: dict[type[EpicrisisError], HTTPStatus] = {
    EpicrisisError: HTTPStatus.INTERNAL_SERVER_ERROR,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnsupportedError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ContractError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdentityConflictError: HTTPStatus.CONFLICT,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    ReferenceDataError: HTTPStatus.INTERNAL_SERVER_ERROR,
    AlteredError: HTTPStatus.INTERNAL_SERVER_ERROR,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    PreconditionError: HTTPStatus.PRECONDITION_FAILED,
    TooManyError: HTTPStatus.TOO_MANY_REQUESTS,
}

FHIR_PREFIXES = ("/cds-services", "/fhir")
"""Addresses whose clients expect an OperationOutcome."""

_ISSUE = {400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 409: "conflict"} | {
    412: "required",
    413: "too-long",
    415: "not-supported",
    422: "processing",
    429: "throttled",
    503: "transient",
}


def status_of(error: EpicrisisError) -> HTTPStatus:
    """Return the HTTP status of an error.

    Examples:
        >>> status_of(TooLargeError("a.dcm", "is over 64 MiB")).value
        413
    """
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(
    request: Request,
    status: int,
    *,
    item: str,
    reason: str,
    way_out: str = "",
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
    title: str = "",
) -> Response:
    """Return the answer to a request that failed, in the form its address asks for.

    Args:
        request: The request.
        status: HTTP status.
        item: What it is about.
        reason: Why it failed.
        way_out: What can be done about it.
        headers: More headers.
        extra: More members of a problem+json, for example the files that conflict.
        title: Of the page, where that of the status does not say it.
    """
    shown = {"item": visible(item), "reason": visible(reason), "way_out": visible(way_out)}
    is_fhir = request.url.path.startswith(FHIR_PREFIXES)
    if not is_fhir and wants_page(request):
        page = problem_page(request, status, **shown, title=title)
        page.headers.update(headers or {})
        return page
    return JSONResponse(
        _outcome(status, shown) if is_fhir else _details(status, shown, extra or {}),
        status_code=status,
        media_type="application/fhir+json" if is_fhir else "application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def _outcome(status: int, shown: Mapping[str, str]) -> dict[str, Any]:
    issue = {
        "severity": "error",
        "code": _ISSUE.get(status, "exception"),
        "diagnostics": _sentence(shown),
    }
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _details(status: int, shown: Mapping[str, str], extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _sentence(shown),
        **{key: value for key, value in shown.items() if value},
        **extra,
    }


def install(app: FastAPI) -> None:
    """Answer every error of the application by this module."""
    app.add_exception_handler(EpicrisisError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


def _ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, EpicrisisError):
        raise error
    return answer_to(request, error)


def answer_to(request: Request, error: EpicrisisError) -> Response:
    """Return the answer to a request that failed with an error of this product."""
    headers: dict[str, str] = {}
    if isinstance(error, UnauthenticatedError):
        if wants_page(request):
            return to_login(request)
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(error.retry_after_s)
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %s: %s", request.method, _route(request), type(error).__name__)
    return problem(
        request,
        status,
        item=error.item,
        reason=error.reason,
        way_out=error.way_out,
        headers=headers,
        extra=(
            {"files": [visible(file) for file in error.files]}
            if isinstance(error, IdentityConflictError)
            else None
        ),
        title=ALTERED if isinstance(error, AlteredError) else "",
    )


def _invalid(request: Request, error: Exception) -> Response:
    """Name the fields that are wrong; never repeat what was sent: it may be of a patient."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found[:10])
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        item="request",
        reason=fields or "is not valid",
        way_out="see /openapi.json",
    )


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return problem(
        request,
        error.status_code,
        item="request",
        reason=str(error.detail),
        headers=error.headers,
    )


def _broken(request: Request, error: Exception) -> Response:
    """Answer a mistake of ours: logged without the request's data, and said plainly."""
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error(
        "%s %s broke: %s\n%s", request.method, _route(request), type(error).__name__, where
    )
    return problem(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        item="service",
        reason=f"a mistake of ours ({type(error).__name__}); nothing was assessed",
        way_out="tell the operator the time of this request",
    )


def _route(request: Request) -> str:
    """Return the pattern of the address, without the ids in it."""
    return getattr(request.scope.get("route"), "path", "unknown address")


def _sentence(shown: Mapping[str, str]) -> str:
    text = f"{shown['item']}: {shown['reason']}"
    return f"{text} ({shown['way_out']})" if shown["way_out"] else text
