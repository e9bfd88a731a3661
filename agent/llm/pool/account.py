"""The tokens of one request: reserved before, counted after, whatever happens between."""

from types import TracebackType

from agent.llm.charge import charged, most_of_prompt
from agent.llm.errors import LLMQuotaError
from agent.llm.pool.caller import Caller
from agent.llm.pool.pool import Pool
from agent.llm.pool.quota import Reservation
from agent.llm.seam import ChatRequest, Usage


class Account:
    """Reserves a tenant's tokens while the block lasts.

    Of a request that was sent and got no reply its prompt is counted, by the upper estimate; one
    that was never sent costs nothing.

    Args:
        pool: The pool.
        caller: Who asks.
        request: What.
    """

    def __init__(self, pool: Pool, caller: Caller, request: ChatRequest) -> None:
        self._pool = pool
        self._request = request
        self.tenant = pool.file.tenant_of(caller.tenant)
        self.prompt = most_of_prompt(request)
        self.most = self.prompt + request.max_tokens
        self.sent = False
        self._held: Reservation | None = None
        self._used: int | None = None

    async def __aenter__(self) -> "Account":
        """Reserve the most that it can take.

        Raises:
            LLMQuotaError: There are too few left; never for an emergency.
        """
        emergency = self._request.urgency == "emergency"
        quota = self._pool.quota(self.tenant)
        try:
            self._held = quota.reserve(self.most, self._pool.clock(), emergency=emergency)
        except LLMQuotaError:
            self._pool.observer.refused(self.tenant, "quota")
            raise
        return self

    def used(
        self, prompt_tokens: int, completion_tokens: int, text: str, *, server: str = ""
    ) -> None:
        """Say what was used: never charged beyond what was reserved.

        Args:
            prompt_tokens: As the server counts; 0 where it does not say.
            completion_tokens: As well.
            text: The reply.
            server: Which, for the log.
        """
        usage = Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
        self._used = charged(self._request, usage, text, server=server)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Count what was used."""
        if self._held is None:
            return
        used = self._used
        if used is None:
            used = self.prompt if self.sent else 0
        self._pool.quota(self.tenant).settle(self._held, used, self._pool.clock())
