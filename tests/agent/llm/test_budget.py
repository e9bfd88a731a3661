"""A spent budget refuses; it never cuts a reply short unsaid."""

import asyncio
from collections.abc import Iterator

import pytest

from agent.llm.adversaries import Slow
from agent.llm.budget import Budgeted, Spent
from agent.llm.errors import LLMBudgetError, LLMIncoherentError, LLMTimeoutError
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatReply, ChatRequest, Usage
from tests.agent.llm.asking import asking


def budgeted(inner: object, **limits: float) -> Budgeted:
    most = {"max_calls": 10, "max_tokens": 10_000, "max_seconds": 100.0, **limits}
    return Budgeted(inner, **most)  # type: ignore[arg-type]


def test_calls_are_counted_and_then_refused() -> None:
    llm = budgeted(FakeLLM({"chat": ["a", "b", "c"]}), max_calls=2)
    for _ in range(2):
        asyncio.run(llm.chat(asking()))
    with pytest.raises(LLMBudgetError, match="2 calls"):
        asyncio.run(llm.chat(asking()))
    assert llm.spent.calls == 2


def test_failed_calls_count() -> None:
    llm = budgeted(FakeLLM({"chat": [LLMIncoherentError("a", "b")]}), max_calls=1)
    with pytest.raises(LLMIncoherentError):
        asyncio.run(llm.chat(asking()))
    with pytest.raises(LLMBudgetError):
        asyncio.run(llm.chat(asking()))
    assert llm.spent.tokens > 0


def test_tokens_are_counted_and_then_refused() -> None:
    llm = budgeted(FakeLLM({"chat": ["a", "b"]}), max_tokens=10)
    asyncio.run(llm.chat(asking()))
    with pytest.raises(LLMBudgetError, match="10 tokens"):
        asyncio.run(llm.chat(asking()))


def test_an_emergency_is_not_refused_for_tokens_and_is_for_calls() -> None:
    llm = budgeted(FakeLLM({"chat": ["a", "b"]}), max_tokens=10, max_calls=2)
    for _ in range(2):
        asyncio.run(llm.chat(asking(urgency="emergency")))
    assert llm.spent.tokens > 10
    with pytest.raises(LLMBudgetError, match="2 calls"):
        asyncio.run(llm.chat(asking(urgency="emergency")))


def test_a_server_that_counts_more_than_can_be_does_not_spend_the_budget() -> None:
    class Lying(FakeLLM):
        async def chat(self, request: ChatRequest) -> ChatReply:
            usage = Usage(prompt_tokens=2**62, completion_tokens=2**62)
            return (await super().chat(request)).model_copy(update={"usage": usage})

    llm = budgeted(Lying({"chat": ["a"]}))
    asyncio.run(llm.chat(asking("y" * 100, max_tokens=20)))
    assert llm.spent.tokens == 100 + 16 + 20


def test_seconds_are_those_within_calls() -> None:
    clock: Iterator[float] = iter([0.0, 7.0, 1000.0, 1004.0])
    llm = budgeted(FakeLLM({"chat": ["a", "b", "c"]}), max_seconds=10, clock=lambda: next(clock))  # type: ignore[arg-type]
    for _ in range(2):
        asyncio.run(llm.chat(asking()))
    assert llm.spent.seconds == 11
    with pytest.raises(LLMBudgetError, match="10 seconds"):
        asyncio.run(llm.chat(asking()))


def test_the_timeout_of_a_call_is_cut_to_what_is_left() -> None:
    seen: list[ChatRequest] = []

    def script(request: ChatRequest) -> str:
        seen.append(request)
        return "a"

    llm = budgeted(FakeLLM(script), max_seconds=3.0, spent=Spent(seconds=1.0))  # type: ignore[arg-type]
    asyncio.run(llm.chat(asking(timeout_s=60.0)))
    assert seen[0].timeout_s == 2.0
    assert seen[0].key == asking().key


def test_a_slow_model_is_blamed_only_for_its_own_time() -> None:
    slow = Slow(FakeLLM({}), seconds=3600)
    with pytest.raises(LLMBudgetError):
        asyncio.run(budgeted(slow, max_seconds=0.01).chat(asking()))
    with pytest.raises(LLMTimeoutError):
        asyncio.run(budgeted(slow).chat(asking(timeout_s=0.01)))


def test_a_stream_counts_as_well() -> None:
    async def streamed(llm: Budgeted) -> str:
        return "".join([piece async for piece in llm.stream(asking())])

    llm = budgeted(FakeLLM({"chat": ["a b", "c"]}), max_calls=1)
    assert asyncio.run(streamed(llm)) == "a b"
    with pytest.raises(LLMBudgetError):
        asyncio.run(streamed(llm))
