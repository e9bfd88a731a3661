"""One HTTP exchange with a language model: bounded in bytes, repeated only where that can help.

What is repeated: a connection that was refused before any byte was sent, "busy" (429, 503), and
"shutting down", which vLLM says with 500 while its health is still 200: on a new connection, which
a balancer may give to another replica. An answer that is wrong is not asked for again. Messages
name the host and the status, never what was sent or received: both carry patient data.
"""

import asyncio
import http.cookiejar
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from agent.llm.address import Address
from agent.llm.dialect import too_long
from agent.llm.errors import (
    LLMBudgetError,
    LLMBusyError,
    LLMDownError,
    LLMKeyError,
    LLMMalformedError,
    LLMUnreachableError,
)
from knowledge.errors import InvalidValueError

_CONNECT_S = 10.0
_IDLE_S = 2.0
"""A kept connection is dropped after this; the llama.cpp server drops it after 5 s."""
_BUSY = (429, 503)
_SHUTTING_DOWN = b"after shutdown"
"""In the message of a 500 of vLLM 0.32 that was told to end: ``cannot schedule new futures ...``"""
_FAILED, _NOT_BUILT = 500, 501
REPEATS = 2
"""Times a refused connection or a busy answer is tried again, where there is no other server."""
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0
_ERROR_BYTES = 64 << 10


class RefusedRequestError(LLMDownError):
    """The server refused the request as such (400, 413, 422): perhaps for its schema."""


_REFUSES = (401, 429, 503)
"""Of a path that is needed: gateways answer others, for example 403, for paths they do not have."""


class _ShuttingDownError(Exception):
    """The server is ending and takes no new work."""


