"""The pool over scripted models, in virtual time."""

import asyncio
from typing import Any

import pytest

from agent.llm.errors import (
    LLMBudgetError,
    LLMBusyError,
    LLMDownError,
    LLMIncoherentError,
    LLMQuotaError,
    LLMTimeoutError,
)
from agent.llm.fake import FakeLLM
from agent.llm.pool.breaker import State
from agent.llm.pool.caller import Caller
from agent.llm.pool.pooled import PooledLLM
from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity, Urgency
from agent.llm.wire import RefusedRequestError
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import Slow, failing, pool_file, saying, virtual
from tests.agent.llm.pool.virtual_time import run

MOE = {"name": "moe-1", "priority": 1}
SITE = {"name": "site-2", "priority": 2}
SMALL = {"name": "cpu", "model": "small", "priority": 9}


def down() -> LLMDownError:
    return LLMDownError("server", "answered with status 500")


def test_the_first_answers_and_the_reply_names_model_and_server() -> None:
    async def main() -> ChatReply:
        pool = virtual(pool_file(MOE, SMALL), {"moe-1": saying("hello"), "cpu": saying("no")})
        return await PooledLLM(pool).chat(asking())

    reply = run(main())
    assert (reply.text, reply.backend, reply.notice) == ("hello", "moe-1", "")
    assert reply.model is not None
    assert reply.model.name == "moe"


def test_one_that_fails_is_left_for_another_of_the_same_model() -> None:
    async def main() -> tuple[ChatReply, Any]:
        models = {"moe-1": failing(down), "site-2": saying("from afar"), "cpu": saying("no")}
        pool = virtual(pool_file(MOE, SITE, SMALL), models)
        llm = PooledLLM(pool, Caller(conversation="run-1"))
        for _ in range(2):
            await llm.chat(asking())
        reply = await llm.chat(asking())
        assert pool.backends["moe-1"].breaker.state(pool.clock()) is State.OPEN
        before = len(models["moe-1"].requests)
        await llm.chat(asking())
        return reply, len(models["moe-1"].requests) - before

    reply, asked = run(main())
    assert (reply.text, reply.notice) == ("from afar", "")
    assert asked == 0  # the breaker is open


def test_a_conversation_that_gets_another_model_says_so_from_there_on() -> None:
    async def main() -> list[ChatReply]:
        moe = FakeLLM({"chat": ["one", down(), "back again"]})
        pool = virtual(pool_file(MOE, SMALL), {"moe-1": moe, "cpu": saying("small")})
        llm = PooledLLM(pool, Caller(conversation="run-1"))
        replies = [await llm.chat(asking()) for _ in range(3)]
        assert pool.changes == 1
        replies.append(await PooledLLM(pool, Caller(conversation="run-2")).chat(asking()))
        return replies

    first, second, third, other = run(main())
    assert first.notice == ""
    assert second.text == third.text == "small"
    for reply in (second, third):
        assert "moe answered before in this conversation and cannot be asked now" in reply.notice
        assert "small answers from here on" in reply.notice
        assert reply.model is not None
        assert reply.model.name == "small"
    assert (other.text, other.notice) == ("back again", "")


def test_a_conversation_goes_on_with_the_model_its_keeper_names() -> None:
    async def main() -> ChatReply:
        pool = virtual(pool_file(MOE, SMALL), {"moe-1": saying("moe"), "cpu": saying("small")})
        return await PooledLLM(pool, Caller(conversation="run-1", pinned="small")).chat(asking())

    assert run(main()).text == "small"


def test_a_site_may_refuse_to_go_on_with_another_model() -> None:
    async def main() -> None:
        moe = FakeLLM({"chat": ["one", down()]})
        file = pool_file(MOE, SMALL, model_gone="refuse")
        pool = virtual(file, {"moe-1": moe, "cpu": saying("small")})
        llm = PooledLLM(pool, Caller(conversation="run-1"))
        await llm.chat(asking())
        with pytest.raises(LLMDownError, match="another model may not go on"):
            await llm.chat(asking())

    run(main())


