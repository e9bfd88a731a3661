"""Places at the servers of one model: taken fairly, waited for within bounds, refused with a time.

Everything happens in one event loop.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from agent.llm.errors import LLMBusyError
from agent.llm.pool.fair_queue import FairQueue, Ticket
from agent.llm.seam import Urgency

EMERGENCIES = 16
"""Emergencies of a tenant answered at one time beyond its `at_once`: its own other work cannot hold
them up, and a tenant that calls all its work an emergency still has a limit."""


class RerouteError(Exception):
    """No server of this model can be asked any more: who waits here must look again."""


@dataclass(eq=False, kw_only=True)
class _Waiter:
    ticket: Ticket
    turn: asyncio.Future[None] = field(default_factory=asyncio.Future)


class TenantLoad:
    """How many requests of each tenant are being answered, over all models.

    Args:
        most: Tenant to the most at one time; None for no limit. Emergencies have `EMERGENCIES`
            more.
    """

    def __init__(self, most: Callable[[str], int | None]) -> None:
        self._most = most
        self._now: dict[str, int] = {}

    def may(self, tenant: str, urgency: Urgency) -> bool:
        """Return whether one more may be answered."""
        most = self._most(tenant)
        if most is not None and urgency == "emergency":
            most += EMERGENCIES
        return most is None or self._now.get(tenant, 0) < most

    def entered(self, tenant: str) -> None:
        """Count one more."""
        self._now[tenant] = self._now.get(tenant, 0) + 1

    def left(self, tenant: str) -> None:
        """Count one less."""
        self._now[tenant] -= 1
        if not self._now[tenant]:
            del self._now[tenant]

    def of(self, tenant: str) -> int:
        """Return how many are being answered."""
        return self._now.get(tenant, 0)


class Gate:
    """The places of one model.

    Args:
        model: Its name, for messages.
        free: How many places its usable servers have free now.
        weight: Tenant to its share.
        waiting: Tenant to the most requests of it that wait; of those a request is held up only by
            the ones at least as urgent.
        load: How many requests of each tenant are being answered.
        kept: How many of the free places are left to emergencies.
    """

    def __init__(
        self,
        model: str,
        *,
        free: Callable[[], int],
        weight: Callable[[str], float],
        waiting: Callable[[str], int],
        load: TenantLoad,
        kept: Callable[[], int] = lambda: 0,
    ) -> None:
        self.model = model
        self._free = free
        self._most_waiting = waiting
        self._load = load
        self._kept = kept
        self._queue = FairQueue(weight)
        self._waiters: dict[Ticket, _Waiter] = {}
        self._granted = 0
        """Whose turn it is, and who has not taken the place yet."""

    @property
    def waiting(self) -> Mapping[Urgency, int]:
        """How many requests wait, by urgency."""
        return self._queue.by_urgency()

    async def turn(self, ticket: Ticket, *, most_s: float) -> None:
        """Wait until it is this request's turn; then `taken` or `given_up` must be called.

        Args:
            ticket: Who waits.
            most_s: Longest wait.

        Raises:
            LLMBusyError: It is not its turn in time, or too many of its tenant wait that are at
                least as urgent.
            RerouteError: No server of the model can be asked any more.
        """
        most = self._most_waiting(ticket.tenant)
        if self._queue.waiting(ticket.tenant, urgency=ticket.urgency) >= most:
            raise self._busy(
                f"{most} requests of this tenant wait already that are at least as urgent", most_s
            )
        waiter = _Waiter(ticket=ticket)
        self._waiters[ticket] = waiter
        self._queue.push(ticket)
        self.look()
        try:
            async with asyncio.timeout(most_s):
                await waiter.turn
        except TimeoutError:
            self._withdraw(waiter)
            raise self._busy(f"no place was free within {most_s:.3g} s", most_s) from None
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise

    def taken(self) -> None:
        """Say that the place of a turn is now counted by its server."""
        self._granted -= 1
        self.look()  # the place kept for emergencies may be another one now

    def given_up(self, tenant: str) -> None:
        """Say that a turn is not used."""
        self._granted -= 1
        self._load.left(tenant)
        self.look()

    def ended(self, tenant: str) -> None:
        """Say that a request was answered or failed."""
        self._load.left(tenant)
        self.look()

    def look(self) -> None:
        """Give free places to those whose turn it is; called whenever a place may be free."""
        while (free := self._free() - self._granted) > 0:
            ticket = self._queue.pop(partial(self._may, free > self._kept()))
            if ticket is None:
                return
            waiter = self._waiters.pop(ticket)
            if waiter.turn.done():
                continue  # cancelled a moment ago
            self._granted += 1
            self._load.entered(ticket.tenant)
            waiter.turn.set_result(None)

    def reroute(self) -> None:
        """Send away everybody who waits: no server of this model can be asked any more."""
        waiters, self._waiters = list(self._waiters.values()), {}
        for waiter in waiters:
            self._queue.remove(waiter.ticket)
            if not waiter.turn.done():
                waiter.turn.set_exception(RerouteError(self.model))

    def _may(self, anybody: bool, tenant: str, urgency: Urgency) -> bool:
        """Return whether one more may be answered: places that are kept are for emergencies."""
        return (anybody or urgency == "emergency") and self._load.may(tenant, urgency)

    def _withdraw(self, waiter: _Waiter) -> None:
        """Take out who waits no longer, also one whose turn came at the same moment."""
        if self._waiters.pop(waiter.ticket, None) is not None:
            self._queue.remove(waiter.ticket)
        elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
            self.given_up(waiter.ticket.tenant)

    def _busy(self, reason: str, after: float) -> LLMBusyError:
        return LLMBusyError(
            f"language model {self.model}", reason, f"try again in {after:.0f} s",
            retry_after_s=after,
        )  # fmt: skip
