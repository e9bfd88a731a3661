"""Language models for jobs: helpful, down, broken, or waiting until they are told to answer."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from agent.llm.choice import Choice
from agent.llm.errors import LLMError
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatReply, ChatRequest
from knowledge.settings import Settings
from tests.agent.graph.scripts import helpful

OpenLLM = Callable[[Settings], AbstractAsyncContextManager[Choice]]


def opened(llm: Any, *, reason: str = "") -> OpenLLM:
    """Return what opens this model."""

    @asynccontextmanager
    async def open_llm(settings: Settings) -> AsyncIterator[Choice]:
        yield Choice(llm=llm, reason=reason)

    return open_llm


class Waiting(FakeLLM):
    """Helpful, but waits at one purpose until it is let go.

    Attributes:
        reached: Set once it waits.
        go: Lets it go on.
    """

    def __init__(self, at: str) -> None:
        super().__init__(helpful)
        self.reached = threading.Event()
        self.go = threading.Event()
        self._at = at

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply, once it may."""
        import asyncio

        if request.purpose == self._at:
            self.reached.set()
            while not self.go.is_set():
                await asyncio.sleep(0.01)
        return await super().chat(request)


class Down(FakeLLM):
    """Answers nothing."""

    def __init__(self) -> None:
        super().__init__(helpful)

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Fail as a server that is down does."""
        raise LLMError("language model", "does not answer")
