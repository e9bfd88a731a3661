"""The fake fails where the real client would."""

import asyncio

import pytest

from agent.llm.errors import LLMIncoherentError, LLMTimeoutError
from agent.llm.fake import FakeLLM
from tests.agent.llm.asking import SCHEMA, asking


def test_replies_of_a_purpose_come_in_turn() -> None:
    fake = FakeLLM({"chat": ["one", "two"], "plan": ["three"]})
    asked = (asking(), asking(purpose="plan"), asking())
    replies = [asyncio.run(fake.chat(request)).text for request in asked]
    assert replies == ["one", "three", "two"]
    assert tuple(fake.requests) == asked


def test_a_scripted_object_is_parsed() -> None:
    fake = FakeLLM({"chat": [{"capital": "Paris"}]})
    assert asyncio.run(fake.chat(asking(json_schema=SCHEMA))).data == {"capital": "Paris"}


@pytest.mark.parametrize("scripted", ["Paris", {"capital": 1}, {}, ["Paris"]])
def test_a_reply_outside_the_schema_is_incoherent(scripted: object) -> None:
    fake = FakeLLM(lambda request: scripted)  # type: ignore[arg-type,return-value]
    with pytest.raises(LLMIncoherentError):
        asyncio.run(fake.chat(asking(json_schema=SCHEMA)))


def test_a_scripted_exception_is_raised() -> None:
    fake = FakeLLM({"chat": [LLMTimeoutError("x", "y")]})
    with pytest.raises(LLMTimeoutError):
        asyncio.run(fake.chat(asking()))


def test_an_empty_script_is_a_mistake_of_the_test() -> None:
    with pytest.raises(AssertionError, match="'chat'"):
        asyncio.run(FakeLLM({}).chat(asking()))


def test_a_stream_adds_up_to_the_reply() -> None:
    text = "Troponin T rose.\nIt was 52 ng/L."

    async def pieces() -> list[str]:
        return [piece async for piece in FakeLLM({"chat": [text]}).stream(asking())]

    found = asyncio.run(pieces())
    assert "".join(found) == text
    assert len(found) > 2
