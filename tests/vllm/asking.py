"""Requests to the real servers, and how they are watched."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from agent.llm.client import OpenAIChat
from agent.llm.seam import LLM, ChatReply, ChatRequest, Message, ModelIdentity, Urgency
from tests.vllm.servers import Server, Vllm

PATIENCE_S = 120.0
"""Most seconds for one reply on two busy cores."""


def asking(text: str = "Name one cause of chest pain.", **changes: Any) -> ChatRequest:
    """Return a request, changed as given."""
    values: dict[str, Any] = {
        "purpose": "test",
        "messages": (Message(role="user", content=text),),
        "timeout_s": PATIENCE_S,
        "max_tokens": 24,
    }
    return ChatRequest(**{**values, **changes})


def long(words: str, tokens: int, urgency: Urgency = "routine") -> ChatRequest:
    """Return a request whose reply fills its tokens: the model counts on, and does not get far."""
    begun = ", ".join(str(number) for number in range(1, 11))
    text = f"{words} Write the numbers from 1 to 1000, one after another: {begun},"
    return asking(text, max_tokens=tokens, urgency=urgency)


def with_client(server: Server, use: Callable[[OpenAIChat], Awaitable[Any]]) -> Any:
    """Return what was done with a client of the server."""

    async def main() -> Any:
        client = server.client()
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(main())


class Watched:
    """A client that says how many of its calls are on their way."""

    def __init__(self, inner: LLM) -> None:
        self.waiting = 0
        self._inner = inner

    @property
    def identity(self) -> ModelIdentity:
        return self._inner.identity

    async def chat(self, request: ChatRequest) -> ChatReply:
        self.waiting += 1
        try:
            return await self._inner.chat(request)
        finally:
            self.waiting -= 1

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        return self._inner.stream(request)

    async def count_tokens(self, text: str) -> int:
        return await self._inner.count_tokens(text)

    async def close(self) -> None:
        await self._inner.close()


async def until(true: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait until something is true."""
    try:
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(true):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None


def idle(server: Vllm) -> bool:
    """Return whether vLLM works on nothing, and nothing waits."""
    return server.metric("num_requests_running") + server.metric("num_requests_waiting") == 0
