"""How large a request may be and how slowly it may come, before anything reads it.

An upload is taken up only from somebody who is known: nobody else can fill the disk.
"""

import asyncio
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from knowledge.errors import EpicrisisError
from knowledge.settings import Settings
from serving.access.authentication import Authenticator
from serving.access.errors import UnauthenticatedError
from serving.problem import answer_to, problem
from serving.services import services_of

_MIB = 1024 * 1024
_FORM_BYTES = _MIB
"""Of a form without files: answers, reasons, chat; the longest text field is far below."""

_HEADS_BYTES = 2 * _MIB
"""Part headers of an upload, beside its files."""

_UPLOAD = "multipart/form-data"
_FORM = "application/x-www-form-urlencoded"


class BodyLimits:
    """Holds every request to its size and its pace.

    Args:
        app: What is guarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        settings = services_of(request).settings
        most = _most(request, settings)
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal():
            await _refused(request, HTTPStatus.BAD_REQUEST, "has no valid length")(
                scope, receive, send
            )
            return
        if int(declared) > most:
            await _refused(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _over(most))(
                scope, receive, send
            )
            return
        if _kind(request) == _UPLOAD and not await _is_known(request):
            await answer_to(request, UnauthenticatedError())(scope, receive, send)
            return
        await self._app(scope, _Counted(receive, most, settings.body_timeout_s), send)


class _Counted:
    """The body of a request, up to a number of bytes and with no long silence in it."""

    def __init__(self, receive: Receive, most: int, silence_s: float) -> None:
        self._receive = receive
        self._left = most
        self._most = most
        self._silence_s = silence_s
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()  # waits for the browser to go away, however long
        try:
            message = await asyncio.wait_for(self._receive(), self._silence_s)
        except TimeoutError as error:
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "comes too slowly") from error
        self._complete = not message.get("more_body", False)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _over(self._most))
        return message


def install(app: FastAPI) -> None:
    """Hold every request of the application to its limits."""
    app.add_middleware(BodyLimits)


async def _is_known(request: Request) -> bool:
    """Return whether the sender of an upload is somebody; what they may do is asked later."""
    authenticate = services_of(request).authenticate
    if not isinstance(authenticate, Authenticator):
        return True
    try:
        return await run_in_threadpool(authenticate.knows, request)
    except EpicrisisError:
        return True  # the guard of the endpoint meets the same failure and answers it


def _most(request: Request, settings: Settings) -> int:
    kind = _kind(request)
    if kind == _UPLOAD:
        return settings.max_case_mib * _MIB + _HEADS_BYTES
    return _FORM_BYTES if kind == _FORM else settings.max_body_mib * _MIB


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _over(most: int) -> str:
    return f"is over {most // _MIB} MiB"


def _refused(request: Request, status: HTTPStatus, reason: str) -> ASGIApp:
    return problem(request, status, item="request", reason=reason, way_out="send less at once")
