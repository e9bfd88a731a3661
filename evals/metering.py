"""A language model that counts what it costs, and remembers replies within one round."""

import time
from collections.abc import AsyncIterator

from agent.llm.errors import LLMError
from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity
from evals.scoring import LLMUse


class Metered:
    """Passes every call on and counts it.

    Within one round an equal request is answered from memory, so that two systems under test are
    compared on the same reply and a slow model is asked once; the cost is counted again each time,
    since each system would have paid it. A failure is never remembered.

    Args:
        inner: The model.
    """

    def __init__(self, inner: LLM) -> None:
        self._inner = inner
        self._known: dict[str, ChatReply] = {}
        self.use = LLMUse()

    def new_round(self) -> None:
        """Forget every reply: a repeat asks again."""
        self._known.clear()

    def new_trial(self) -> None:
        """Count from zero."""
        self.use = LLMUse()

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._inner.identity

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply; errors as the inner model's."""
        known = self._known.get(request.key)
        begun = time.perf_counter()
        try:
            reply = known or await self._inner.chat(request)
        except LLMError:
            self._count(None, time.perf_counter() - begun)
            raise
        self._known[request.key] = reply
        self._count(reply, reply.seconds)
        return reply

    def _count(self, reply: ChatReply | None, seconds: float) -> None:
        used = self.use
        self.use = LLMUse(
            calls=used.calls + 1,
            failed_calls=used.failed_calls + (reply is None),
            prompt_tokens=used.prompt_tokens + (reply.usage.prompt_tokens if reply else 0),
            cached_tokens=used.cached_tokens + (reply.usage.cached_tokens if reply else 0),
            completion_tokens=used.completion_tokens
            + (reply.usage.completion_tokens if reply else 0),
            seconds=used.seconds + seconds,
        )

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the text as it comes; not counted."""
        return self._inner.stream(request)

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text."""
        return await self._inner.count_tokens(text)

    async def close(self) -> None:
        """Release the connections."""
        await self._inner.close()
