"""``POST /oauth/token``: the one way for a system to get a token."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse

from serving.access.authentication import access_of
from serving.access.oauth.protocol import TokenError, TokenResponse
from serving.access.oauth.service import TOKEN, issue
from serving.openapi import problems
from serving.services import ServicesDep

router = APIRouter(tags=["access"])

_LONGEST = 8192
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@router.post(
    TOKEN,
    response_model=TokenResponse,
    responses={
        **problems(413, 422, 429, 500, 503),
        400: {"model": TokenError, "description": "What was asked for is not given"},
        401: {"model": TokenError, "description": "The assertion is not valid"},
    },
)
def token(
    request: Request,
    services: ServicesDep,
    grant_type: Annotated[str, Form(max_length=100)] = "",
    client_assertion_type: Annotated[str, Form(max_length=200)] = "",
    client_assertion: Annotated[str, Form(max_length=_LONGEST)] = "",
    scope: Annotated[str, Form(max_length=4000)] = "",
) -> JSONResponse:
    """Return a short-lived token for a signed assertion (RFC 7523, SMART backend services)."""
    access = access_of(services)
    made = issue(
        services,
        access,
        grant_type=grant_type,
        assertion_type=client_assertion_type,
        assertion=client_assertion,
        scope=scope,
    )
    if isinstance(made, TokenResponse):
        return JSONResponse(made.model_dump(), headers=_NOT_KEPT)
    access.limits.failed(request)
    services.audit.refused(None, "login", case=None)
    status = 401 if made.error == "invalid_client" else 400
    return JSONResponse(made.model_dump(), status_code=status, headers=_NOT_KEPT)
