"""The server process is started, checked, restarted, and never outlives its parent."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.llm.local.server import Orders
from agent.llm.local.supervisor import LocalServer
from knowledge.errors import UnavailableError
from tests.agent.llm.asking import asking

STAND_IN = Path(__file__).with_name("served.py")
ORDERS = Orders(
    gguf=Path("m.gguf"),
    model="m",
    api_key=SecretStr("sk-very-secret"),
    threads=1,
    context_tokens=2048,
)


def supervised(mode: str, use: Callable[[LocalServer], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        command = (sys.executable, str(STAND_IN), mode)
        server = LocalServer(ORDERS, sha256="ab", command=command, first_pause_s=0.05)
        try:
            return await use(server)
        finally:
            await server.stop()

    return asyncio.run(main())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.is_file() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_started_server_answers_and_is_gone_after_stop() -> None:
    async def use(server: LocalServer) -> int:
        await server.start()
        client = server.client()
        assert (await client.chat(asking())).text == "ok"
        assert client.identity.sha256 == "ab"
        await client.close()
        assert server.pid is not None
        return server.pid

    assert not is_alive(supervised("serves", use))


def test_a_crashed_server_comes_back_at_the_same_address() -> None:
    async def use(server: LocalServer) -> None:
        await server.start()
        url, first = server.url, server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            while server.restarts == 0 or server.pid in (None, first):
                await asyncio.sleep(0.05)
            client = server.client()
            assert server.url == url
            while True:
                try:
                    assert (await client.chat(asking())).text == "ok"
                    break
                except UnavailableError:
                    await asyncio.sleep(0.1)
            await client.close()

    supervised("serves", use)


@pytest.mark.parametrize(
    ("mode", "said"), [("dies", "no such weights"), ("mute", "does not answer")]
)
def test_a_server_that_does_not_come_up_says_why(mode: str, said: str) -> None:
    async def use(server: LocalServer) -> None:
        with pytest.raises(UnavailableError, match=said):
            await server.start()
        assert server.pid is None

    supervised(mode, use)


def test_the_key_is_neither_in_the_arguments_nor_in_the_environment() -> None:
    async def use(server: LocalServer) -> None:
        await server.start()
        process = Path(f"/proc/{server.pid}")
        if not process.is_dir():
            pytest.skip("this system does not show the arguments of a process")
        seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        assert b"very-secret" not in seen
        assert b"OMP_WAIT_POLICY=passive" in seen

    supervised("serves", use)


_PARENT = """
import asyncio, sys
from tests.agent.llm.local.test_supervisor import ORDERS, STAND_IN
from agent.llm.local.supervisor import LocalServer

async def main():
    server = LocalServer(ORDERS, sha256="ab", command=(sys.executable, str(STAND_IN), "serves"))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_the_server_does_not_outlive_a_killed_parent() -> None:
    root = Path(__file__).parents[4]
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, cwd=root, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    until = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(child)
