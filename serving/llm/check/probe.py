"""One request at a time to a server that is not yet trusted: bounded in seconds and bytes.

The product's own client (`agent.llm.client`) repeats, mends and hides what differs between servers;
here everything is to be seen, so nothing is repeated and nothing is mended. Keys and prompts stand
in no message.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from agent.llm.address import Address
from serving.llm.check import faults
from serving.llm.check.answer import OK, Answer, Streamed
from serving.llm.check.events import lines_of, taken
from serving.llm.check.faults import FaultError

CONNECT_S = 10.0
GET_S = 15.0
"""Most seconds for what a server tells about itself; it computes nothing for it."""
_MOST_BYTES = 8 << 20
_TEXT = 400
_CONNECTIONS = 512


class Probe:
    """Requests to one endpoint.

    Args:
        where: The endpoint.
        api_key: Sent as a bearer token; never shown.
        timeout_s: Most seconds of one request, connection and last byte included.
        transport: For tests.

    Attributes:
        calls: Requests that were sent.
    """

    def __init__(
        self,
        where: Address,
        api_key: SecretStr | None = None,
        *,
        timeout_s: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.where = where
        self.timeout_s = timeout_s
        self.calls = 0
        self._key = api_key
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=2.0),
            trust_env=not where.loopback,
        )

    def __repr__(self) -> str:
        return f"Probe({self.where.host})"

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def get(self, path: str) -> Answer:
        """Return the answer to a GET of a path below the root, as text where it is no JSON.

        Raises:
            FaultError: No answer.
        """
        base = self.where.root if self.where.root is not None else self.where.api
        url = f"{base}{path}"
        return await self._whole("GET", url, None, self._key, pages=True)

    async def get_api(self, path: str) -> Answer:
        """Return the answer to a GET of a path of the API.

        Raises:
            FaultError: No answer, or none that is JSON.
        """
        return await self._whole("GET", f"{self.where.api}{path}", None, self._key)

    async def post_root(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Return the answer to a POST below the root.

        Raises:
            FaultError: No answer, or none that is JSON.
        """
        return await self._whole("POST", f"{self.where.root}{path}", body, self._key)

    async def chat(self, body: Mapping[str, Any]) -> Answer:
        """Return the answer to a chat request.

        Raises:
            FaultError: No answer, or one with status 200 that is no chat answer.
        """
        return await self.chat_as(body, self._key)

    async def chat_as(self, body: Mapping[str, Any], key: SecretStr | None) -> Answer:
        """Return the answer to a chat request with another key than the configured one.

        Args:
            body: The request.
            key: None for a request without any key.

        Raises:
            FaultError: As `chat`.
        """
        answer = await self._whole("POST", f"{self.where.api}/chat/completions", body, key)
        if answer.ok and not answer.message:
            raise FaultError("another form", "answered in another form than a chat completion")
        return answer

    async def stream(
        self, body: Mapping[str, Any], *, stop_after: int | None = None
    ) -> Streamed:  # fmt: skip
        """Return a streamed answer.

        Args:
            body: The request; ``stream`` is set here.
            stop_after: Leave after so many pieces, closing the connection.

        Raises:
            FaultError: No answer, or none that is a stream of chat chunks.
        """
        content = orjson.dumps({**body, "stream": True})
        start, so_far = time.perf_counter(), Streamed()
        url = f"{self.where.api}/chat/completions"
        async with self._sent("POST", url, content, self._key, self.timeout_s) as answer:
            so_far.status = answer.status_code
            if answer.status_code != OK:
                whole = _read(answer, await _bytes_of(answer), pages=True)
                so_far.error = whole.refusal
            else:
                _require_stream(answer)
                await _events(answer, so_far, start, stop_after)
        so_far.ms = (time.perf_counter() - start) * 1000
        return so_far

    async def _whole(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        key: SecretStr | None,
        *,
        pages: bool = False,
    ) -> Answer:
        content = None if body is None else orjson.dumps(body)
        start = time.perf_counter()
        limit = min(self.timeout_s, GET_S) if method == "GET" else self.timeout_s
        async with self._sent(method, url, content, key, limit) as answer:
            read = await _bytes_of(answer)
        found = _read(answer, read, pages=pages)
        ms = (time.perf_counter() - start) * 1000
        return Answer(status=found.status, data=found.data, text=found.text, ms=ms)

    @asynccontextmanager
    async def _sent(
        self, method: str, url: str, content: bytes | None, key: SecretStr | None, limit_s: float
    ) -> AsyncIterator[httpx.Response]:
        """Give the answer once its head is here; everything within the limit."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key.get_secret_value()}"
        request = self._client.build_request(method, url, content=content, headers=headers)
        answer: httpx.Response | None = None
        self.calls += 1
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._client.send(request, stream=True)
                yield answer
        except TimeoutError as error:
            raise (faults.silent if answer is None else faults.stalled)(limit_s) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise faults.unreachable(_why(error)) from error
        except httpx.HTTPError as error:
            raise faults.dropped(within=answer is not None) from error
        finally:
            if answer is not None:
                await answer.aclose()


async def _bytes_of(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for block in answer.aiter_raw():
        content += block
        if len(content) > _MOST_BYTES:
            raise FaultError("endless", f"sent more than {_MOST_BYTES >> 20} MiB in one answer")
    return bytes(content)


async def _events(
    answer: httpx.Response, so_far: Streamed, start: float, stop_after: int | None
) -> None:
    pending, seen = b"", 0
    async for block in answer.aiter_raw():
        seen += len(block)
        if seen > _MOST_BYTES:
            raise FaultError("endless", f"streamed more than {_MOST_BYTES >> 20} MiB")
        at_ms = (time.perf_counter() - start) * 1000
        lines, pending = lines_of(pending, block)
        for line in lines:
            taken(line, so_far, at_ms)
        if so_far.done or (stop_after is not None and len(so_far.times_ms) >= stop_after):
            return


def _read(answer: httpx.Response, content: bytes, *, pages: bool) -> Answer:
    status = answer.status_code
    if answer.is_redirect:
        raise faults.redirect(status)
    try:
        return Answer(status=status, data=orjson.loads(content))
    except orjson.JSONDecodeError as error:
        text = content[: _TEXT if status != OK else None].decode("utf-8", "replace")
        if pages or status != OK:
            return Answer(status=status, text=text)
        if "html" in answer.headers.get("content-type", "") or text.lstrip().startswith("<"):
            raise faults.page() from error
        raise FaultError("not JSON", "answered with something that is not JSON") from error


def _require_stream(answer: httpx.Response) -> None:
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        return
    if "html" in kind:
        raise faults.page()
    raise FaultError("another form", "did not stream, though it was asked to")


def _why(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {CONNECT_S:g} s"
    words = str(error).lower()
    if "certificate" in words or "ssl" in words:
        return "its certificate or encryption is not accepted"
    if "name or service" in words or "getaddrinfo" in words or "resolution" in words:
        return "its name is not known"
    return "no connection"