def test_a_run_that_begins_without_the_first_model_says_so() -> None:
    async def main() -> str:
        pool = virtual(pool_file(MOE, SMALL), {"moe-1": failing(down), "cpu": saying("small")})
        return (await PooledLLM(pool, Caller(conversation="run-1")).chat(asking())).notice

    assert run(main()).startswith("moe cannot be asked now")


@pytest.mark.parametrize(
    "error",
    [
        LLMBudgetError("server", "the prompt is longer than its context"),
        RefusedRequestError("server", "refused the request (400)"),
        LLMIncoherentError("reply", "is not JSON"),
    ],
    ids=["longer than the context", "refused as such", "not valid under its schema"],
)
def test_what_is_the_requests_fault_is_raised_and_trips_nothing(error: Exception) -> None:
    async def main() -> None:
        models = {"moe-1": failing(lambda: error), "cpu": saying("small")}
        pool = virtual(pool_file(MOE, SMALL), models)
        for _ in range(20):
            with pytest.raises(type(error)):
                await PooledLLM(pool).chat(asking())
        assert pool.backends["moe-1"].breaker.state(pool.clock()) is State.CLOSED
        assert models["cpu"].requests == []

    run(main())


def test_a_request_that_breaks_servers_is_not_sent_to_all_of_them() -> None:
    async def main() -> int:
        names = [f"moe-{n}" for n in range(6)]
        models = {name: failing(down) for name in names}
        file = pool_file(*({"name": name} for name in names), queue={"attempts": 2})
        pool = virtual(file, models)
        with pytest.raises(LLMDownError, match="2 servers failed on this request"):
            await PooledLLM(pool).chat(asking())
        return sum(len(model.requests) for model in models.values())

    assert run(main()) == 2


def test_one_that_never_answers_leaves_time_for_the_next() -> None:
    async def main() -> tuple[str, float]:
        file = pool_file({**MOE, "answer_s": 60}, SITE)
        pool = virtual(file, {"moe-1": Slow("never", 10_000), "site-2": saying("in time")})
        begun = pool.clock()
        reply = await PooledLLM(pool).chat(asking(timeout_s=120))
        return reply.text, pool.clock() - begun

    text, took = run(main())
    assert text == "in time"
    assert took == pytest.approx(60, abs=0.1)


def test_the_request_never_outlives_its_own_timeout() -> None:
    async def main() -> float:
        file = pool_file(MOE, SITE)
        pool = virtual(file, {"moe-1": Slow("never", 10_000), "site-2": Slow("never", 10_000)})
        begun = pool.clock()
        with pytest.raises(LLMTimeoutError, match="no answer within 90 s"):
            await PooledLLM(pool).chat(asking(timeout_s=90))
        return pool.clock() - begun

    assert run(main()) == pytest.approx(90, abs=0.1)


def test_a_short_timeout_of_the_request_does_not_count_against_the_server() -> None:
    async def main() -> State:
        pool = virtual(pool_file(MOE), {"moe-1": Slow("slow", 30)})
        for _ in range(10):
            with pytest.raises(LLMTimeoutError):
                await PooledLLM(pool).chat(asking(timeout_s=1))
        return pool.backends["moe-1"].breaker.state(pool.clock())

    assert run(main()) is State.CLOSED


def test_a_busy_server_is_waited_for_and_not_counted_as_broken() -> None:
    async def main() -> tuple[str, float, State]:
        busy = LLMBusyError("server", "is busy (503)", retry_after_s=7)
        moe = FakeLLM({"chat": [busy, "now"]})
        pool = virtual(pool_file(MOE, SMALL), {"moe-1": moe, "cpu": saying("small")})
        begun = pool.clock()
        reply = await PooledLLM(pool).chat(asking(timeout_s=60))
        state = pool.backends["moe-1"].breaker.state(pool.clock())
        return reply.text, pool.clock() - begun, state

    text, took, state = run(main())
    assert (text, state) == ("now", State.CLOSED)
    assert took == pytest.approx(7, abs=0.1)


