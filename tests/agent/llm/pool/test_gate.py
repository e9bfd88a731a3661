"""Places: what is more urgent is never held up by what is less."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from agent.llm.errors import LLMBusyError
from agent.llm.pool.fair_queue import ORDER, Ticket
from agent.llm.pool.gate import EMERGENCIES, Gate, TenantLoad
from agent.llm.seam import Urgency
from tests.agent.llm.pool.virtual_time import run


@dataclass
class Places:
    """A server of so many places, of which some are kept, and who has been given one."""

    free: int
    kept: int = 0
    waiting: int = 64
    at_once: int | None = None
    given: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.load = TenantLoad(lambda tenant: self.at_once)
        self.gate = Gate(
            "moe",
            free=lambda: self.free,
            weight=lambda tenant: 1.0,
            waiting=lambda tenant: self.waiting,
            load=self.load,
            kept=lambda: min(self.kept, self.free),
        )
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self, urgency: Urgency, *, tenant: str = "h", times: int = 1) -> None:
        for _ in range(times):
            self.tasks.append(asyncio.create_task(self._one(urgency, tenant)))
        await asyncio.sleep(0.1)

    async def _one(self, urgency: Urgency, tenant: str) -> None:
        await self.gate.turn(Ticket(tenant=tenant, urgency=urgency, cost=1.0), most_s=10)
        self.free -= 1
        self.gate.taken()
        self.given[f"{tenant} {urgency}"] += 1

    async def freed(self) -> None:
        """Give a place free of work of others."""
        self.free += 1
        self.gate.look()
        await asyncio.sleep(0.1)

    async def end(self, *, tenant: str = "h") -> None:
        self.free += 1
        self.gate.ended(tenant)
        await asyncio.sleep(0.1)

    async def refusals(self) -> list[str]:
        found = await asyncio.gather(*self.tasks, return_exceptions=True)
        assert all(one is None or isinstance(one, LLMBusyError) for one in found)
        return [str(one) for one in found if one is not None]


@pytest.mark.parametrize(
    ("filling", "urgency"),
    [("batch", "emergency"), ("routine", "emergency"), ("batch", "routine")],
)
def test_a_queue_full_of_less_urgent_work_refuses_nobody_more_urgent(
    filling: Urgency, urgency: Urgency
) -> None:
    async def main() -> None:
        places = Places(free=0, waiting=5)
        await places.ask(filling, times=6)
        await places.ask(urgency)
        assert places.gate.waiting[filling] == 5
        assert places.gate.waiting[urgency] == 1
        await places.freed()
        assert places.given == {f"h {urgency}": 1}
        refused = await places.refusals()
        assert sum("5 requests of this tenant wait already" in one for one in refused) == 1

    run(main())


def test_what_waits_is_bounded_in_each_urgency() -> None:
    async def main() -> None:
        places = Places(free=0, waiting=5)
        for urgency in reversed(ORDER):
            await places.ask(urgency, times=50)
        assert places.gate.waiting == {"emergency": 5, "routine": 5, "batch": 5}
        await places.refusals()

    run(main())


def test_a_tenants_own_work_does_not_hold_up_its_emergency() -> None:
    async def main() -> None:
        places = Places(free=16, at_once=2)
        await places.ask("batch", times=4)
        assert places.given == {"h batch": 2}
        await places.ask("emergency")
        assert places.given == {"h batch": 2, "h emergency": 1}
        await places.end()
        assert places.given["h batch"] == 2  # two are still being answered, one of them urgent
        assert len(await places.refusals()) == 2

    run(main())


def test_emergencies_of_a_tenant_with_a_limit_have_one_too() -> None:
    async def main() -> None:
        places = Places(free=100, at_once=2)
        await places.ask("emergency", times=50)
        assert places.given == {"h emergency": 2 + EMERGENCIES}
        await places.ask("emergency", tenant="other")
        assert places.given["other emergency"] == 1
        await places.refusals()

    run(main())


def test_emergencies_of_tenants_share_places_fairly() -> None:
    async def main() -> None:
        places = Places(free=0)
        await places.ask("emergency", times=50)
        await places.ask("emergency", tenant="other", times=2)
        for _ in range(4):
            await places.freed()
        assert places.given == {"h emergency": 2, "other emergency": 2}
        await places.refusals()

    run(main())


def test_the_last_places_are_left_to_emergencies() -> None:
    async def main() -> None:
        places = Places(free=3, kept=1)
        await places.ask("batch", times=3)
        await places.ask("routine", times=3)
        assert places.given == {"h batch": 2}
        await places.ask("emergency")
        assert places.given == {"h batch": 2, "h emergency": 1}
        await places.end()
        assert places.given.total() == 3  # that place is kept again
        await places.end()
        assert places.given == {"h batch": 2, "h emergency": 1, "h routine": 1}
        await places.refusals()

    run(main())
