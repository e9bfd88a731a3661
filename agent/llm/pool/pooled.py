"""The pool as one caller asks it: a language model like any other."""

import asyncio
from collections.abc import AsyncIterator

from agent.llm.errors import LLMIncoherentError
from agent.llm.pool.account import Account
from agent.llm.pool.backend import Backend
from agent.llm.pool.caller import Caller
from agent.llm.pool.errand import Errand
from agent.llm.pool.pins import Pin
from agent.llm.pool.pool import ITEM, Pool
from agent.llm.pool.routing import model_for, server_for
from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity
from agent.llm.tokens import upper_estimate
from knowledge.errors import EpicrisisError

_COUNT_S = 10.0


class PooledLLM:
    """The pool as one caller asks it: a language model like any other.

    Args:
        pool: The pool.
        caller: Who asks.
    """

    def __init__(self, pool: Pool, caller: Caller | None = None) -> None:
        self._pool = pool
        self._caller = caller or Caller()
        self._last: ModelIdentity | None = None

    def __repr__(self) -> str:
        return f"PooledLLM({', '.join(self._pool.backends)})"

    @property
    def identity(self) -> ModelIdentity:
        """Which model answered last, or would answer next; each reply names its own."""
        if self._last is not None:
            return self._last
        pool, pin = self._pool, self._pin()
        seen = pool.seen(self._caller, {})
        model = model_for(seen, pin.model if pin is not None else "")
        if model is None:
            return ModelIdentity(name="none that can be asked", server=ITEM)
        name = server_for(seen, model, case=self._caller.case)
        if name is None:
            return ModelIdentity(name=model)
        return pool.backends[name].identity

    def for_caller(self, caller: Caller) -> "PooledLLM":
        """Return the same pool as another caller asks it."""
        return PooledLLM(self._pool, caller)

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply, which names the model and the server that gave it.

        Raises:
            LLMQuotaError: The tenant's tokens are spent; it says when there are some.
            LLMBusyError: No place was free in time; it says when to try again.
            LLMDownError: No server can be asked, or those that were have failed.
            LLMTimeoutError: No complete reply within the request's timeout.
            LLMBudgetError: The prompt does not fit into the model's context.
            LLMIncoherentError: The model's words cannot be used.
        """
        request = self._urgent(request)
        async with Account(self._pool, self._caller, request) as account:
            errand = Errand(self._pool, self._caller, request, account)
            while True:
                backend, token, pin = await errand.next_server()
                reply = await errand.attempt(backend, token, lambda llm, r: llm.chat(r))
                if reply is not None:
                    break
            reply = self._named(reply, backend, pin)
            account.used(
                reply.usage.prompt_tokens,
                reply.usage.completion_tokens,
                reply.text,
                server=backend.row.name,
            )
        self._pool.observer.answered(
            backend.row.name, backend.row.model, reply, tenant=account.tenant
        )
        if self._pool.shadow is not None:
            self._pool.shadow.offer(request, reply, patient_data=self._caller.patient_data)
        return reply

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the reply; another server is asked only before its first piece.

        A server that dies later ends the stream with `LLMDownError`: pieces of two models are
        never put together.
        """
        request = self._urgent(request)
        async with Account(self._pool, self._caller, request) as account:
            errand = Errand(self._pool, self._caller, request, account)
            while True:
                backend, token, pin = await errand.next_server()
                begun = await errand.attempt(backend, token, _begun, stays=True)
                if begun is not None:
                    break
            first, rest = begun
            said = [first]
            with errand.finishing(backend, token):
                yield first
                async for piece in rest:
                    said.append(piece)
                    yield piece
            self._named(ChatReply(text=""), backend, pin)
            account.used(0, 0, "".join(said), server=backend.row.name)

    async def count_tokens(self, text: str) -> int:
        """Return the tokens as the server that would answer counts them, else an upper estimate."""
        pin = self._pin()
        seen = self._pool.seen(self._caller, {})
        model = model_for(seen, pin.model if pin is not None else "")
        name = None if model is None else server_for(seen, model, case=self._caller.case)
        if name is None:
            return upper_estimate(text)
        backend = self._pool.backends[name]
        try:
            async with asyncio.timeout(_COUNT_S):
                client = await backend.client()
                return await client.count_tokens(text)
        except (TimeoutError, EpicrisisError):
            return upper_estimate(text)

    async def close(self) -> None:
        """Leave the pool open: it belongs to who opened it."""

    def _pin(self) -> Pin | None:
        return self._pool.pins.find(self._caller.conversation, known=self._caller.pinned)

    def _urgent(self, request: ChatRequest) -> ChatRequest:
        urgency = self._caller.urgency
        if urgency is None or request.urgency != "routine":
            return request
        return request.model_copy(update={"urgency": urgency})

    def _named(self, reply: ChatReply, backend: Backend, pin: Pin) -> ChatReply:
        pin.answered = True
        self._last = backend.identity
        update = {"model": backend.identity, "backend": backend.row.name, "notice": pin.notice}
        return reply.model_copy(update=update)


async def _begun(llm: LLM, request: ChatRequest) -> tuple[str, AsyncIterator[str]]:
    """Return the first piece of a stream, and the rest of it."""
    pieces = llm.stream(request)
    async for first in pieces:
        return first, pieces
    raise LLMIncoherentError(ITEM, "the stream ended before its first piece")
