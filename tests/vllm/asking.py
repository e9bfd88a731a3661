"""Requests to the real servers, and how they are watched."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from agent.llm.client import OpenAIChat
from agent.llm.seam import ChatRequest, Message, Urgency
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
    """Return a request whose reply fills its tokens: a list of numbers has no end of its own."""
    schema = {
        "type": "array",
        "items": {"type": "integer", "minimum": 1000, "maximum": 9999},
        "minItems": tokens,
        "maxItems": tokens,
    }
    return asking(f"{words} Numbers only.", json_schema=schema, max_tokens=tokens, urgency=urgency)


def with_client(server: Server, use: Callable[[OpenAIChat], Awaitable[Any]]) -> Any:
    """Return what was done with a client of the server."""

    async def main() -> Any:
        client = server.client()
        try:
            return await use(client)
        finally:
            await client.close()

    return asyncio.run(main())


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
