"""A record of every call, which replays a case without the model.

Put it outermost, around the budget: then refusals of the budget are recorded and replayed as well.
"""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from agent.llm.errors import (
    LLMBudgetError,
    LLMDownError,
    LLMError,
    LLMIncoherentError,
    LLMTimeoutError,
)
from agent.llm.seam import LLM, ChatReply, ChatRequest, Exchange, ModelIdentity
from agent.llm.structured import structured

COUNT = "count_tokens"
"""Purpose of recorded token counts: a replay must fit its prompts as the run did."""

_CLASSES: dict[str, type[LLMError]] = {
    kind.__name__: kind
    for kind in (LLMError, LLMDownError, LLMTimeoutError, LLMBudgetError, LLMIncoherentError)
}


class RecordingLLM:
    """Answers equal requests from the record, others by the model, recording them.

    A request that was answered is never sent again; one that failed in this run is, when asked
    again. In a replay failures come back in the order in which they happened.

    Args:
        inner: The model; None to replay only.
        recorded: What an earlier run recorded.
        replay_only: Whether an unknown request fails with `LLMDownError`.
        identity: Of the recorded model; None for that of `inner`.

    Attributes:
        exchanges: The whole record, `recorded` first.
    """

    def __init__(
        self,
        inner: LLM | None,
        recorded: Sequence[Exchange] = (),
        *,
        replay_only: bool = False,
        identity: ModelIdentity | None = None,
    ) -> None:
        self.exchanges: list[Exchange] = []
        self._inner = None if replay_only else inner
        self._told_by = inner
        self._identity = identity
        self._by_key: dict[str, list[Exchange]] = defaultdict(list)
        self._asked: dict[str, int] = defaultdict(int)
        for exchange in recorded:
            self._keep(exchange)

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers, or answered when the record was made."""
        if self._identity is None and self._told_by is not None:
            return self._told_by.identity
        return self._identity or ModelIdentity(name="recorded")

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the recorded reply, else the model's; recorded failures are raised again."""

        async def ask(inner: LLM) -> ChatReply:
            return await inner.chat(request)

        return await self._answer(request.key, request.purpose, request.prompt, ask)

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the reply; a recorded one comes in one piece."""
        known = self._recorded(request.key)
        if known is not None:
            yield _replayed(known).text
            return
        pieces: list[str] = []
        try:
            async for piece in self._model(request.purpose).stream(request):
                pieces.append(piece)
                yield piece
        except LLMError as error:
            self._keep(_failed(request.key, request.purpose, request.prompt, error))
            raise
        text = "".join(pieces)
        schema = request.json_schema
        data = None if schema is None else structured(text, schema)
        self._keep(
            Exchange(
                key=request.key,
                purpose=request.purpose,
                prompt=request.prompt,
                reply=ChatReply(text=text, data=data),
            )
        )

    async def count_tokens(self, text: str) -> int:
        """Return the recorded count, else the model's."""

        async def ask(inner: LLM) -> ChatReply:
            return ChatReply(text=str(await inner.count_tokens(text)))

        key = hashlib.sha256(f"{COUNT}\0{text}".encode()).hexdigest()
        return int((await self._answer(key, COUNT, "", ask)).text)

    async def close(self) -> None:
        """Release the connections of the model."""
        if self._inner is not None:
            await self._inner.close()

    async def _answer(
        self, key: str, purpose: str, prompt: str, ask: Callable[[LLM], Awaitable[ChatReply]]
    ) -> ChatReply:
        known = self._recorded(key)
        if known is not None:
            return _replayed(known)
        try:
            reply = await ask(self._model(purpose))
        except LLMError as error:
            if self._inner is not None:
                self._keep(_failed(key, purpose, prompt, error))
            raise
        self._keep(
            Exchange(key=key, purpose=purpose, prompt=prompt, reply=reply, model=reply.model)
        )
        return reply

    def _recorded(self, key: str) -> Exchange | None:
        """Return what the record says to the next request of this key."""
        known, place = self._by_key[key], self._asked[key]
        self._asked[key] += 1
        if place < len(known):
            return known[place]
        return known[-1] if known and known[-1].reply is not None else None

    def _model(self, purpose: str) -> LLM:
        if self._inner is None:
            raise LLMDownError(
                "recorded language model",
                f"the record has no answer to this {purpose!r} request",
                "the case, the prompts or the code differ from those of the record",
            )
        return self._inner

    def _keep(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._by_key[exchange.key].append(exchange)


def _failed(key: str, purpose: str, prompt: str, error: LLMError) -> Exchange:
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _CLASSES)
    return Exchange(
        key=key, purpose=purpose, prompt=prompt, error="\n".join((kind, *_words(error)))
    )


def _words(error: LLMError) -> tuple[str, str, str]:
    item, reason, way_out = (
        " ".join(part.split()) for part in (error.item, error.reason, error.way_out)
    )
    return item, reason, way_out


def _replayed(exchange: Exchange) -> ChatReply:
    if exchange.reply is not None:
        return exchange.reply
    kind, item, reason, way_out = (exchange.error.split("\n") + [""] * 4)[:4]
    raise _CLASSES.get(kind, LLMError)(item, reason, way_out)
