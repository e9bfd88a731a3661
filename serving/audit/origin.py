"""Of which request an event is: its id and where it came from, for every event within it."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
_TAKEN = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a request came from.

    Args:
        trace: Its id: the one it was sent with, where that has a plain form, else one made here.
        address: Network address of who called, as the connection says.
        asked: Method and path with the query string, as audited for searches.
    """

    trace: str
    address: str
    asked: str


_CURRENT: ContextVar[Origin | None] = ContextVar("epicrisis_origin", default=None)


def current() -> Origin | None:
    """Return where the request at hand came from; None outside of a request."""
    return _CURRENT.get()


@contextmanager
def within(origin: Origin) -> Iterator[None]:
    """Let every event within be of this origin."""
    token = _CURRENT.set(origin)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class OriginMiddleware:
    """Notes the origin of each request and answers with its id in ``X-Request-Id``.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its origin."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = _origin(scope)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = (HEADER.encode(), origin.trace.encode())
                others = [h for h in message.get("headers", ()) if h[0].lower() != own[0]]
                message["headers"] = [*others, own]
            await send(message)

        with within(origin):
            await self._app(scope, receive, named)


def install(app: FastAPI) -> None:
    """Note the origin of every request to an application."""
    app.add_middleware(OriginMiddleware)


def _origin(scope: Mapping[str, object]) -> Origin:
    headers = scope.get("headers")
    sent = ""
    if isinstance(headers, list | tuple):
        found = [value for key, value in headers if key.lower() == HEADER.encode()]
        sent = found[0].decode("latin-1") if found else ""
    client = scope.get("client")
    query = scope.get("query_string")
    asked = f"{scope.get('method', '')} {scope.get('path', '')}"
    if isinstance(query, bytes) and query:
        asked += "?" + query.decode("latin-1")
    return Origin(
        trace=sent if _TAKEN.fullmatch(sent) else secrets.token_hex(_BYTES),
        address=str(client[0]) if isinstance(client, list | tuple) and client else "unknown",
        asked=asked,
    )
