"""A replica that is killed under load: no request is lost, and it is found again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from agent.llm.pool.breaker import State
from agent.llm.pool.caller import Caller
from agent.llm.pool.pool import Pool
from agent.llm.pool.pooled import PooledLLM
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import over_http, pool_file
from tests.data_folder import ROOT

_SCRIPT = Path(__file__).with_name("replica.py")


@asynccontextmanager
async def replica(seconds: float) -> AsyncIterator[tuple[int, str]]:
    """Give process id and address of a replica."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(_SCRIPT),
        str(seconds),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        yield process.pid, url
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def test_a_replica_killed_under_load_loses_no_request() -> None:
    async def main() -> None:
        async with replica(0.05) as (first, one), replica(0.05) as (_, two):
            rows = ({"name": "r1", "url": one, "model": "fake-model", "at_once": 4},
                    {"name": "r2", "url": two, "model": "fake-model", "at_once": 4})  # fmt: skip
            pool = Pool(pool_file(*rows, breaker={"open_s": 60}), over_http)
            done: list[str] = []

            async def ask(n: int) -> str:
                llm = PooledLLM(pool, Caller(case=f"case-{n}", conversation=f"run-{n}"))
                reply = await llm.chat(asking(f"question {n}", timeout_s=30))
                done.append(reply.backend)
                assert reply.notice == ""
                return reply.text

            tasks = [asyncio.create_task(ask(n)) for n in range(60)]
            while len(done) < 10:
                await asyncio.sleep(0.01)
            assert set(done) == {"r1", "r2"}
            os.kill(first, signal.SIGKILL)
            assert await asyncio.gather(*tasks) == ["ok"] * 60
            assert pool.backends["r1"].breaker.state(pool.clock()) is State.OPEN
            assert set(done[-20:]) == {"r2"}
            assert all(backend.in_flight == 0 for backend in pool.backends.values())
            await pool.close()

    asyncio.run(main())


def test_a_server_that_is_stopped_and_goes_on_is_left_and_found_again() -> None:
    """SIGSTOP: it accepts connections and answers nothing; SIGCONT: it answers again."""

    async def main() -> None:
        async with replica(0.0) as (first, one), replica(0.0) as (_, two):
            rows = ({"name": "r1", "url": one, "model": "fake-model", "answer_s": 0.4},
                    {"name": "r2", "url": two, "model": "fake-model", "priority": 2})  # fmt: skip
            file = pool_file(
                *rows,
                breaker={"failures": 2, "open_s": 0.2, "longest_open_s": 0.2},
                health={"every_s": 0.1, "answer_s": 0.4},
            )
            pool = Pool(file, over_http)
            llm = PooledLLM(pool)
            assert (await llm.chat(asking())).backend == "r1"
            pool.watch()
            os.kill(first, signal.SIGSTOP)
            try:
                replies = [await llm.chat(asking(timeout_s=20)) for _ in range(5)]
                assert {reply.backend for reply in replies} == {"r2"}
            finally:
                os.kill(first, signal.SIGCONT)
            async with asyncio.timeout(20):
                while (await llm.chat(asking(timeout_s=20))).backend != "r1":
                    await asyncio.sleep(0.1)
            await pool.close()

    asyncio.run(main())
