"""Under load: who is cancelled, who comes first, who is refused, and what the product says then."""

import asyncio
import time
from pathlib import Path

import pytest

from agent.graph.checkpoints import open_checkpoints
from agent.graph.request import Budget, Session
from agent.graph.run import AgentOutcome, start_run
from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMDownError
from agent.llm.seam import LLM
from knowledge.settings import Settings
from tests.agent.graph.scripts import session
from tests.agent.graph.test_run import pathway_alone, same_result
from tests.vllm.asking import asking, idle, long, until, with_client
from tests.vllm.servers import IN_FLIGHT, SLOTS, Server, Vllm


async def assessed(case: str, client: LLM, timeout_s: float, run_s: float = 300.0) -> AgentOutcome:
    """Return the outcome of an agent's run of an example with the model."""
    made: Session = session(case, client, budget=Budget(llm_seconds=run_s))
    made.settings = Settings(data_dir=Path("nowhere"), llm_timeout_s=timeout_s)
    async with open_checkpoints("memory") as checkpoints:
        return await start_run(made, checkpoints)


def stop(tasks: list[asyncio.Task[float]]) -> None:
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize("streamed", [True, False], ids=["a stream", "a whole reply"])
def test_what_is_cancelled_frees_its_place(server: Server, streamed: bool) -> None:
    """A reply of 3000 tokens is left after a second; the next does not wait for the rest of it."""

    async def use(client: OpenAIChat) -> None:
        request = long("Count.", 3000)

        async def read() -> None:
            if streamed:
                async for _ in client.stream(request):
                    pass
            else:
                await client.chat(request)

        await client.connect()
        task = asyncio.create_task(read())
        await asyncio.sleep(1.5)
        assert not task.done(), "it was over before it could be cancelled"
        began = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if isinstance(server, Vllm):
            await until(lambda: idle(server), "vLLM works on what nobody waits for", 5)
        await client.chat(asking(max_tokens=4))
        assert time.monotonic() - began < 8  # all of it takes several times as long

    with_client(server, use)


def test_an_emergency_overtakes_batch_work_where_the_server_can_order(server: Server) -> None:
    """The places are taken, four pieces of batch work wait, then the emergency comes."""

    async def use(client: OpenAIChat) -> None:
        await client.connect()
        ended: list[str] = []

        async def ask(name: str, tokens: int, urgency: str) -> float:
            await client.chat(long(name, tokens, urgency))  # type: ignore[arg-type]
            ended.append(name)
            return time.monotonic()

        tasks = [asyncio.create_task(ask(f"runs {n}", 160, "batch")) for n in range(SLOTS)]
        await _working(server, SLOTS)
        for number in range(4):
            tasks.append(asyncio.create_task(ask(f"waits {number}", 40, "batch")))
            await asyncio.sleep(0.2)  # so that they come in this order
        if isinstance(server, Vllm):
            await until(lambda: server.metric("num_requests_waiting") == 4, "four wait")
        tasks.append(asyncio.create_task(ask("emergency", 10, "emergency")))
        await asyncio.gather(*tasks)
        waited = [name for name in ended if not name.startswith("runs")]
        if client.order == "urgency":
            assert server.kind == "vllm"
            assert waited[0] == "emergency"
        else:  # the product says that this server answers in the order of arrival: it does
            assert server.kind == "llama.cpp"
            assert client.order == "arrival"
            assert waited == ["waits 0", "waits 1", "waits 2", "waits 3", "emergency"]

    with_client(server, use)


def test_a_server_without_room_leaves_the_pathways_answer_with_the_reason(server: Server) -> None:
    """vLLM refuses what is too much with 503. llama.cpp takes everything in, so it is late."""

    async def use(client: OpenAIChat) -> None:
        await client.connect()
        many = IN_FLIGHT if server.kind == "vllm" else 3

        async def fill(number: int) -> float:
            await client.chat(long(f"Fill {number}.", 2000, "batch"))
            return time.monotonic()

        tasks = [asyncio.create_task(fill(number)) for number in range(many)]
        try:
            await _working(server, many)
            done = await assessed("nstemi", client, timeout_s=6)
            if isinstance(server, Vllm):
                with pytest.raises(LLMDownError, match=r"is busy \(503\)"):
                    await client.chat(asking())
                assert server.metric("admission_rejections_total") > 0
        finally:
            stop(tasks)
            await asyncio.gather(*tasks, return_exceptions=True)
        assessment = done.outcome.assessment
        same_result(assessment, pathway_alone("nstemi"))
        assert assessment.agent is not None
        assert assessment.agent.mode == "degraded"
        reason = "is busy (503)" if server.kind == "vllm" else "did not answer within 6 s"
        assert reason in assessment.agent.reason
        assert (await client.chat(asking(max_tokens=4))).text  # there is room again

    with_client(server, use)


async def _working(server: Server, many: int) -> None:
    """Wait until the server has taken in so many requests."""
    if isinstance(server, Vllm):
        await until(
            lambda: (
                server.metric("num_requests_running") + server.metric("num_requests_waiting")
                >= many
            ),
            f"{many} requests are in",
        )
    else:
        await asyncio.sleep(1.5)
