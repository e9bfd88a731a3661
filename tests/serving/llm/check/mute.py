"""A server that accepts connections and never answers: every request, or chat requests only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.llm.fake_server import Connections

_MOST_S = 30.0
_KNOWN = {
    "/health": b"{}",
    "/version": b'{"version": "0.32.0"}',
    "/v1/models": b'{"data": [{"id": "m", "max_model_len": 4096}]}',
}


@asynccontextmanager
async def mute(*, at_chats_only: bool) -> AsyncIterator[str]:
    """Give the address of such a server."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_MOST_S):
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                if (path not in _KNOWN and path.startswith("/v1/")) or not at_chats_only:
                    await asyncio.sleep(_MOST_S)
                body = _KNOWN.get(path)
                status = b"404 No" if body is None else b"200 OK"
                body = body or b"{}"
                size = str(len(body)).encode()
                writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: " + size)
                writer.write(b"\r\nConnection: close\r\n\r\n" + body)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass  # the client has left, or the test is over

    async with Connections(connected).listening() as port:
        yield f"http://127.0.0.1:{port}/v1"
