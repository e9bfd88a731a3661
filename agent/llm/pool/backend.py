"""One server of the pool: its client, its breaker, its places, and what is known of it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMDownError, LLMError
from agent.llm.pool.breaker import Breaker, State
from agent.llm.pool.config import BackendRow, ModelRow, PoolFile
from agent.llm.pool.routing import Seen
from agent.llm.seam import LLM, ModelIdentity

Connect = Callable[[BackendRow], AbstractAsyncContextManager[LLM]]
"""Opens the client of a server; raises `UnavailableError` where it cannot be had.

The client of an address asks before anything else what the server lists, and sends nothing where
the wanted model is not among it (``OpenAIChat(..., exact=True)``).
"""

logger = logging.getLogger(__name__)
_BUSY_S = 1.0
"""How long a server that has no room is left alone where it does not say."""
_LEAST_BUSY_S, _LONGEST_BUSY_S = 0.5, 30.0
_BUSY_OUTAGE_S, _BUSY_OUTAGE_ANSWERS = 10.0, 5
"""A server that says so often and for so long that it has no room, and answers nothing meanwhile,
is as good as down."""

_MARGIN_S = 5.0


class Backend:
    """One server.

    Args:
        row: Of the file.
        file: The whole file.
        connect: Opens its client.
        unapproved: Why its model may not answer; empty where it may.
    """

    def __init__(
        self, row: BackendRow, file: PoolFile, connect: Connect, *, unapproved: str = ""
    ) -> None:
        self.row = row
        self.breaker = Breaker(file.breaker)
        self.unapproved = unapproved
        self.in_flight = 0
        self.opens_for_s = file.breaker.open_s
        """Seconds that its breaker stays open the first time."""
        self.answered = 0
        self.failures = 0
        self.last_answer: float | None = None
        self._model = file.models[row.model]
        self._connect = connect
        self._client: LLM | None = None
        self._opened = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._busy_until = 0.0
        self._busy_since: float | None = None
        self._busy_answers = 0
        self._doubted = False
        self._retired: list[AsyncExitStack] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether it has a client; the local model has none before it is needed."""
        return self._client is not None

    @property
    def identity(self) -> ModelIdentity:
        """The model as the file names it, and the server as it names itself."""
        known = self._client.identity if self._client is not None else None
        return ModelIdentity(
            name=self.row.model,
            server=known.server if known is not None else "",
            sha256=self._model.sha256 or (known.sha256 if known is not None else None),
        )

    async def client(self) -> LLM:
        """Return its client, opened when first needed, and asked anew who it is where in doubt.

        Raises:
            UnavailableError: It cannot be had, or serves another model than the file says; its
                client asks what it lists before anything of a patient is sent.
        """
        async with self._opening:
            if self._client is not None and self._doubted:
                await self._confirm(self._client)
            if self._client is None:
                async with AsyncExitStack() as opened:
                    client = await opened.enter_async_context(self._connect(self.row))
                    self._require_right(client)
                    self._opened, self._client = opened.pop_all(), client
                    self._doubted = False
            return self._client

    def doubt(self) -> None:
        """Have it asked who it is before anything else is sent: it may have been restarted."""
        self._doubted = True

    async def _confirm(self, client: LLM) -> None:
        self._doubted = False  # first: a doubt that comes meanwhile stays
        try:
            if isinstance(client, OpenAIChat):
                await client.connect(timeout_s=self.row.answer_s, anew=True)
            self._require_right(client)
        except BaseException:
            self._doubted = True
            raise

    def _require_right(self, client: LLM) -> None:
        _require_weights(self.row, self._model, client.identity)

    async def forget(self) -> None:
        """Open a new client for what comes; the old one is closed when nobody waits on it."""
        async with self._opening:
            self._client = None
            opened, self._opened = self._opened, AsyncExitStack()
        if self.row.local:
            await opened.aclose()  # two local models at once would not fit into the memory
        else:
            self._retired.append(opened)
            loop = asyncio.get_running_loop()  # by then whoever used it has answer or timeout
            self._timers.append(loop.call_later(self.row.answer_s + _MARGIN_S, self._end, opened))
            self._tidy()

    async def close(self) -> None:
        """Close its clients, whoever waits on them."""
        async with self._opening:
            self._client = None
            opened, self._opened = self._opened, AsyncExitStack()
        for one in tuple(self._retired):
            self._end(one)
        for timer in self._timers:
            timer.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await opened.aclose()

    def entered(self) -> None:
        """Note that one more request is in flight."""
        self.in_flight += 1

    def left(self) -> None:
        """Note that a request is over."""
        self.in_flight -= 1
        self._tidy()

    def _tidy(self) -> None:
        if not self.in_flight:
            for one in tuple(self._retired):
                self._end(one)

    def _end(self, one: AsyncExitStack) -> None:
        if one not in self._retired:
            return
        self._retired.remove(one)
        task = asyncio.get_running_loop().create_task(one.aclose())
        self._closing.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.info("an old client of %s did not close well", self.row.name)

    def answered_at(self, now: float) -> None:
        """Note that it answered."""
        self.last_answer = now
        self._busy_since, self._busy_answers = None, 0

    def free(self, now: float) -> int:
        """Return the places that are free now: none while it is busy, one for a trial."""
        if now < self._busy_until:
            return 0
        most = self.row.at_once
        if self.breaker.state(now) is State.HALF_OPEN:
            most = min(most, 1)
        return max(most - self.in_flight, 0)

    def busy_for(self, error: LLMError, now: float) -> float:
        """Leave it alone for as long as it says, and return how long that is, s."""
        said = getattr(error, "retry_after_s", None)
        wait = min(max(said if said is not None else _BUSY_S, _LEAST_BUSY_S), _LONGEST_BUSY_S)
        if self._busy_since is None or now - self._busy_until > _BUSY_OUTAGE_S:
            self._busy_since, self._busy_answers = now, 0
        self._busy_answers += 1
        self._busy_until = max(self._busy_until, now + wait)
        return wait

    def busy_too_long(self, now: float) -> bool:
        """Return whether it has had no room for long, and no request of ours is being answered.

        A balancer without servers behind it says "busy" for ever.
        """
        alone = self.in_flight <= 1  # who asks is still in flight
        since = self._busy_since
        often = self._busy_answers >= _BUSY_OUTAGE_ANSWERS
        return alone and often and since is not None and now - since >= _BUSY_OUTAGE_S

    def seen(self, now: float, *, patient_data: bool, trials: bool) -> Seen:
        """Return what routing knows of it.

        Args:
            now: Seconds.
            patient_data: Whether the request carries some.
            trials: Whether a request may be its trial; else only the look at its health is.
        """
        never = self._never(patient_data=patient_data)
        why = never or self._down(now, trials=trials)
        return Seen(
            name=self.row.name,
            model=self.row.model,
            priority=self.row.priority,
            usable=not why,
            free=self.free(now),
            why_not=why,
            preferable=not never,
        )

    def _never(self, *, patient_data: bool) -> str:
        if self.row.candidate:
            return "a candidate, which never answers"
        if self.unapproved:
            return self.unapproved
        if patient_data and self.row.patient_data != "allowed":
            return "patient data may not be sent to it"
        return ""

    def _down(self, now: float, *, trials: bool) -> str:
        state = self.breaker.state(now)
        if state is State.OPEN or (state is State.HALF_OPEN and not trials):
            after = self.breaker.retry_after_s(now)
            again = f", tried again in {after:.0f} s" if after else ", being tried again"
            return f"{self.breaker.reason}{again}"
        return ""


def _require_weights(row: BackendRow, model: ModelRow, found: ModelIdentity) -> None:
    """Refuse weights that are known to be others: those of the local model are hashed here.

    Raises:
        LLMDownError: They are.
    """
    if found.sha256 is None:
        return
    same = found.sha256 == model.sha256 if model.sha256 else found.name == row.model
    if not same:
        raise LLMDownError(
            f"backend {row.name}",
            f"has other weights ({found.name}, SHA-256 {found.sha256}) than {row.model}",
            "correct the file of the pool, or the setting that names the weights",
        )
