"""A scripted HTTP server on 127.0.0.1 that speaks, or mis-speaks, the OpenAI chat API.

For tests of the real client: it can be slow by the byte, drop a connection, never end, be busy
first, ignore the schema, or answer with something else. It answers the paths by which vLLM and
llama.cpp are told apart, so it can pass for either.
"""

import asyncio
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Literal

import orjson

Kind = Literal["vllm", "llama.cpp", "other"]

_MOST_S = 60.0
"""A connection never lives longer, whatever its script says."""
_TURNS = 3
"""Of the loop, until what is being accepted is accepted, and what was aborted is closed."""
_MODEL = "fake-model"
_JSON = "application/json"
_EVENTS = "text/event-stream"


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """One answer.

    Args:
        status: HTTP status.
        content_type: Of the body.
        headers: More headers.
        steps: Bytes to send, seconds to wait, in order.
        drop: Whether the connection is cut after the steps instead of being ended.
        before: Whether it is cut before the head, with no step sent.
    """

    status: int = 200
    content_type: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: Iterable[bytes | float] = ()
    drop: bool = False
    before: bool = False


@dataclass(kw_only=True)
class Received:
    """One request as it came.

    Args:
        method: Of the request.
        path: Of the request.
        headers: With names in small letters.
        body: The JSON; None where there was none.
        left: Set once the client has closed the connection.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    left: asyncio.Event = field(default_factory=asyncio.Event)


def completion(text: str | None, *, finish: str = "stop", **message: Any) -> Scripted:
    """Return a whole reply; `message` adds fields such as ``reasoning_content``."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}}
    body = {
        "object": "chat.completion",
        "choices": [{**choice, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }
    return Scripted(steps=(orjson.dumps(body),))


def streamed(
    pieces: Sequence[str], *, finish: str | None = "stop", done: bool = True, pause_s: float = 0
) -> Scripted:
    """Return a streamed reply, with or without its proper end."""
    steps: list[bytes | float] = []
    for piece in pieces:
        steps += [event({"choices": [{"delta": {"content": piece}, "finish_reason": None}]})]
        steps += [pause_s] if pause_s else []
    if finish is not None:
        steps.append(event({"choices": [{"delta": {}, "finish_reason": finish}]}))
    if done:
        steps.append(b"data: [DONE]\n\n")
    return Scripted(content_type=_EVENTS, steps=tuple(steps))


def refusal(
    status: int, *, retry_after_s: int | None = None, error: Mapping[str, Any] | None = None
) -> Scripted:
    """Return an error answer."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    body = orjson.dumps({"error": dict(error or {"message": "no"})})
    return Scripted(status=status, headers=headers, steps=(body,))


def slow_drip(interval_s: float = 0.02) -> Scripted:
    """Return a reply whose bytes come one at a time and for longer than any test waits."""

    def steps() -> Iterator[bytes | float]:
        yield b'{"choices": ['
        while True:
            yield interval_s
            yield b" "

    return Scripted(steps=steps())


def dropped(*, before: bool = False) -> Scripted:
    """Return a reply that is cut, before its head or in the middle of its body."""
    return Scripted(steps=(b'{"choices": [{"message"',), drop=True, before=before)


def endless(*, stream: bool = False) -> Scripted:
    """Return a reply that goes on as fast as the client reads."""
    if stream:
        piece = event({"choices": [{"delta": {"content": "on and "}, "finish_reason": None}]})
        return Scripted(content_type=_EVENTS, steps=repeat(piece * 64))
    return Scripted(steps=repeat(b" " * 4096))


def page(text: str = "<html>Sign in</html>", *, content_type: str = "text/html") -> Scripted:
    """Return something that is not JSON."""
    return Scripted(content_type=content_type, steps=(text.encode(),))


def event(data: Mapping[str, Any]) -> bytes:
    """Return one server-sent event."""
    return b"data: " + orjson.dumps(data) + b"\n\n"


class Connections:
    """Who is connected to a server of a test; none is left open behind it.

    Args:
        serve: Answers one connection, which is cut when it returns.
    """

    def __init__(
        self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> None:
        self._serve = serve
        self._tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._over = False

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[int]:
        """Listen on 127.0.0.1 while the block lasts, and give the port.

        Args:
            port: 0 for a free one.
        """
        server = await asyncio.start_server(self._accepted, "127.0.0.1", port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for socket in server.sockets:
                asyncio.get_running_loop().remove_reader(socket)
            try:
                await self._end()
            finally:
                server.close()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._over:  # it was being accepted when the server closed
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._answered(reader, writer))
        self._tasks[task] = writer

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        finally:
            writer.transport.abort()

    async def _end(self) -> None:
        self._over = True
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._tasks.values():
            writer.transport.abort()  # a task that never began could not
        for _ in range(_TURNS):  # before the server closes: CPython 3.11 loses what it accepts then
            await asyncio.sleep(0)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault


class FakeServer:
    """A server with a script; use `fake_server`.

    Attributes:
        url: Base address of its API.
        chats: Chat requests received, in order.
        probes: Paths of all other requests, in order.
        model: The one it lists.
    """

    def __init__(self, script: Sequence[Scripted], *, kind: Kind) -> None:
        self.url = ""
        self.chats: list[Received] = []
        self.probes: list[str] = []
        self.model = _MODEL
        self._left = deque(script)
        self._kind = kind
        self._connections = Connections(self._connected)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_MOST_S):
                received = await _received(reader)
                await _send(reader, writer, received, self._answer(received))
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, TimeoutError, asyncio.CancelledError):
            pass  # the client has left, or the test is over: neither is a failure of this server

    def _answer(self, received: Received) -> Scripted:
        if received.path.endswith("/chat/completions"):
            self.chats.append(received)
            return self._left.popleft() if self._left else refusal(500)
        self.probes.append(received.path)
        known: dict[str, Any] = {
            "/v1/models": {"data": [{"id": self.model, "max_model_len": 4096}]}
        }
        if self._kind == "vllm":
            known["/version"] = {"version": "0.32.0"}
            known["/tokenize"] = {"count": 3, "max_model_len": 4096}
        elif self._kind == "llama.cpp":
            known["/props"] = {"default_generation_settings": {"n_ctx": 2048}, "build_info": "b1"}
            known["/tokenize"] = {"tokens": [1, 2, 3, 4]}
        body = known.get(received.path)
        return refusal(404) if body is None else Scripted(steps=(orjson.dumps(body),))

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[None]:
        """Listen on 127.0.0.1 while the block lasts.

        Args:
            port: 0 for a free one.
        """
        async with self._connections.listening(port) as found:
            self.url = f"http://127.0.0.1:{found}/v1"
            yield


@asynccontextmanager
async def fake_server(
    *script: Scripted, kind: Kind = "other", port: int = 0
) -> AsyncIterator[FakeServer]:
    """Give a running server that answers chat requests with the script, then with status 500.

    Args:
        script: Answers to chat requests, in turn.
        kind: Whom it passes for.
        port: 0 for a free one.
    """
    fake = FakeServer(script, kind=kind)
    async with fake.running(port):
        yield fake


async def _received(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    content = await reader.readexactly(int(headers.get("content-length", "0")))
    body = orjson.loads(content) if content else None
    return Received(method=method, path=path, headers=headers, body=body)


async def _send(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    received: Received,
    answer: Scripted,
) -> None:
    if answer.before:
        writer.transport.abort()
        return
    head = {
        "Content-Type": answer.content_type,
        "Transfer-Encoding": "chunked",
        "Connection": "close",
        **answer.headers,
    }
    lines = [f"HTTP/1.1 {answer.status} Scripted", *(f"{k}: {v}" for k, v in head.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    watching = asyncio.create_task(_watch(reader, received))
    try:
        for step in answer.steps:
            if isinstance(step, bytes):
                writer.write(f"{len(step):x}\r\n".encode() + step + b"\r\n")
                await writer.drain()
            else:
                await asyncio.sleep(step)
        if answer.drop:
            writer.transport.abort()
            return
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    except ConnectionError:
        received.left.set()
        raise
    finally:
        watching.cancel()


async def _watch(reader: asyncio.StreamReader, received: Received) -> None:
    """Note when the client leaves: after its request it has nothing more to say."""
    with suppress(ConnectionError):
        await reader.read(1)
        received.left.set()
