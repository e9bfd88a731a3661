"""Servers that answer strangely, seen by the pool: another one answers, and soon it knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMBusyError, LLMDownError, LLMMalformedError, LLMSilentError
from agent.llm.fake import FakeLLM
from agent.llm.fake_server import Scripted, completion, fake_server, streamed
from agent.llm.pool.breaker import Breaker, State
from agent.llm.pool.config import BackendRow, BreakerRow, key_of
from agent.llm.pool.health import look_at
from agent.llm.pool.host import HostedLLM, PoolHost
from agent.llm.pool.pool import Pool
from agent.llm.pool.pooled import PooledLLM
from agent.llm.seam import LLM, ChatRequest
from knowledge.errors import InvalidValueError
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import (
    Slow,
    failing,
    over_http,
    pool_file,
    saying,
    virtual,
)
from tests.agent.llm.pool.virtual_time import run

A = {"name": "a", "priority": 1}
B = {"name": "b", "priority": 2}


def busy(after: float | None = None) -> Callable[[], Exception]:
    return lambda: LLMBusyError("a", "is busy (503)", retry_after_s=after)


@pytest.mark.parametrize("answer_s", [60.0, 30.0])
def test_a_slow_server_has_all_the_time_that_the_file_gives_it(answer_s: float) -> None:
    async def main() -> None:
        slow = {"a": Slow("slow", 28), "b": Slow("other", 28)}
        pool = virtual(pool_file({**A, "answer_s": answer_s}, B), slow)
        for _ in range(4):
            assert (await PooledLLM(pool).chat(asking(timeout_s=40))).text == "slow"

    run(main())


def test_one_busy_answer_does_not_end_a_request_that_finds_a_place_later() -> None:
    async def main() -> None:
        a = FakeLLM({"chat": [busy()(), "fine"]})
        b = Slow("late", 35)
        pool = virtual(
            pool_file(A, {**B, "answer_s": 31}, queue={"routine_s": 30.0}), {"a": a, "b": b}
        )
        assert (await PooledLLM(pool).chat(asking(timeout_s=60))).text == "fine"

    run(main())


def test_a_server_that_says_when_to_come_back_is_waited_for() -> None:
    async def main() -> None:
        a = FakeLLM({"chat": [busy(12.0)(), busy(12.0)(), "fine"]})
        small = {"name": "cpu", "model": "small", "priority": 9}
        pool = virtual(
            pool_file(A, small, queue={"routine_s": 60.0}), {"a": a, "cpu": saying("small")}
        )
        reply = await PooledLLM(pool).chat(asking(timeout_s=60))
        assert (reply.text, reply.notice) == ("fine", "")

    run(main())


def test_wrong_keys_of_one_moment_open_the_breaker_once() -> None:
    breaker = Breaker(BreakerRow(open_s=5.0))
    tokens = [breaker.begin(0.0) for _ in range(8)]
    for token in tokens:
        breaker.trip(0.0, "refused the key", token)
    assert breaker.retry_after_s(0.0) == 5.0


def test_no_room_for_long_is_tried_again_soon() -> None:
    breaker = Breaker(BreakerRow(open_s=5.0))
    for now in range(0, 60, 6):
        breaker.no_room(float(now), "is busy")
        assert breaker.retry_after_s(float(now)) == 5.0


def test_a_page_in_place_of_an_answer_is_left_for_the_twin() -> None:
    async def main() -> None:
        a = failing(lambda: LLMMalformedError("a", "answered something that is not JSON"))
        pool = virtual(pool_file(A, B, breaker={"failures": 2}), {"a": a, "b": saying("twin")})
        for _ in range(2):
            assert (await PooledLLM(pool).chat(asking())).text == "twin"
        assert pool.backends["a"].breaker.state(pool.clock()) is State.OPEN

    run(main())


def test_one_that_has_no_room_for_ever_is_an_outage() -> None:
    async def main() -> None:
        small = {"name": "cpu", "model": "small", "priority": 9}
        pool = virtual(pool_file(A, small), {"a": failing(busy()), "cpu": saying("small")})
        begun = pool.clock()
        reply = await PooledLLM(pool).chat(asking(timeout_s=60, urgency="emergency"))
        assert reply.text == "small"
        assert 10 <= pool.clock() - begun < 15
        assert "is busy (503)" in reply.notice

    run(main())


def test_no_room_now_and_then_is_no_outage() -> None:
    async def main() -> None:
        replies: list[Any] = [busy()(), "fine"] * 20
        pool = virtual(pool_file(A), {"a": FakeLLM({"chat": replies})})
        for _ in range(20):
            assert (await PooledLLM(pool).chat(asking())).text == "fine"
            await asyncio.sleep(9)
        assert pool.backends["a"].breaker.state(pool.clock()) is State.CLOSED

    run(main())


def test_come_back_at_once_is_no_loop() -> None:
    asked = 0

    def count(_: ChatRequest) -> Exception:
        nonlocal asked
        asked += 1
        return busy(0.0)()

    async def main() -> None:
        pool = virtual(pool_file(A, queue={"routine_s": 2.0}), {"a": FakeLLM(count)})
        begun = pool.clock()
        with pytest.raises(LLMBusyError):
            await PooledLLM(pool).chat(asking(timeout_s=5))
        assert pool.clock() - begun < 3
        assert asked <= 6

    run(main())


class WorksNever:
    """Answers a look at its health, and never a request."""

    def __init__(self) -> None:
        self.inner = saying("OK")
        self.asked = 0

    @property
    def identity(self) -> Any:
        return self.inner.identity

    async def chat(self, request: ChatRequest) -> Any:
        if request.purpose == "health":
            return await self.inner.chat(request)
        self.asked += 1
        await asyncio.sleep(1e6)
        raise AssertionError("unreachable")

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        return self.inner.stream(request)

    async def count_tokens(self, text: str) -> int:
        return await self.inner.count_tokens(text)

    async def close(self) -> None:
        return None


def test_one_that_hangs_on_work_is_left_whatever_its_health_says() -> None:
    async def main() -> None:
        hangs = WorksNever()
        pool = virtual(pool_file({**A, "answer_s": 25}, B), {"a": hangs, "b": saying("twin")})
        pool.watch()
        for _ in range(12):
            reply = await PooledLLM(pool).chat(asking(timeout_s=60, urgency="emergency"))
            assert reply.text == "twin"
            await asyncio.sleep(16)  # a look in between
        assert hangs.asked <= 7  # ever more seldom
        await pool.close()

    run(main())


def test_a_look_ends_no_answer_that_is_on_its_way() -> None:
    async def main() -> None:
        long = Scripted(steps=(1.0, *completion("long").steps))
        async with fake_server(long, completion("OK"), completion("OK")) as server:
            file = pool_file(
                {"name": "a", "url": server.url, "model": "fake-model"}, breaker={"open_s": 0.05}
            )
            pool = Pool(file, over_http)
            asked = asyncio.create_task(PooledLLM(pool).chat(asking(timeout_s=20)))
            await asyncio.sleep(0.3)
            backend = pool.backends["a"]
            backend.breaker.trip(pool.clock(), "another request failed")
            await asyncio.sleep(0.1)
            problem = await look_at(
                backend, file.health, clock=pool.clock, changed=pool.state_changed
            )
            assert problem == ""
            assert (await asked).text == "long"
            assert backend.in_flight == 0
            await pool.close()

    asyncio.run(main())


def test_thoughts_that_fill_a_look_are_a_sign_of_life() -> None:
    async def main() -> None:
        silent: list[Any] = [LLMSilentError("a", "length"), LLMSilentError("a", "stop")]
        pool = virtual(pool_file(A), {"a": FakeLLM({"health": silent})})
        looks = [(await pool.look())["a"] for _ in range(2)]
        assert looks[0] == ""
        assert "said nothing" in looks[1]

    run(main())


def test_a_key_that_is_exchanged_is_an_outage_and_no_end(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret")

    @asynccontextmanager
    async def connect(row: BackendRow) -> AsyncIterator[LLM]:
        key_of(row)
        yield saying(row.name)

    async def main() -> None:
        file = pool_file({**A, "api_key_file": str(key)}, B, breaker={"failures": 1, "open_s": 1})
        pool = Pool(file, connect, clock=asyncio.get_running_loop().time)
        key.write_text("")
        pool.watch()
        assert (await PooledLLM(pool).chat(asking())).text == "b"
        key.write_text("another")
        await asyncio.sleep(120)
        assert (await PooledLLM(pool).chat(asking())).text == "a"
        await pool.close()

    run(main())


def test_a_mistake_of_ours_does_not_end_the_looks() -> None:
    async def main() -> None:
        health: list[Any] = [RuntimeError("ours"), "OK"]
        model = FakeLLM({"health": health})
        pool = virtual(pool_file(A, health={"every_s": 10}), {"a": model})
        pool.watch()
        await asyncio.sleep(25)
        assert pool.backends["a"].last_answer is not None
        await pool.close()

    run(main())


def test_a_server_that_serves_another_model_gets_no_patient_data() -> None:
    async def main() -> None:
        async with (
            fake_server(completion("I am another")) as other,
            fake_server(completion("small")) as small,
        ):
            other.model = "something-else"
            rows = [
                {**A, "url": other.url, "model": "moe"},
                {**B, "url": small.url, "model": "fake-model"},
            ]
            pool = Pool(pool_file(*rows), over_http)
            reply = await PooledLLM(pool).chat(asking())
            assert reply.text == "small"
            assert "does not list moe among its 1 models" in reply.notice
            assert "something-else" not in reply.notice
            assert other.chats == []
            await pool.close()

    asyncio.run(main())


def test_tokens_are_estimated_where_the_client_was_closed_for_a_new_one() -> None:
    async def main() -> None:
        async with fake_server(completion("ok"), kind="vllm") as server:
            row = {**A, "url": server.url, "model": "fake-model"}
            pool = Pool(pool_file(row), over_http)
            llm = PooledLLM(pool)
            assert await llm.count_tokens("four words of text") == 3  # as the server says
            client = await pool.backends["a"].client()
            assert isinstance(client, OpenAIChat)
            await client.close()
            assert await llm.count_tokens("four words of text") >= 4
            await pool.close()

    asyncio.run(main())


def test_another_model_in_the_same_place_is_found_out() -> None:
    async def main() -> None:
        async with (
            fake_server(*[completion("ours")] * 3) as first,
            fake_server(*[completion("twin")] * 3) as second,
        ):
            rows = [
                {"name": name, "url": one.url, "model": "fake-model", "priority": place}
                for place, (name, one) in enumerate((("a", first), ("b", second)))
            ]
            pool = Pool(pool_file(*rows), over_http)
            assert (await PooledLLM(pool).chat(asking())).text == "ours"
            client = await pool.backends["a"].client()
            assert isinstance(client, OpenAIChat)
            first.model = "another"
            pool.backends["a"].doubt()
            reply = await PooledLLM(pool).chat(asking())
            assert reply.text == "twin"
            assert len(first.chats) == 1  # nothing of the second request was sent to it
            await pool.close()

    asyncio.run(main())


def test_a_pool_that_closes_ends_what_is_being_read() -> None:
    async def main() -> None:
        slow = streamed(["one ", "two"], pause_s=30.0)
        async with fake_server(slow) as server:
            file = pool_file({"name": "a", "url": server.url, "model": "fake-model"})
            host = PoolHost(lambda: Pool(file, over_http), watch=False)
            pieces = HostedLLM(host).stream(asking(timeout_s=60))
            assert await anext(pieces) == "one "
            closing = asyncio.create_task(asyncio.to_thread(host.close))
            async with asyncio.timeout(8):
                with pytest.raises(LLMDownError):
                    async for _ in pieces:
                        pass
            await closing

    asyncio.run(main())


def test_tokens_are_counted_in_time_or_estimated() -> None:
    class Never(Slow):
        async def count_tokens(self, text: str) -> int:
            await asyncio.sleep(1e6)
            return 1

    async def main() -> None:
        pool = virtual(pool_file(A), {"a": Never("x", 0)})
        begun = pool.clock()
        assert await PooledLLM(pool).count_tokens("four words of text") >= 4
        assert pool.clock() - begun <= 10

    run(main())


def test_a_key_that_is_gone_is_no_crash_of_an_errand() -> None:
    @asynccontextmanager
    async def connect(row: BackendRow) -> AsyncIterator[LLM]:
        raise InvalidValueError(row.name, "holds no key")
        yield saying("never")

    async def main() -> None:
        pool = Pool(pool_file(A), connect, clock=asyncio.get_running_loop().time)
        with pytest.raises(LLMDownError, match="holds no key"):
            await PooledLLM(pool).chat(asking())

    run(main())


def test_looks_neither_hide_failures_of_work_nor_need_work_to_be_counted() -> None:
    breaker = Breaker(BreakerRow(failures=3))
    for now in range(3):
        token = breaker.begin(float(now))
        assert token is not None
        breaker.failed(token, float(now), "hung")
        breaker.succeeded(token, float(now), look=True)
    assert breaker.state(3.0) is State.OPEN
    other = Breaker(BreakerRow(failures=3))
    for now in range(3):
        token = other.begin(float(now))
        assert token is not None
        other.failed(token, float(now), "no answer", look=True)
    assert other.state(3.0) is State.OPEN
