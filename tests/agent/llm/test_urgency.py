"""How urgent a request is: told to servers that can order, and part of no record."""

import asyncio
from typing import Any

import pytest

from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMError
from agent.llm.fake import FakeLLM
from agent.llm.fake_server import Kind, completion, fake_server, refusal, streamed
from agent.llm.seam import ChatRequest, Urgency
from agent.llm.urgent import Urgent
from tests.agent.llm.asking import asking


def body_of(urgency: Urgency, kind: Kind) -> tuple[dict[str, Any], str | None]:
    async def main() -> tuple[dict[str, Any], str | None]:
        async with fake_server(completion("ok"), kind=kind) as server:
            client = OpenAIChat(server.url)
            assert client.order is None  # nobody was asked yet
            try:
                await client.chat(asking(urgency=urgency))
            finally:
                await client.close()
            return server.chats[0].body, client.order

    return asyncio.run(main())


def test_vllm_is_told_who_comes_first() -> None:
    """Lower numbers first, and 0 where none is sent (vLLM 0.32, ``priority`` of a request)."""
    emergency, order = body_of("emergency", "vllm")
    batch, _ = body_of("batch", "vllm")
    routine, _ = body_of("routine", "vllm")
    assert order == "urgency"
    assert emergency["priority"] < 0 < batch["priority"]
    assert "priority" not in routine


@pytest.mark.parametrize("kind", ["llama.cpp", "other"])
def test_a_server_that_cannot_order_is_not_asked_to_and_that_is_said(kind: Kind) -> None:
    body, order = body_of("emergency", kind)
    assert "priority" not in body
    assert order == "arrival"


@pytest.mark.parametrize("streamed_reply", [False, True])
def test_an_emergency_is_answered_by_a_server_that_refuses_priorities(streamed_reply: bool) -> None:
    """As vLLM documents the field: without priority scheduling any priority but 0 is an error."""
    refused = refusal(400, error={"message": "Got priority -10 but Priority scheduling is off"})
    reply = streamed(["o", "k"]) if streamed_reply else completion("ok")

    async def main() -> tuple[str, list[dict[str, Any]], str | None]:
        async with fake_server(refused, reply, reply, kind="vllm") as server:
            client = OpenAIChat(server.url)
            said = ""
            try:
                for _ in range(2):
                    if streamed_reply:
                        said += "".join([piece async for piece in client.stream(_urgent())])
                    else:
                        said += (await client.chat(_urgent())).text
            finally:
                await client.close()
            return said, [chat.body for chat in server.chats], client.order

    said, bodies, order = asyncio.run(main())
    assert said == "okok"
    assert ["priority" in body for body in bodies] == [True, False, False]
    assert order == "arrival"  # and that is what `llm status` says


def test_another_refusal_of_an_emergency_stays_one() -> None:
    async def main() -> None:
        async with fake_server(refusal(400), refusal(400), kind="vllm") as server:
            client = OpenAIChat(server.url)
            try:
                with pytest.raises(LLMError, match="refused the request"):
                    await client.chat(_urgent())
            finally:
                await client.close()
            assert client.order == "urgency"

    asyncio.run(main())


def _urgent() -> ChatRequest:
    return asking(urgency="emergency")


def test_urgency_changes_no_key() -> None:
    keys = {asking(urgency=u).key for u in ("emergency", "routine", "batch")}
    assert len(keys) == 1


def test_a_wrapped_model_has_one_urgency_for_every_request() -> None:
    seen: list[Urgency] = []

    def answer(request: ChatRequest) -> str:
        seen.append(request.urgency)
        return "ok"

    async def main() -> None:
        llm = Urgent(FakeLLM(answer), "emergency")
        await llm.chat(asking())
        [piece async for piece in llm.stream(asking(urgency="batch"))]
        assert llm.identity == FakeLLM(answer).identity
        assert await llm.count_tokens("x") == await FakeLLM(answer).count_tokens("x")
        await llm.close()

    asyncio.run(main())
    assert seen == ["emergency", "emergency"]
