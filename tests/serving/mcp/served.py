"""A real server in its own process, and a real client of the protocol's package."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from mcp import StdioServerParameters
from mcp.client.client import Client

T = TypeVar("T")
START = "import typer; from serving.commands.mcp import mcp; typer.run(mcp)"
LIMIT_S = 60
ROOT = Path(__file__).parents[3]


def over_stdio(
    talk: Callable[[Client], Awaitable[T]], *options: str, data: Path, mode: str = "auto"
) -> T:
    """Return what `talk` returns with a server process of its own."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-c", START, *options],
        env={"EPICRISIS_DATA_DIR": str(data)},
        cwd=ROOT,
    )
    return run(talk, server, mode=mode)


def run(talk: Callable[[Client], Awaitable[T]], server: object, *, mode: str = "auto") -> T:
    """Return what `talk` returns over a transport, within the time limit."""

    async def bounded() -> T:
        async with Client(server, mode=mode, read_timeout_seconds=LIMIT_S) as client:  # type: ignore[arg-type]
            return await talk(client)

    async def limited() -> T:
        return await asyncio.wait_for(bounded(), LIMIT_S)

    return asyncio.run(limited())


@contextmanager
def over_http(*options: str, data: Path, token: str | None = None) -> Iterator[int]:
    """Run a server on a free port of the loopback interface, and stop it; yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "EPICRISIS_DATA_DIR": str(data)}
    if token is not None:
        environment["MCP_TEST_TOKEN"] = token
        options = (*options, "--token-env", "MCP_TEST_TOKEN")
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        [sys.executable, "-c", START, "--transport", "http", "--port", str(port), *options],
        env=environment,
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server did not start in time")
