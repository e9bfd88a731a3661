"""The body of a request, read once, bounded, and checked as strict JSON."""

from typing import TypeVar

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from knowledge.errors import InvalidValueError, TooLargeError
from serving.services import services_of

M = TypeVar("M", bound=BaseModel)
_MIB = 1024 * 1024


async def read_body(request: Request, model: type[M]) -> M:
    """Return the body of a request.

    Raises:
        TooLargeError: Over `Settings.max_body_mib`; the rest is not read.
        InvalidValueError: Not JSON.
        RequestValidationError: Not what was asked for.
    """
    most = services_of(request).settings.max_body_mib * _MIB
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > most:
                raise TooLargeError(
                    "request",
                    f"over {most // _MIB} MiB",
                    "send a prefetch of the queries asked for",
                )
    except ClientDisconnect as error:
        raise InvalidValueError("request", "was cut off by who sent it", "send it again") from error
    try:
        return model.model_validate(orjson.loads(content))
    except orjson.JSONDecodeError as error:
        raise InvalidValueError("request", "is not JSON", "send application/json") from error
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_context=False, include_input=False)
        ) from error