def test_who_waits_too_long_is_refused_with_the_time() -> None:
    async def main() -> LLMBusyError:
        file = pool_file({**MOE, "at_once": 1}, queue={"routine_s": 10})
        pool = virtual(file, {"moe-1": Slow("slow", 50)})
        first = asyncio.create_task(PooledLLM(pool).chat(asking(timeout_s=100)))
        await asyncio.sleep(0)
        with pytest.raises(LLMBusyError, match="no place was free within 10 s") as refused:
            await PooledLLM(pool).chat(asking(timeout_s=100))
        await first
        return refused.value

    refused = run(main())
    assert refused.retry_after_s == pytest.approx(10)
    assert "try again in 10 s" in str(refused)


@pytest.mark.parametrize(
    ("kept", "stemi"), [(1, 1), (0, 2)], ids=["into the place that is kept", "after two answers"]
)
def test_emergencies_come_first_and_no_more_than_the_places_at_once(kept: int, stemi: int) -> None:
    async def main() -> Slow:
        moe = Slow("ok", 1)
        file = pool_file({**MOE, "at_once": 2}, queue={"emergency_places": kept})
        pool = virtual(file, {"moe-1": moe})
        llm = PooledLLM(pool)
        tasks = [asyncio.create_task(llm.chat(asking(f"r{n}", timeout_s=60))) for n in range(6)]
        await asyncio.sleep(0.5)
        urgent = PooledLLM(pool, Caller(urgency="emergency"))
        tasks.append(asyncio.create_task(urgent.chat(asking("stemi", timeout_s=60))))
        await asyncio.gather(*tasks)
        return moe

    moe = run(main())
    assert moe.most == 2
    assert moe.order.index("stemi") == stemi


@pytest.mark.parametrize("urgency", ["batch", "routine"])
def test_each_server_keeps_a_place_that_other_work_never_takes(urgency: Urgency) -> None:
    async def main() -> tuple[list[int], float]:
        models = {"moe-1": Slow("ok", 20), "site-2": Slow("ok", 20), "moe-3": Slow("ok", 20)}
        rows = ({**MOE, "at_once": 4}, {**SITE, "at_once": 2}, {"name": "moe-3", "at_once": 1})
        pool = virtual(pool_file(*rows), models)
        busy = [
            asyncio.create_task(
                PooledLLM(pool, Caller(case=f"c{n}")).chat(asking(urgency=urgency, timeout_s=60))
            )
            for n in range(20)
        ]
        await asyncio.sleep(1)
        most = [model.most for model in models.values()]
        begun = pool.clock()
        urgent = Caller(urgency="emergency")
        await asyncio.gather(
            *(PooledLLM(pool, urgent).chat(asking(timeout_s=60)) for _ in range(2))
        )
        took = pool.clock() - begun
        await asyncio.gather(*busy, return_exceptions=True)
        return most, took

    most, took = run(main())
    assert most == [3, 1, 1]  # a server with one place has none to keep
    assert took == pytest.approx(20, abs=0.1)  # the answers themselves, and no wait before


def test_a_server_that_is_tried_again_takes_any_work() -> None:
    async def main() -> str:
        moe = FakeLLM({"chat": [down(), "back"]})
        file = pool_file({**MOE, "at_once": 2}, breaker={"failures": 1, "open_s": 5})
        pool = virtual(file, {"moe-1": moe})
        with pytest.raises(LLMDownError):
            await PooledLLM(pool).chat(asking())
        await asyncio.sleep(6)
        return (await PooledLLM(pool).chat(asking(urgency="batch"))).text

    assert run(main()) == "back"


