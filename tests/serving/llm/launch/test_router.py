"""Replicas behind the real vllm-router, where it is installed."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import httpx
import pytest

from serving.llm.launch.process import Running
from tests.serving.llm.launch.orders import GIB, launched
from tests.serving.llm.launch.test_process import KEY, free_port, program

ROUTER = shutil.which("vllm-router")
_RIGHT = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.skipif(ROUTER is None, reason="vllm-router 0.1.17 is not installed here")
def test_the_router_passes_keys_on_and_outlives_a_killed_replica(tmp_path: Path) -> None:
    path, port, front = program(tmp_path), free_port(), free_port()
    found = launched(
        "smollm2-135m-moe4", cpu=True, ram_bytes=16 * GIB, cores="0|1", replicas=2, port=port,
        router_port=front,
    )  # fmt: skip
    running = Running(
        found,
        key=KEY,
        inherited={**os.environ, "PATH": f"{path}:{os.environ['PATH']}"},
        log=tmp_path / "logs",
    )
    url = f"http://127.0.0.1:{front}/v1/models"

    async def whole() -> None:
        try:
            await running.start()
            await running.ready(40)
            async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                assert (await client.get(url)).status_code == httpx.codes.UNAUTHORIZED
                assert (await client.get(url, headers=_RIGHT)).status_code == httpx.codes.OK
                os.kill(running.pids[0], signal.SIGKILL)
                await _steady(client, url)
        finally:
            await running.stop()

    asyncio.run(asyncio.wait_for(whole(), 100))


async def _steady(client: httpx.AsyncClient, url: str) -> None:
    """Wait until ten requests in a row are answered by the replica that is left."""
    answered = 0
    for _ in range(200):
        try:
            status = (await client.get(url, headers=_RIGHT)).status_code
        except httpx.HTTPError:
            status = 0
        answered = answered + 1 if status == httpx.codes.OK else 0
        if answered == 10:
            return
        await asyncio.sleep(0.2)
    pytest.fail("the router did not settle on the replica that is left")