class Wire:
    """Connections to one endpoint.

    Args:
        where: The endpoint.
        api_key: Sent as a bearer token; never shown.
        repeats: Times a refused connection or a busy answer is tried again; 0 where the caller has
            another server to ask.
        transport: For tests.

    Raises:
        InvalidValueError: The key has characters that no header may have.
    """

    def __init__(
        self,
        where: Address,
        api_key: SecretStr | None,
        *,
        repeats: int = REPEATS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._repeats = repeats
        self._where = where
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if api_key is not None:
            key = api_key.get_secret_value()
            if not (key.isascii() and key.isprintable()):
                raise InvalidValueError(
                    f"key of {self._item}", "has characters that no header may have",
                    "give the key as the server knows it",
                )  # fmt: skip
            self._headers["Authorization"] = f"Bearer {key}"
        keeps_none = http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(None, connect=_CONNECT_S),
            # How many are in flight is for who asks: a queue here would know no urgency.
            limits=httpx.Limits(max_connections=None, keepalive_expiry=_IDLE_S),
            trust_env=not where.loopback,  # a proxy is never asked for this machine
            cookies=http.cookiejar.CookieJar(keeps_none),
        )

    def __repr__(self) -> str:
        return f"Wire({self._where.host})"

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def ask(self, url: str, *, needed: bool = False) -> Any:
        """Return the JSON of a GET, or None where the server does not know the path.

        Args:
            url: What.
            needed: Whether a refusal is one; else it is taken for a path that is not known, as
                gateways give it for what is not of the OpenAI API.

        Raises:
            LLMDownError: The server cannot be reached, or refuses what is needed.
        """
        async with self._sent("GET", url, None) as answer:
            status = answer.status_code
            if needed and (status in _REFUSES or (status >= _FAILED and status != _NOT_BUILT)):
                await self._raise_for(answer)
            content = await _bounded(answer, _ERROR_BYTES * 16, self._item)
        if answer.status_code != httpx.codes.OK:
            return None
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            return None  # some gateways answer unknown paths with a page

    async def post(self, url: str, body: Mapping[str, Any], *, most_bytes: int) -> Any:
        """Return the JSON of a POST.

        Raises:
            LLMDownError: Not reachable, refused, or dropped.
            LLMBudgetError: The prompt does not fit into the model's context.
            LLMMalformedError: Not JSON, or longer than `most_bytes`.
            RefusedRequestError: The request as such was refused.
        """
        async with self._sent("POST", url, body) as answer:
            await self._raise_for(answer)
            content = await _bounded(answer, most_bytes, self._item)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise LLMMalformedError(self._item, "answered something that is not JSON") from error

    @asynccontextmanager
    async def events(
        self, url: str, body: Mapping[str, Any], *, most_bytes: int
    ) -> AsyncIterator[AsyncIterator[Any]]:
        """Give the JSON of each server-sent event of a POST; None for the closing ``[DONE]``.

        Raises as `post`, on entry or while the events are read.
        """
        async with self._sent("POST", url, body) as answer:
            await self._raise_for(answer)
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                raise LLMMalformedError(self._item, "did not stream, though it was asked to")
            yield _events(answer, most_bytes, self._item)

    @property
    def _item(self) -> str:
        return f"language model at {self._where.host}"

    @asynccontextmanager
    async def _sent(
        self, method: str, url: str, body: Mapping[str, Any] | None
    ) -> AsyncIterator[httpx.Response]:
        """Give the answer once its head is here; repeat where that can help.

        Raises:
            LLMDownError: Not reachable, or dropped; also where this was closed, as the pool does
                with a client that it has replaced.
        """
        content = None if body is None else self._written(body)
        try:
            answer = await self._send_repeatedly(method, url, content)
        except _ShuttingDownError as error:
            raise LLMDownError(self._item, "is shutting down (500)", "try again later") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise LLMUnreachableError(self._item, "cannot be reached", "is it running?") from error
        except httpx.HTTPError as error:
            raise LLMDownError(
                self._item, "dropped the connection before its reply", "is it running?"
            ) from error
        try:
            yield answer
        except httpx.HTTPError as error:
            raise LLMDownError(self._item, "dropped the connection within its reply") from error
        finally:
            await answer.aclose()

    def _written(self, body: Mapping[str, Any]) -> bytes:
        try:
            return orjson.dumps(body)
        except (TypeError, ValueError) as error:  # half a character, a number beyond 64 bits
            raise RefusedRequestError(self._item, "the request cannot be written as JSON") from (
                error
            )

    async def _send_repeatedly(
        self, method: str, url: str, content: bytes | None
    ) -> httpx.Response:  # fmt: skip
        for repeat in range(self._repeats + 1):
            wait = _FIRST_WAIT_S * 2**repeat
            if self._client.is_closed:
                raise LLMDownError(self._item, "its client was closed", "open a new one")
            request = self._client.build_request(
                method, url, content=content, headers=self._headers
            )
            try:
                answer = await self._client.send(request, stream=True)
                if content is not None and answer.status_code == _FAILED:
                    await _raise_if_ending(answer)
            except (httpx.ConnectError, httpx.ConnectTimeout, _ShuttingDownError):
                if repeat == self._repeats:
                    raise
            else:
                if answer.status_code not in _BUSY or repeat == self._repeats:
                    return answer
                wait = max(_retry_after(answer, wait), _FIRST_WAIT_S)
                if wait > _LONGEST_WAIT_S:
                    return answer
                await answer.aclose()
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def _raise_for(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status == httpx.codes.OK:
            return
        if status in _BUSY:
            said = answer.headers.get("retry-after", "")
            after = float(said) if said.isdecimal() else None
            raise LLMBusyError(
                self._item, f"is busy ({status})", "try again later", retry_after_s=after
            )
        if status in (401, 403):
            raise LLMKeyError(
                self._item, f"refused the key ({status})", "check EPICRISIS_LLM_API_KEY"
            )
        if status == httpx.codes.NOT_FOUND:
            raise LLMDownError(
                self._item, "has no such model or path (404)",
                "check EPICRISIS_LLM_URL and EPICRISIS_LLM_MODEL",
            )  # fmt: skip
        if status in (400, 413, 422):
            if too_long(_json_or_none(await _bounded(answer, _ERROR_BYTES, self._item))):
                raise LLMBudgetError(self._item, "the prompt is longer than its context")
            raise RefusedRequestError(self._item, f"refused the request ({status})")
        raise LLMDownError(self._item, f"answered with status {status}")


async def _raise_if_ending(answer: httpx.Response) -> None:
    """Raise if a failure says that the server is ending.

    Only the first block is read, so that the connection is not used again.
    """
    block = await anext(answer.aiter_raw(), b"")
    if _SHUTTING_DOWN in block:
        await answer.aclose()
        raise _ShuttingDownError


async def _bounded(answer: httpx.Response, most_bytes: int, item: str) -> bytes:
    content = bytearray()
    async for block in answer.aiter_raw():
        content += block
        if len(content) > most_bytes:
            raise LLMMalformedError(item, f"sent more than {most_bytes} bytes")
    return bytes(content)


async def _events(answer: httpx.Response, most_bytes: int, item: str) -> AsyncIterator[Any]:
    """Yield events; a line is only decoded when whole, and no line can be endless."""
    pending, seen = b"", 0
    async for block in answer.aiter_raw():
        seen += len(block)
        if seen > most_bytes:
            raise LLMMalformedError(item, f"sent more than {most_bytes} bytes")
        *lines, pending = (pending + block).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line[5:].strip()
            if data == b"[DONE]":
                yield None
                return
            try:
                yield orjson.loads(data)
            except orjson.JSONDecodeError as error:
                raise LLMMalformedError(item, "streamed something that is not JSON") from error


def _retry_after(answer: httpx.Response, otherwise: float) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isdecimal() else otherwise


def _json_or_none(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
