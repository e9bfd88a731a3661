"""A scripted language model for tests: no network, no clock, no chance."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import orjson

from agent.llm.seam import ChatReply, ChatRequest, ModelIdentity, Usage
from agent.llm.structured import structured
from agent.llm.tokens import upper_estimate, upper_estimate_of_prompt

Scripted = str | dict[str, Any] | list[Any] | Exception
"""One reply: text as it is, a dict or list as JSON, an exception to raise."""

Script = Mapping[str, Sequence[Scripted]] | Callable[[ChatRequest], Scripted]

_FAKE = ModelIdentity(name="fake", server="fake")


class FakeLLM:
    """A language model that answers from a script.

    A reply that is not valid under the schema of its request fails as with a real server.

    Args:
        script: Purpose to replies, used in turn; or a function of the request.
        identity: Which model it claims to be.

    Attributes:
        requests: Every request seen, in order.

    Examples:
        >>> import asyncio
        >>> from agent.llm.seam import Message
        >>> fake = FakeLLM({"chat": ["hello"]})
        >>> ask = ChatRequest(purpose="chat", messages=(Message(role="user", content="hi"),))
        >>> asyncio.run(fake.chat(ask)).text
        'hello'
    """

    def __init__(self, script: Script, *, identity: ModelIdentity = _FAKE) -> None:
        self.requests: list[ChatRequest] = []
        self._identity = identity
        self._answer: Callable[[ChatRequest], Scripted]
        self._answer = script if callable(script) else _in_turn(script)

    @property
    def identity(self) -> ModelIdentity:
        """Which model it claims to be."""
        return self._identity

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the next reply of the script.

        Raises:
            LLMIncoherentError: The reply is not valid under the request's schema.
            AssertionError: The script has no reply for this purpose: a mistake of the test.
        """
        self.requests.append(request)
        scripted = self._answer(request)
        if isinstance(scripted, Exception):
            raise scripted
        text = scripted if isinstance(scripted, str) else orjson.dumps(scripted).decode()
        schema = request.json_schema
        return ChatReply(
            text=text,
            data=None if schema is None else structured(text, schema),
            usage=Usage(
                prompt_tokens=upper_estimate_of_prompt(request.messages),
                completion_tokens=upper_estimate(text),
            ),
        )

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the next reply of the script word by word."""
        reply = await self.chat(request)
        for piece in reply.text.splitlines(keepends=True):
            first, *rest = piece.split(" ")
            yield first
            for word in rest:
                yield f" {word}"

    async def count_tokens(self, text: str) -> int:
        """Return the upper estimate."""
        return upper_estimate(text)

    async def close(self) -> None:
        """Do nothing: there is no connection."""


def _in_turn(script: Mapping[str, Sequence[Scripted]]) -> Callable[[ChatRequest], Scripted]:
    left = {purpose: deque(replies) for purpose, replies in script.items()}

    def answer(request: ChatRequest) -> Scripted:
        replies = left.get(request.purpose)
        if not replies:
            raise AssertionError(f"the script has no reply left for purpose {request.purpose!r}")
        return replies.popleft()

    return answer
