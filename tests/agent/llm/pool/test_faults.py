"""Servers that misbehave, over real connections on 127.0.0.1."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agent.llm.errors import LLMBudgetError, LLMDownError
from agent.llm.fake_server import (
    Connections,
    FakeServer,
    Kind,
    Scripted,
    completion,
    dropped,
    fake_server,
    refusal,
    slow_drip,
    streamed,
)
from agent.llm.pool.breaker import State
from agent.llm.pool.pool import Pool
from agent.llm.pool.pooled import PooledLLM
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import over_http, pool_file

BAD = {"name": "bad", "model": "fake-model", "priority": 1, "answer_s": 0.5}
GOOD = {"name": "good", "model": "fake-model", "priority": 2}
HANGS = Scripted(before=False, steps=(30.0,))
OUT_OF_MEMORY = refusal(500, error={"message": "CUDA out of memory", "code": 500})
DEAD = refusal(500, error={"message": "EngineCore encountered an issue", "type": "EngineDeadError"})


class Case:
    """A pool of a bad and a good server."""

    def __init__(self, pool: Pool, bad: FakeServer, good: FakeServer) -> None:
        self.pool, self.bad, self.good = pool, bad, good

    @property
    def state(self) -> State:
        return self.pool.backends["bad"].breaker.state(self.pool.clock())


def with_bad(
    script: Sequence[Scripted],
    use: Any,
    *,
    kind: Kind = "vllm",
    good: Scripted | None = None,
    **more: Any,
) -> Any:
    """Run `use` over a pool whose first server follows a script."""

    async def main() -> Any:
        async with (
            fake_server(*script, kind=kind) as bad,
            fake_server(*[good or completion("good")] * 50, kind=kind) as server,
        ):
            file = pool_file({**BAD, "url": bad.url}, {**GOOD, "url": server.url}, **more)
            pool = Pool(file, over_http)
            try:
                return await use(Case(pool, bad, server))
            finally:
                await pool.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    "script",
    [DEAD, OUT_OF_MEMORY, dropped(), dropped(before=True), HANGS, slow_drip()],
    ids=["engine dead", "out of memory", "cut in the middle", "cut before", "hangs", "drips"],
)
def test_another_server_answers_and_the_breaker_opens(script: Scripted) -> None:
    async def use(case: Case) -> None:
        replies = [await PooledLLM(case.pool).chat(asking(timeout_s=10)) for _ in range(4)]
        assert {(reply.text, reply.backend) for reply in replies} == {("good", "good")}
        assert case.state is State.OPEN
        assert len(case.bad.chats) == 3  # the fourth was not sent to it

    with_bad([script] * 10, use, health={"answer_s": 0.5})


def test_one_that_accepts_and_never_answers_the_first_question_is_left_in_time() -> None:
    async def use(case: Case) -> None:
        heard: list[bytes] = []

        async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readline())
            await reader.read()

        async with Connections(nothing).listening() as port:
            row = {**BAD, "url": f"http://127.0.0.1:{port}/v1"}
            pool = Pool(pool_file(row, {**GOOD, "url": case.good.url}), over_http)
            begun = pool.clock()
            reply = await PooledLLM(pool).chat(asking(timeout_s=10))
            assert reply.backend == "good"
            assert pool.clock() - begun < 5  # it was given 0.5 s
            await pool.close()
        assert heard

    with_bad([], use)


def test_health_is_a_completion_since_a_dead_engine_lists_its_models() -> None:
    """vLLM after EngineDeadError: `/health` may be 200 while every completion is 500."""

    async def use(case: Case) -> None:
        problems = await case.pool.look()
        assert "status 500" in problems["bad"]
        assert problems["good"] == ""
        assert case.bad.probes  # it did answer what it was asked of itself
        await case.pool.look()
        await case.pool.look()
        assert case.state is State.OPEN

    with_bad([DEAD] * 3, use)


def test_a_503_is_admission_and_never_opens_the_breaker() -> None:
    async def use(case: Case) -> None:
        busy = {**BAD, "name": "alone", "url": case.bad.url, "answer_s": 5}
        pool = Pool(pool_file(busy), over_http)
        reply = await PooledLLM(pool).chat(asking(timeout_s=10))
        assert reply.text == "now"
        assert pool.backends["alone"].breaker.state(pool.clock()) is State.CLOSED
        assert pool.backends["alone"].failures == 0
        await pool.close()

    with_bad([refusal(503, retry_after_s=0), refusal(503), completion("now")], use)


def test_a_prompt_longer_than_the_context_trips_nothing_and_is_sent_nowhere_else() -> None:
    too_long = refusal(400, error={"message": "This model's maximum context length is 4096"})

    async def use(case: Case) -> None:
        for _ in range(12):
            with pytest.raises(LLMBudgetError, match="longer than its context"):
                await PooledLLM(case.pool).chat(asking())
        assert case.state is State.CLOSED
        assert case.good.chats == []

    with_bad([too_long] * 12, use)


def test_a_wrong_key_opens_the_breaker_at_once_and_is_told() -> None:
    async def use(case: Case) -> None:
        reply = await PooledLLM(case.pool).chat(asking())
        assert reply.text == "good"
        assert case.state is State.OPEN
        assert "refused the key (401)" in case.pool.backends["bad"].breaker.reason
        assert len(case.bad.chats) == 1

    with_bad([refusal(401)] * 3, use)


def test_a_stream_that_dies_is_an_error_and_counts() -> None:
    async def use(case: Case) -> None:
        stream = PooledLLM(case.pool).stream(asking())
        assert await anext(stream) == "Troponin "
        with pytest.raises(LLMDownError):
            await anext(stream)
        assert case.pool.backends["bad"].failures == 1
        assert case.pool.backends["bad"].in_flight == 0

    dies = streamed(["Troponin "], finish=None, done=False)
    with_bad([Scripted(content_type=dies.content_type, steps=dies.steps, drop=True)], use)


def test_a_stream_that_dies_before_its_first_piece_is_taken_over() -> None:
    async def use(case: Case) -> None:
        pieces = [piece async for piece in PooledLLM(case.pool).stream(asking())]
        assert "".join(pieces) == "Troponin rises."

    with_bad([dropped(before=True)], use, good=streamed(["Troponin ", "rises."]))
