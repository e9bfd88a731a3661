"""OpenAI's shape of an error, and the requests that are refused in it."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from knowledge.errors import EpicrisisError, InputError
from knowledge.plain_text import visible
from serving.access.errors import TooManyError, UnauthenticatedError
from serving.problem import status_of

_CODE = {
    400: "invalid_request",
    401: "invalid_api_key",
    403: "permission_denied",
    404: "model_not_found",
    409: "conflict",
    413: "request_too_large",
    422: "invalid_value",
    429: "rate_limit_exceeded",
    503: "service_unavailable",
}
_TYPE = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class RefusedParameterError(InputError):
    """A parameter of the request is not supported; it is refused, never overlooked.

    Args:
        parameter: Its name.
        reason: Why it is refused.
        code: OpenAI's code.
    """

    def __init__(self, parameter: str, reason: str, *, code: str = "unsupported_parameter") -> None:
        super().__init__(parameter, reason, "leave it out")
        self.code = code


class OpenAIRoute(APIRoute):
    """A route whose errors are OpenAI's, also those of its dependencies."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route, with its errors answered."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except RefusedParameterError as error:
                return refusal(HTTPStatus.BAD_REQUEST, error, param=error.item, code=error.code)
            except EpicrisisError as error:
                return refusal(status_of(error), error)
            except RequestValidationError as error:
                return _invalid(error)
            except HTTPException as error:
                return shaped(error.status_code, str(error.detail), headers=error.headers)

        return answered


def shaped(
    status: int,
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    headers: Any = None,
) -> Response:
    """Return an error as OpenAI's clients read it."""
    content = {"error": error_body(status, message, param=param, code=code)}
    return JSONResponse(content, status_code=status, headers=dict(headers or {}))


def error_body(
    status: int, message: str, *, param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """Return the object that stands under ``error``."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return {
        "message": visible(message),
        "type": _TYPE.get(status, kind),
        "param": param,
        "code": code or _CODE.get(status, "error"),
    }


def refusal(
    status: HTTPStatus, error: EpicrisisError, *, param: str | None = None, code: str | None = None
) -> Response:
    """Return one of our errors in OpenAI's shape."""
    headers: dict[str, str] = {}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(error.retry_after_s)
    return shaped(status, str(error), param=param, code=code, headers=headers)


def _invalid(error: RequestValidationError) -> Response:
    """Name the first field that is wrong; never repeat what was sent."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part != "body"]
    param = ".".join(place) or None
    unknown = first["type"] == "extra_forbidden"
    message = (
        f"{param} is not a parameter that is supported here"
        if unknown
        else f"{param or 'request'}: {first['msg']}"
    )
    code = "unknown_parameter" if unknown else "invalid_value"
    return shaped(HTTPStatus.BAD_REQUEST, message, param=param, code=code)
