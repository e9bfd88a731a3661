"""A language model whose requests all have one urgency."""

from collections.abc import AsyncIterator

from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity, Urgency


class Urgent:
    """Gives every request its urgency; everything else is the model's.

    Args:
        inner: The model.
        urgency: Of every request.
    """

    def __init__(self, inner: LLM, urgency: Urgency) -> None:
        self._inner = inner
        self._urgency = urgency

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._inner.identity

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply; errors as of the model."""
        return await self._inner.chat(self._with_urgency(request))

    def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the reply; errors as of the model."""
        return self._inner.stream(self._with_urgency(request))

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text."""
        return await self._inner.count_tokens(text)

    async def close(self) -> None:
        """Release the connections of the model."""
        await self._inner.close()

    def _with_urgency(self, request: ChatRequest) -> ChatRequest:
        return request.model_copy(update={"urgency": self._urgency})
