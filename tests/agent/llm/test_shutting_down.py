"""A server that is ending: vLLM 0.32 answers 500 with these words while its health is still 200."""

import asyncio

import pytest

from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMDownError
from agent.llm.fake_server import Scripted, completion, fake_server, refusal, streamed
from tests.agent.llm.asking import asking

ENDING = refusal(
    500,
    error={
        "message": "cannot schedule new futures after shutdown",
        "type": "InternalServerError",
        "code": 500,
    },
)


def chats(*script: Scripted, stream: bool = False) -> tuple[str, int]:
    async def main() -> tuple[str, int]:
        async with fake_server(*script, kind="vllm") as server:
            client = OpenAIChat(server.url)
            try:
                if stream:
                    text = "".join([piece async for piece in client.stream(asking())])
                else:
                    text = (await client.chat(asking())).text
            except LLMDownError as error:
                text = str(error)
            finally:
                await client.close()
            return text, len(server.chats)

    return asyncio.run(main())


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_it_is_asked_again_since_another_replica_may_answer(stream: bool) -> None:
    good = streamed(["o", "k"]) if stream else completion("ok")
    assert chats(ENDING, good, stream=stream) == ("ok", 2)


def test_it_is_not_asked_for_ever_and_the_reason_is_said() -> None:
    text, asked = chats(*[ENDING] * 9)
    assert "is shutting down (500)" in text
    assert asked == 3


def test_another_failure_is_not_asked_again() -> None:
    text, asked = chats(refusal(500, error={"message": "EngineDeadError"}), completion("ok"))
    assert "status 500" in text
    assert asked == 1
