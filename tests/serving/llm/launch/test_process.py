"""Really starting servers: a program on the PATH that is called like vLLM."""

import asyncio
import json
import socket
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from knowledge.errors import InvalidValueError, UnavailableError
from serving.llm.launch.errors import OrderError, ServerDiedError
from serving.llm.launch.key import ensure_key, read_key
from serving.llm.launch.process import Running
from tests.serving.llm.launch.fake_vllm import PROGRAM
from tests.serving.llm.launch.orders import GIB, launched

KEY = "k-not-a-secret"


def free_port() -> int:
    """Return a port that was free a moment ago, with one more behind it."""
    with socket.socket() as first:
        first.bind(("127.0.0.1", 0))
        return int(first.getsockname()[1])


def program(folder: Path, *, dies: bool = False, silent: bool = False) -> Path:
    """Write the fake and return the folder for the PATH."""
    text = PROGRAM.format(
        python=sys.executable, seen=str(folder / "seen"), dies=dies, silent=silent
    )
    file = folder / "bin" / "vllm"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    file.chmod(0o755)
    return file.parent


def _running(folder: Path, port: int, **fake: bool) -> Running:
    path = program(folder, **fake)
    found = launched("smollm2-135m-moe4", cpu=True, ram_bytes=8 * GIB, cores="0", port=port)
    inherited = {"PATH": f"{path}:/usr/bin:/bin", "EPICRISIS_SECRET": "must not be handed on"}
    return Running(found, key=KEY, inherited=inherited, log=folder / "logs")


def _with(running: Running, then: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        try:
            await running.start()
            await then()
        finally:
            await running.stop()

    asyncio.run(asyncio.wait_for(whole(), 50))


def test_a_server_is_started_found_ready_and_stopped_in_order(tmp_path: Path) -> None:
    port = free_port()
    running = _running(tmp_path, port)
    told: list[str] = []

    async def then() -> None:
        await running.ready(30, told.append)
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{port}/v1/models"
            assert (await client.get(url)).status_code == 401

    _with(running, then)
    assert told == [f"server 0 at http://127.0.0.1:{port}/v1"]
    seen = json.loads((tmp_path / f"seen.{port}").read_text())
    assert seen["argv"][:1] == ["serve"]
    assert KEY not in " ".join(seen["argv"])
    assert seen["environment"]["VLLM_API_KEY"] == KEY
    assert seen["environment"]["HF_HUB_OFFLINE"] == "1"
    assert "EPICRISIS_SECRET" not in seen["environment"]
    assert "ended in order" in (tmp_path / "logs" / "server-0.log").read_text()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_server_that_dies_at_once_is_told_with_its_code(tmp_path: Path) -> None:
    running = _running(tmp_path, free_port(), dies=True)
    with pytest.raises(ServerDiedError, match="ended with 7"):
        _with(running, lambda: running.ready(30))


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    running = _running(tmp_path, free_port(), silent=True)
    with pytest.raises(ServerDiedError, match="did not list its model within 1 s"):
        _with(running, lambda: running.ready(1))


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = launched("smollm2-135m-moe4", cpu=True, ram_bytes=8 * GIB, cores="0")
    running = Running(found, key=KEY, inherited={"PATH": str(tmp_path)}, log=tmp_path / "logs")
    with pytest.raises(UnavailableError, match="vllm: cannot be started"):
        asyncio.run(running.start())


def test_nodes_are_not_started_from_here(tmp_path: Path) -> None:
    found = launched("deepseek-v3", gpus=16, nodes=2)
    with pytest.raises(OrderError, match="started on each of them"):
        Running(found, key=KEY, inherited={}, log=tmp_path)


# ---- the key ----


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "llm.env"
    assert ensure_key(file) is True
    key = read_key(file)
    assert len(key) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ensure_key(file) is False
    assert read_key(file) == key


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "llm.env"
    file.write_text("VLLM_API_KEY=abc\n")
    file.chmod(0o644)
    with pytest.raises(InvalidValueError, match="others than its owner") as caught:
        read_key(file)
    assert "abc" not in str(caught.value)


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "llm.env"
    file.write_text("OTHER=abc\nVLLM_API_KEY=\n")
    file.chmod(0o600)
    with pytest.raises(InvalidValueError, match="has no line VLLM_API_KEY"):
        ensure_key(file)
