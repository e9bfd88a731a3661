"""A record replays a case without the model, failures included."""

import asyncio

import pytest

from agent.llm.errors import (
    LLMBudgetError,
    LLMDownError,
    LLMError,
    LLMIncoherentError,
    LLMTimeoutError,
)
from agent.llm.fake import FakeLLM
from agent.llm.recording import COUNT, RecordingLLM
from agent.llm.seam import Exchange, ModelIdentity
from agent.llm.wire import RefusedRequestError
from tests.agent.llm.asking import SCHEMA, asking


def test_an_equal_request_is_sent_once() -> None:
    inner = FakeLLM({"chat": ["one", "two"]})
    llm = RecordingLLM(inner)
    first = asyncio.run(llm.chat(asking()))
    again = asyncio.run(llm.chat(asking(timeout_s=1.0)))
    assert first == again
    assert len(inner.requests) == len(llm.exchanges) == 1


def test_another_request_is_sent() -> None:
    llm = RecordingLLM(FakeLLM({"chat": ["one", "two"]}))
    assert asyncio.run(llm.chat(asking("a"))).text == "one"
    assert asyncio.run(llm.chat(asking("b"))).text == "two"


def test_a_record_survives_json_and_replays_without_the_model() -> None:
    llm = RecordingLLM(FakeLLM({"chat": [{"capital": "Paris"}]}))
    reply = asyncio.run(llm.chat(asking(json_schema=SCHEMA)))
    asyncio.run(llm.count_tokens("troponin"))
    stored = [Exchange.model_validate_json(e.model_dump_json()) for e in llm.exchanges]
    replay = RecordingLLM(None, stored, identity=ModelIdentity(name="m"))
    assert asyncio.run(replay.chat(asking(json_schema=SCHEMA))) == reply
    assert asyncio.run(replay.count_tokens("troponin")) == len("troponin")
    assert replay.exchanges == llm.exchanges
    assert replay.identity.name == "m"
    assert [e.purpose for e in replay.exchanges] == ["chat", COUNT]


@pytest.mark.parametrize(
    ("error", "replayed"),
    [
        (LLMDownError("item", "reason", "way out"), LLMDownError),
        (LLMTimeoutError("item", "reason\nin two lines"), LLMTimeoutError),
        (LLMBudgetError("item", "reason"), LLMBudgetError),
        (LLMIncoherentError("item", "reason"), LLMIncoherentError),
        (RefusedRequestError("item", "reason"), LLMDownError),
    ],
)
def test_a_failure_is_replayed_as_it_was(error: LLMError, replayed: type[LLMError]) -> None:
    llm = RecordingLLM(FakeLLM({"chat": [error]}))
    with pytest.raises(type(error)):
        asyncio.run(llm.chat(asking()))
    with pytest.raises(replayed) as caught:
        asyncio.run(RecordingLLM(None, llm.exchanges).chat(asking()))
    assert type(caught.value) is replayed
    assert str(caught.value) == " ".join(str(error).split())


def test_a_retry_after_a_failure_replays_in_order() -> None:
    llm = RecordingLLM(FakeLLM({"chat": [LLMDownError("a", "b"), "second"]}))

    def asked_three_times(model: RecordingLLM) -> None:
        with pytest.raises(LLMDownError):
            asyncio.run(model.chat(asking()))
        assert asyncio.run(model.chat(asking())).text == "second"
        assert asyncio.run(model.chat(asking())).text == "second"

    asked_three_times(llm)
    asked_three_times(RecordingLLM(None, llm.exchanges))


def test_replay_only_never_asks_the_model() -> None:
    inner = FakeLLM({"chat": ["one"]})
    llm = RecordingLLM(inner, replay_only=True)
    with pytest.raises(LLMDownError, match="no answer to this 'chat' request"):
        asyncio.run(llm.chat(asking()))
    assert inner.requests == []
    assert llm.exchanges == []


def test_a_stream_is_recorded_and_replayed() -> None:
    async def streamed(llm: RecordingLLM) -> str:
        return "".join([piece async for piece in llm.stream(asking())])

    llm = RecordingLLM(FakeLLM({"chat": ["a b c"]}))
    assert asyncio.run(streamed(llm)) == "a b c"
    assert asyncio.run(streamed(RecordingLLM(None, llm.exchanges))) == "a b c"
