"""A language model with a limit on calls, tokens and seconds of one case."""

import time
from collections.abc import AsyncIterator, Callable

from pydantic import NonNegativeFloat, NonNegativeInt

from agent.llm.charge import charged, most_of_prompt
from agent.llm.errors import LLMBudgetError, LLMError, LLMTimeoutError
from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity
from agent.llm.tokens import upper_estimate
from knowledge.model import Frozen

_ITEM = "budget of the language model"


class Spent(Frozen):
    """What has been used so far.

    Args:
        calls: Also failed ones.
        tokens: Prompts and replies as the server counts them, as far as that can be true, else
            upper estimates.
        seconds: Within calls.
    """

    calls: NonNegativeInt = 0
    tokens: NonNegativeInt = 0
    seconds: NonNegativeFloat = 0.0


class Budgeted:
    """Refuses calls once the budget is spent; a call that was begun in time is completed.

    An emergency is not refused for tokens: calls and seconds bound it. Otherwise the last call may
    go over in tokens, by one prompt and its `max_tokens`. It cannot go
    over in seconds: its timeout is cut to what is left. Of calls in parallel
    each begins with what was left then, so together they may go over.

    Args:
        inner: The model.
        max_calls: Most calls.
        max_tokens: Most tokens of prompts and replies.
        max_seconds: Most seconds within calls.
        spent: What an earlier part of the run has used.
        clock: Seconds; for tests.
    """

    def __init__(
        self,
        inner: LLM,
        *,
        max_calls: int,
        max_tokens: int,
        max_seconds: float,
        spent: Spent | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._most = Spent(calls=max_calls, tokens=max_tokens, seconds=max_seconds)
        self._spent = spent or Spent()
        self._clock = clock

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._inner.identity

    @property
    def spent(self) -> Spent:
        """What has been used so far."""
        return self._spent

    async def chat(self, request: ChatRequest) -> ChatReply:
        """Return the reply.

        Raises:
            LLMBudgetError: The budget is spent, or ends within the call.
        """
        within = self._begin(request)
        start = self._clock()
        tokens = most_of_prompt(request)
        try:
            reply = await self._inner.chat(within)
            tokens = charged(request, reply.usage, reply.text, server=reply.backend)
            return reply
        except LLMTimeoutError as error:
            raise self._blamed(error, request, within) from error
        finally:
            self._use(tokens, self._clock() - start)

    async def stream(self, request: ChatRequest) -> AsyncIterator[str]:
        """Yield the reply; errors as in `chat`. Its tokens are upper estimates."""
        within = self._begin(request)
        start = self._clock()
        tokens = most_of_prompt(request)
        try:
            left = request.max_tokens
            async for piece in self._inner.stream(within):
                counted = min(upper_estimate(piece), left)
                tokens, left = tokens + counted, left - counted
                yield piece
        except LLMTimeoutError as error:
            raise self._blamed(error, request, within) from error
        finally:
            self._use(tokens, self._clock() - start)

    async def count_tokens(self, text: str) -> int:
        """Return the tokens of a text; counting is free."""
        return await self._inner.count_tokens(text)

    async def close(self) -> None:
        """Release the connections of the model."""
        await self._inner.close()

    def _begin(self, request: ChatRequest) -> ChatRequest:
        """Count the call, and return it with a timeout within the budget."""
        for what, used, most in (
            ("calls", self._spent.calls, self._most.calls),
            ("tokens", self._spent.tokens, self._most.tokens),
            ("seconds", self._spent.seconds, self._most.seconds),
        ):
            if used >= most and not (what == "tokens" and request.urgency == "emergency"):
                raise LLMBudgetError(_ITEM, f"the {most:g} {what} of this case are spent")
        self._spent = self._spent.model_copy(update={"calls": self._spent.calls + 1})
        left = self._most.seconds - self._spent.seconds
        return request.model_copy(update={"timeout_s": min(request.timeout_s, left)})

    def _use(self, tokens: int, seconds: float) -> None:
        self._spent = self._spent.model_copy(
            update={
                "tokens": self._spent.tokens + tokens,
                "seconds": self._spent.seconds + max(seconds, 0.0),
            }
        )

    def _blamed(self, error: LLMTimeoutError, asked: ChatRequest, within: ChatRequest) -> LLMError:
        if within.timeout_s >= asked.timeout_s:
            return error
        return LLMBudgetError(_ITEM, f"the {self._most.seconds:g} seconds of this case are spent")
