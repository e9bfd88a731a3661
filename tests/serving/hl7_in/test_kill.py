"""A process killed while a client sends: what was acknowledged is there, the rest is resent."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serving.hl7_in.store import MessageStore
from serving.storage.database import Database
from tests.serving.hl7_in.listening import Address, client
from tests.tools.intake.hl7v2.messages import obx, oru

COMMAND = "import typer; from serving.commands import hl7; a = typer.Typer(); hl7.register(a); a()"
"""The command itself, also where the package was installed before it had one."""

SENDERS = 4
EACH = 40


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Address]]:
    """A listener as an operator starts it."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "EPICRISIS_DATA_DIR": str(folder),
        "EPICRISIS_LLM": "none",
    }
    command = [sys.executable, "-c", COMMAND, "hl7", "listen", "--port", "0"]
    running = subprocess.Popen(  # noqa: S603 - this program
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert running.stdout is not None
        line = next((w for w in running.stdout if "HL7 v2" in w), "")
        found = re.search(r"on (\S+):(\d+)$", line.strip())
        assert found is not None, line
        yield running, Address(found[1], int(found[2]))
    finally:
        if running.poll() is None:
            running.kill()
        running.wait(20)
        if running.stdout is not None:
            running.stdout.close()


async def send(at: Address, names: list[str], acknowledged: set[str]) -> None:
    """Send until all are acknowledged or the connection breaks."""
    try:
        async with client(at) as peer:
            for name in names:
                answer = await peer.send(oru(obx("12"), control=name))
                assert (answer.code, answer.control_id) == ("AA", name)
                acknowledged.add(name)
    except (ConnectionError, asyncio.IncompleteReadError, OSError):
        return


def kept(folder: Path) -> set[str]:
    database = Database(f"sqlite:///{folder / 'epicrisis.sqlite3'}")
    try:
        store = MessageStore(database, clock=lambda: datetime.now(UTC))
        states = ("received", "filed", "held", "waiting")
        return {one.control_id for s in states for one in store.listed(s, limit=10_000)}
    finally:
        database.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_by_a_kill(seed: int, tmp_path: Path) -> None:
    names = {s: [f"S{s}-{n}" for n in range(EACH)] for s in range(SENDERS)}
    after = random.Random(seed).randint(5, SENDERS * EACH // 2)  # noqa: S311 - when to kill
    acknowledged: set[str] = set()

    async def until_killed(running: subprocess.Popen[str], at: Address) -> None:
        tasks = [asyncio.create_task(send(at, n, acknowledged)) for n in names.values()]
        while len(acknowledged) < after:
            await asyncio.sleep(0.001)
        running.send_signal(signal.SIGKILL)
        await asyncio.gather(*tasks)

    async def rest(at: Address) -> None:
        await asyncio.gather(*(send(at, n, acknowledged) for n in names.values()))

    with process(tmp_path) as (running, at):
        asyncio.run(until_killed(running, at))
    before = set(acknowledged)
    assert after <= len(before) < SENDERS * EACH
    assert before <= kept(tmp_path)
    with process(tmp_path) as (_, at):
        asyncio.run(rest(at))  # every message again: what was acknowledged is taken once
    everything = {name for listed in names.values() for name in listed}
    assert acknowledged == everything
    assert kept(tmp_path) == everything


def test_a_stop_by_signal_ends_well(tmp_path: Path) -> None:
    async def one(at: Address) -> None:
        found: set[str] = set()
        await send(at, ["M1"], found)
        assert found == {"M1"}

    with process(tmp_path) as (running, at):
        asyncio.run(one(at))
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    assert kept(tmp_path) == {"M1"}
