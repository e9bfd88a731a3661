"""The pool: one request goes to the right model's right server, or is refused with the reason.

The rules, in order:

1. The tenant has tokens for it (`Quota`), else it is refused with the time when there are some.
2. Its model is the one of its conversation; another only where no server of that can be asked,
   and then it is said with every answer from there on.
3. It waits its turn at that model (`Gate`), in bounds.
4. It goes to the server its case belongs to. One that fails is left for the next; but a request
   is sent to few servers in all, since it may be what breaks them.

A pool belongs to one event loop; `agent.llm.pool.host` gives it to others.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from agent.llm.pool.backend import Backend, Connect
from agent.llm.pool.breaker import State
from agent.llm.pool.caller import Caller
from agent.llm.pool.config import PoolFile, TenantRow
from agent.llm.pool.fair_queue import ORDER
from agent.llm.pool.gate import Gate, TenantLoad
from agent.llm.pool.health import Sleep, look_after, look_at
from agent.llm.pool.observer import Observer
from agent.llm.pool.pins import Pins
from agent.llm.pool.quota import Quota
from agent.llm.pool.routing import Seen
from agent.llm.pool.shadow import Keep, Shadow
from agent.llm.seam import Urgency

ITEM = "language model pool"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Pool:
    """All servers of one file.

    Args:
        file: The file.
        connect: Opens the client of a server.
        unapproved: Model to the reason why it may not answer; models that may are not in it.
        keep_shadow: Records comparisons of shadow requests; None for no shadow requests.
        observer: Told what goes on.
        clock: Seconds; never goes back.
        now: The moment, zoned: for records alone.
        sleep: Waits between two looks at a server.
    """

    def __init__(
        self,
        file: PoolFile,
        connect: Connect,
        *,
        unapproved: Mapping[str, str] | None = None,
        keep_shadow: Keep | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.file = file
        self.observer = observer or Observer()
        self.clock = clock
        self.sleep = sleep
        reasons = unapproved or {}
        self.backends = {
            row.name: Backend(row, file, connect, unapproved=reasons.get(row.model, ""))
            for row in file.backends
        }
        self.load = TenantLoad(lambda tenant: self._row(tenant).at_once)
        self._gates: dict[tuple[str, bool], Gate] = {}
        self.quotas: dict[str, Quota] = {}
        self.pins = Pins()
        self.changes = 0
        self.shadow: Shadow | None = None
        if file.shadow is not None and keep_shadow is not None:
            candidate = self.backends[file.shadow.backend]
            self.shadow = Shadow(
                file.shadow,
                candidate,
                keep=keep_shadow,
                now=now,
                clock=clock,
                told=lambda verdict: self.observer.shadowed(candidate.row.model, verdict),
            )
        self._watching: list[asyncio.Task[None]] = []

    def watch(self) -> None:
        """Begin to look after the servers, each by itself."""
        if not self._watching:
            self._watching = [
                asyncio.create_task(
                    look_after(
                        backend,
                        self.file.health,
                        clock=self.clock,
                        sleep=self.sleep,
                        changed=self.state_changed,
                    )
                )
                for backend in self.backends.values()
            ]

    async def look(self, *, but: tuple[str, ...] = ()) -> Mapping[str, str]:
        """Look at every server once and return why each failed; empty where it answered.

        Args:
            but: Servers that are not looked at.
        """
        wanted = {name: one for name, one in self.backends.items() if name not in but}
        looks = [
            look_at(one, self.file.health, clock=self.clock, changed=self.state_changed)
            for one in wanted.values()
        ]
        return dict(zip(wanted, await asyncio.gather(*looks), strict=True))

    async def close(self) -> None:
        """End what goes on beside requests, and close every client."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._watching = []
        if self.shadow is not None:
            await self.shadow.close()
        for backend in self.backends.values():
            await backend.close()

    def gate(self, model: str, *, patient_data: bool) -> Gate:
        """Return the places at a model's servers, for requests with or without patient data."""
        key = (model, patient_data)
        if key not in self._gates:
            self._gates[key] = Gate(
                model,
                free=lambda: self._free(model, patient_data=patient_data),
                weight=lambda tenant: self._row(tenant).weight,
                waiting=lambda tenant: self._row(tenant).waiting,
                load=self.load,
                kept=lambda: self._kept(model, patient_data=patient_data),
            )
        return self._gates[key]

    def waiting(self, model: str) -> dict[Urgency, int]:
        """Return how many requests wait for a model, by urgency."""
        found: dict[Urgency, int] = dict.fromkeys(ORDER, 0)
        for (name, _), gate in self._gates.items():
            if name == model:
                for urgency, count in gate.waiting.items():
                    found[urgency] += count
        return found

    def quota(self, tenant: str) -> Quota:
        """Return the tokens of a tenant."""
        if tenant not in self.quotas:
            reserve = self.file.queue.emergency_reserve
            self.quotas[tenant] = Quota(tenant, self._row(tenant), reserve=reserve)
        return self.quotas[tenant]

    def seen(
        self, caller: Caller, failed: Mapping[str, str], *, urgency: Urgency = "emergency"
    ) -> tuple[Seen, ...]:
        """Return what routing knows of the servers, for one request.

        A server whose breaker waits for a trial is asked by a request only where no other can be.

        Args:
            caller: Who asks.
            failed: Servers that have failed this request, with the reason.
            urgency: Of it; below an emergency the places that are kept are not free.
        """
        found: tuple[Seen, ...] = ()
        for trials in (False, True):
            found = tuple(
                _failed_already(
                    one.seen(self.clock(), patient_data=caller.patient_data, trials=trials), failed
                )
                for one in self.backends.values()
            )
            if any(one.usable for one in found):
                break
        if urgency == "emergency":
            return found
        return tuple(
            one.model_copy(update={"free": one.free - self._kept_at(one)}) for one in found
        )

    def state_changed(self, backend: Backend, before: State) -> None:
        """Tell those who wait that a server may be asked again, or can be asked no more."""
        state = backend.breaker.state(self.clock())
        if state is not before:
            self.observer.state(backend.row.name, state, backend.breaker.reason)
        self.wake(backend.row.model)

    def wake(self, model: str) -> None:
        """Let those who wait for a model look again."""
        for (name, patient_data), gate in self._gates.items():
            if name != model:
                continue
            seen = self.seen(Caller(patient_data=patient_data), {})
            if any(one.model == model and one.usable for one in seen):
                gate.look()
            else:
                gate.reroute()

    def wake_all(self) -> None:
        """Let all who wait look again."""
        for model in {name for name, _ in self._gates}:
            self.wake(model)

    def _free(self, model: str, *, patient_data: bool) -> int:
        seen = self.seen(Caller(patient_data=patient_data), {})
        return sum(one.free for one in seen if one.usable and one.model == model)

    def _kept(self, model: str, *, patient_data: bool) -> int:
        """Return how many of the free places of a model are left to emergencies."""
        seen = self.seen(Caller(patient_data=patient_data), {})
        return sum(self._kept_at(one) for one in seen if one.usable and one.model == model)

    def _kept_at(self, one: Seen) -> int:
        backend = self.backends[one.name]
        if backend.breaker.state(self.clock()) is not State.CLOSED:
            return 0
        return min(self.file.queue.emergency_places, backend.row.at_once - 1, one.free)

    def _row(self, tenant: str) -> TenantRow:
        return self.file.tenant(tenant)


def _failed_already(one: Seen, failed: Mapping[str, str]) -> Seen:
    if one.name not in failed:
        return one
    return one.model_copy(update={"usable": False, "why_not": failed[one.name]})
