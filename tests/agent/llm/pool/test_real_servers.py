"""Two real llama.cpp servers of SmolLM2: one is killed under load, and no request is lost."""

import asyncio
import os
import secrets
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.llm.errors import LLMBudgetError
from agent.llm.local.gguf import weights_folder
from agent.llm.local.server import Orders
from agent.llm.local.supervisor import LocalServer
from agent.llm.pool.breaker import State
from agent.llm.pool.caller import Caller
from agent.llm.pool.pool import Pool
from agent.llm.pool.pooled import PooledLLM
from knowledge.packaged_weights import present, weights
from knowledge.settings import load_settings
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import over_http, pool_file

MODEL = "smollm2-135m-instruct-q4_1"


def weights_file() -> Path:
    if find_spec("xllamacpp") is None:
        pytest.skip("the extra local-llm is not installed")
    folder = present(weights(MODEL), cache=weights_folder(load_settings()))
    if folder is None:
        pytest.skip(f"the weights of {MODEL} are not here")
    return folder / weights(MODEL).files[0].name


def server(file: Path) -> LocalServer:
    orders = Orders(
        gguf=file,
        model=MODEL,
        api_key=SecretStr(secrets.token_urlsafe(8)),
        threads=1,
        context_tokens=1024,
    )
    return LocalServer(orders, sha256=weights(MODEL).files[0].sha256, first_pause_s=1.0)


def row(name: str, of: LocalServer, folder: Path) -> dict[str, object]:
    key = folder / f"{name}.key"
    key.write_text(of.orders.api_key.get_secret_value())
    return {
        "name": name,
        "url": of.url,
        "model": MODEL,
        "at_once": 1,
        "answer_s": 60,
        "api_key_file": key,
    }


def test_a_real_server_killed_under_load_loses_no_request_and_is_found_again(
    tmp_path: Path,
) -> None:
    file = weights_file()

    async def main() -> None:
        servers = (server(file), server(file))
        try:
            for one in servers:
                await one.start()
            rows = [row(f"s{i}", one, tmp_path) for i, one in enumerate(servers)]
            pool = Pool(pool_file(*rows, breaker={"failures": 1, "open_s": 0.5}), over_http)
            done: list[str] = []

            async def ask(n: int) -> None:
                llm = PooledLLM(pool, Caller(case=f"case-{n}", conversation=f"run-{n}"))
                said = f"{n}. Count from one to ten in words."
                reply = await llm.chat(asking(said, timeout_s=120, max_tokens=8))
                assert reply.text.strip()
                assert reply.model is not None
                assert reply.model.name == MODEL
                assert reply.notice == ""
                done.append(reply.backend)

            tasks = [asyncio.create_task(ask(n)) for n in range(8)]
            while len(done) < 2:
                await asyncio.sleep(0.02)
            pid = servers[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await asyncio.gather(*tasks)
            assert len(done) == 8
            assert pool.backends["s0"].failures >= 1
            pool.watch()  # its supervisor has started it again, at the same address
            async with asyncio.timeout(60):
                while pool.backends["s0"].breaker.state(pool.clock()) is not State.CLOSED:
                    await asyncio.sleep(0.1)
            with pytest.raises(LLMBudgetError):
                await PooledLLM(pool).chat(asking("pain " * 2000, timeout_s=60))
            states = {b.breaker.state(pool.clock()) for b in pool.backends.values()}
            assert states == {State.CLOSED}
            await pool.close()
        finally:
            for one in servers:
                await one.stop()

    asyncio.run(main())