def test_a_tenants_limit_leaves_places_to_others() -> None:
    async def main() -> list[str]:
        moe = Slow("ok", 1)
        file = pool_file(
            {**MOE, "at_once": 2},
            tenants={"a": {"at_once": 1}, "b": {"match": ["https://b/fhir"]}},
            queue={"emergency_places": 0},
        )
        pool = virtual(file, {"moe-1": moe})
        tasks = [
            asyncio.create_task(PooledLLM(pool, Caller(tenant=tenant)).chat(asking(said)))
            for tenant, said in (("a", "a1"), ("a", "a2"), ("https://b/fhir/", "b1"))
        ]
        await asyncio.gather(*tasks)
        return moe.order

    assert run(main()) == ["a1", "b1", "a2"]


def test_spent_tokens_are_refused_with_the_time_and_others_are_not_touched() -> None:
    async def main() -> None:
        file = pool_file(
            MOE, tenants={"a": {"tokens_per_hour": 200}}, queue={"emergency_reserve": 0}
        )
        pool = virtual(file, {"moe-1": saying("x" * 100)})
        spent = PooledLLM(pool, Caller(tenant="a"))
        await spent.chat(asking("y" * 10, max_tokens=100))
        with pytest.raises(LLMQuotaError, match=r"tenant a.*try again in") as refused:
            await spent.chat(asking("y" * 10, max_tokens=100))
        assert 3600 <= refused.value.retry_after_s <= 3660
        await PooledLLM(pool, Caller(tenant="b")).chat(asking("y" * 10, max_tokens=100))

    run(main())


def test_patient_data_go_only_where_they_may() -> None:
    async def main() -> None:
        models = {"moe-1": saying("abroad"), "cpu": saying("here")}
        pool = virtual(pool_file({**MOE, "patient_data": "not allowed"}, SMALL), models)
        reply = await PooledLLM(pool).chat(asking())
        assert (reply.text, reply.notice) == ("here", "")
        assert models["moe-1"].requests == []
        free = await PooledLLM(pool, Caller(patient_data=False)).chat(asking())
        assert free.text == "abroad"

    run(main())


def test_a_model_that_is_not_approved_is_never_asked() -> None:
    async def main() -> None:
        models = {"moe-1": saying("new"), "cpu": saying("known")}
        file = pool_file(MOE, SMALL)
        pool = virtual(file, models, unapproved={"moe": "not approved: no evaluation"})
        assert (await PooledLLM(pool).chat(asking())).text == "known"
        nobody = virtual(file, models, unapproved={"moe": "not approved", "small": "nor this"})
        with pytest.raises(LLMDownError, match="moe-1: not approved; cpu: nor this"):
            await PooledLLM(nobody).chat(asking())
        assert models["moe-1"].requests == []

    run(main())


def test_those_who_wait_for_a_model_that_goes_down_go_on_with_the_next() -> None:
    async def main() -> list[str]:
        class Dying(Slow):
            async def chat(self, request: ChatRequest) -> ChatReply:
                await asyncio.sleep(1)
                raise down()

        file = pool_file({**MOE, "at_once": 1}, SMALL, breaker={"failures": 1, "open_s": 300})
        pool = virtual(file, {"moe-1": Dying("", 1), "cpu": saying("small")})
        replies = await asyncio.gather(
            *(PooledLLM(pool).chat(asking(f"{n}", timeout_s=60)) for n in range(5))
        )
        assert pool.clock() - begun < 2
        return [reply.text for reply in replies]

    begun = 1000.0
    assert run(main()) == ["small"] * 5


def test_a_cancelled_request_gives_its_place_back() -> None:
    async def main() -> str:
        moe = Slow("ok", 5)
        pool = virtual(pool_file({**MOE, "at_once": 1}), {"moe-1": moe})
        first = asyncio.create_task(PooledLLM(pool).chat(asking()))
        second = asyncio.create_task(PooledLLM(pool).chat(asking(timeout_s=50)))
        third = asyncio.create_task(PooledLLM(pool).chat(asking(timeout_s=50)))
        await asyncio.sleep(1)
        first.cancel()
        second.cancel()
        reply = await third
        assert pool.backends["moe-1"].in_flight == 0
        assert pool.load.of("everyone_else") == 0
        return reply.text

    assert run(main()) == "ok"


