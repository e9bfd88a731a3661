"""A server that is killed loses no case; one that is told to end finishes what it does."""

import asyncio
import time

import pytest

from agent.graph.run import AgentOutcome
from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMDownError
from agent.llm.seam import LLM
from tests.agent.graph.test_run import pathway_alone, same_result
from tests.vllm.asking import Watched, asking, long, until, with_client
from tests.vllm.conftest import MEASURED
from tests.vllm.servers import SLOTS, Server
from tests.vllm.test_load import assessed

CASES = ("stemi", "nstemi", "early_presenter", "half_missing")
AGAIN = ("stemi", "nstemi")
"""Those that come after the restart."""
CALL_S, RUN_S = 60.0, 60.0


def answered(done: AgentOutcome) -> int:
    """Return how many calls to the model of a run were answered."""
    return sum(exchange.reply is not None for exchange in done.exchanges)


def failed(done: AgentOutcome) -> list[str]:
    return [exchange.error for exchange in done.exchanges if exchange.error]


def test_killed_and_started_again_under_load_no_case_is_lost(server: Server) -> None:
    """Six cases, two at a time; the server is killed while the first two wait for its answer."""
    ended: dict[str, AgentOutcome] = {}

    async def work(names: list[str], client: LLM) -> None:
        while names:
            name = names.pop(0)
            ended[name] = await assessed(name.partition(" ")[0], client, CALL_S, RUN_S)

    async def use(client: OpenAIChat) -> None:
        await client.connect()
        busy = [
            asyncio.create_task(client.chat(long(f"Busy {number}.", 3000, "routine")))
            for number in range(SLOTS)
        ]
        first, watched = [f"{case} before" for case in CASES], Watched(client)
        workers = [asyncio.create_task(work(first, watched)) for _ in range(2)]
        await until(lambda: watched.waiting == 2, "two cases wait for the model")
        assert not any(task.done() for task in busy)
        began = time.monotonic()
        await asyncio.to_thread(server.kill)
        assert server.health() is None
        for task in busy:
            with pytest.raises(LLMDownError, match="dropped the connection"):
                await task
        await asyncio.to_thread(server.start)
        MEASURED.append(
            f"{server.kind}: killed under load, answering again after "
            f"{time.monotonic() - began:.1f} s"
        )
        await asyncio.gather(*workers)
        second = [f"{case} after" for case in AGAIN]
        await asyncio.gather(*(work(second, client) for _ in range(2)))

    with_client(server, use)
    assert set(ended) == {f"{case} before" for case in CASES} | {f"{case} after" for case in AGAIN}
    expected = {case: pathway_alone(case) for case in CASES}
    for name, done in ended.items():
        assessment = done.outcome.assessment
        same_result(assessment, expected[name.partition(" ")[0]])  # whatever the model did
        assert assessment.agent is not None
        assert assessment.agent.mode in ("with language model", "degraded")
        if assessment.agent.mode == "degraded":
            assert assessment.agent.reason
    told = [reason for name, done in ended.items() if "before" in name for reason in failed(done)]
    assert sum("dropped the connection" in reason for reason in told) >= 2
    assert any(answered(done) > 0 for name, done in ended.items() if "after" in name)


def test_told_to_end_it_finishes_what_it_does_or_says_that_it_broke_off(server: Server) -> None:
    """vLLM drains: its health stays 200 while new requests get 500. llama.cpp ends at once."""

    async def use(client: OpenAIChat) -> None:
        await client.connect()
        pieces: list[str] = []

        async def read() -> None:
            async for piece in client.stream(long("Drain.", 300)):
                pieces.append(piece)

        task = asyncio.create_task(read())
        await until(lambda: len(pieces) > 2, "the reply has begun")
        server.terminate()
        if server.kind != "vllm":
            with pytest.raises(LLMDownError):
                await task
            await asyncio.to_thread(server.wait)
            with pytest.raises(LLMDownError, match="cannot be reached"):
                await client.chat(asking())
            return
        await asyncio.sleep(1)
        with pytest.raises(LLMDownError, match="is shutting down"):
            await client.chat(asking())
        assert not task.done(), "it had nothing to finish"
        assert server.health() == 200
        before = len(pieces)
        await task  # to its end, as told by the server
        assert len(pieces) > before
        seconds = await asyncio.to_thread(server.wait)
        MEASURED.append(f"vllm: ended {seconds:.1f} s after its last reply")
        assert server.health() is None

    with_client(server, use)