def test_a_stream_that_dies_ends_with_an_error_and_is_never_patched_up() -> None:
    async def main() -> list[str]:
        class Dies(Slow):
            async def stream(self, request: ChatRequest) -> Any:
                yield "Troponin "
                raise LLMDownError("server", "ended its reply in the middle")

        models: dict[str, LLM] = {"moe-1": Dies("", 0), "site-2": saying("other words")}
        pool = virtual(pool_file(MOE, SITE, breaker={"failures": 1}), models)
        pieces: list[str] = []
        stream = PooledLLM(pool).stream(asking())
        pieces.append(await anext(stream))
        with pytest.raises(LLMDownError, match="in the middle"):
            await anext(stream)
        assert pool.backends["moe-1"].breaker.state(pool.clock()) is State.OPEN
        pieces.append("|")
        pieces += [piece async for piece in PooledLLM(pool).stream(asking())]
        assert pool.backends["moe-1"].in_flight == pool.backends["site-2"].in_flight == 0
        return pieces

    assert "".join(run(main())) == "Troponin |other words"


def test_a_server_that_comes_back_is_found_by_the_look_at_its_health() -> None:
    async def main() -> list[str]:
        moe = FakeLLM({"chat": [down(), "moe"], "health": [down(), "OK"]})
        file = pool_file(MOE, SMALL, breaker={"failures": 1, "open_s": 5})
        pool = virtual(file, {"moe-1": moe, "cpu": saying("small")})
        texts = [(await PooledLLM(pool).chat(asking())).text]
        pool.watch()
        await asyncio.sleep(4)
        texts.append((await PooledLLM(pool).chat(asking())).text)
        await asyncio.sleep(2 + 10)  # after 5 s the first look fails, after 10 more the second
        texts.append((await PooledLLM(pool).chat(asking())).text)
        await pool.close()
        return texts

    assert run(main()) == ["small", "small", "moe"]


def test_a_server_that_answers_all_the_time_is_looked_at_too() -> None:
    """Only a look asks a server anew who it is."""

    async def main() -> tuple[int, int]:
        moe = FakeLLM(lambda request: "ok")
        pool = virtual(pool_file(MOE, health={"every_s": 10}), {"moe-1": moe})
        pool.watch()
        for _ in range(400):
            assert (await PooledLLM(pool).chat(asking())).text == "ok"
            await asyncio.sleep(1)
        await pool.close()
        return len(moe.requests), sum(one.purpose == "health" for one in moe.requests)

    asked, looks = run(main())
    assert asked - looks == 400
    assert 3 <= looks <= 4  # every hundred seconds


@pytest.mark.parametrize(
    ("known", "found", "usable"),
    [
        ({"sha256": "a" * 64}, ModelIdentity(name="any name", sha256="a" * 64), True),
        ({"sha256": "a" * 64}, ModelIdentity(name="moe", sha256="b" * 64), False),
        ({"revision": "r1"}, ModelIdentity(name="moe", sha256="b" * 64), True),
        ({"revision": "r1"}, ModelIdentity(name="another", sha256="b" * 64), False),
        ({"sha256": "a" * 64}, ModelIdentity(name="moe"), True),
    ],
    ids=["same hash", "other hash", "same name", "other name", "not told"],
)
def test_weights_that_are_known_to_be_others_are_refused(
    known: dict[str, str], found: ModelIdentity, usable: bool
) -> None:
    async def main() -> None:
        pool = virtual(
            pool_file(MOE, models={"moe": known}),
            {"moe-1": FakeLLM(lambda request: "ok", identity=found)},
        )
        if usable:
            assert (await PooledLLM(pool).chat(asking())).text == "ok"
        else:
            with pytest.raises(LLMDownError, match="has other weights"):
                await PooledLLM(pool).chat(asking())

    run(main())
