"""Who is next: emergencies first, then fairly between tenants by weight, each in order.

Start-time fair queueing (Goyal, Vin and Cheng 1996): a request gets a start tag, the larger of the
queue's virtual time and its tenant's last finish tag, and a finish tag, its cost over the tenant's
weight later; the least start tag is next, and becomes the virtual time. Two tenants that both wait
all the time are then served in proportion to their weights, to within one largest request of each.
Each urgency is such a queue of its own, and a less urgent one is looked at when those above are
empty or their tenants are at their limit.

A pure data structure: no clock, no waiting.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from agent.llm.seam import Urgency

ORDER: tuple[Urgency, ...] = ("emergency", "routine", "batch")
May = Callable[[str, Urgency], bool]
"""Whether a tenant may have one more request of an urgency answered now."""


@dataclass(eq=False, kw_only=True)
class Ticket:
    """One request that waits.

    Args:
        tenant: Whose.
        urgency: How urgent.
        cost: What it will take, in tokens.
    """

    tenant: str
    urgency: Urgency
    cost: float


class _Lane:
    """The queue of one urgency.

    A tag is made when a request is the first of its tenant's line, and only one that is answered
    moves its tenant's tags on: who gave up waiting has cost its tenant nothing.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, deque[Ticket]] = {}
        self._virtual = 0.0
        self._finish: dict[str, float] = {}
        self._joined: dict[str, float] = {}

    def push(self, ticket: Ticket) -> None:
        if ticket.tenant not in self.waiting:
            self._joined[ticket.tenant] = self._virtual
            self.waiting[ticket.tenant] = deque()
        self.waiting[ticket.tenant].append(ticket)

    def pop(self, may: Callable[[str], bool], weight: Callable[[str], float]) -> Ticket | None:
        tenants = [tenant for tenant in self.waiting if may(tenant)]
        if not tenants:
            return None
        tenant = min(tenants, key=self._start)
        start = self._start(tenant)
        first = self.waiting[tenant][0]
        self._virtual = max(self._virtual, start)
        self._finish[tenant] = start + first.cost / weight(tenant)
        self.remove(first)
        return first

    def remove(self, ticket: Ticket) -> None:
        line = self.waiting[ticket.tenant]
        line.remove(ticket)
        if not line:
            del self.waiting[ticket.tenant], self._joined[ticket.tenant]
        if not self.waiting:
            # Nobody waits: everybody begins anew, and what is remembered stays small.
            self._virtual = max([self._virtual, *self._finish.values()])
            self._finish.clear()

    def _start(self, tenant: str) -> float:
        return max(self._finish.get(tenant, 0.0), self._joined[tenant])


class FairQueue:
    """Requests that wait, and whose turn it is.

    Args:
        weight: Tenant to its weight, above 0.
    """

    def __init__(self, weight: Callable[[str], float]) -> None:
        self._weight = weight
        self._lanes = {urgency: _Lane() for urgency in ORDER}

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Ticket]:
        for lane in self._lanes.values():
            for line in lane.waiting.values():
                yield from line

    def push(self, ticket: Ticket) -> None:
        """Let a request wait."""
        self._lanes[ticket.urgency].push(ticket)

    def pop(self, may: May = lambda tenant, urgency: True) -> Ticket | None:
        """Return whose turn it is, and take it out; None where nobody may."""
        for urgency in ORDER:
            found = self._lanes[urgency].pop(partial(_may, may, urgency), self._weight)
            if found is not None:
                return found
        return None

    def remove(self, ticket: Ticket) -> None:
        """Take out a request that waits no longer."""
        self._lanes[ticket.urgency].remove(ticket)

    def waiting(self, tenant: str, *, urgency: Urgency = ORDER[-1]) -> int:
        """Return how many requests of a tenant wait that are at least so urgent."""
        ahead = ORDER[: ORDER.index(urgency) + 1]
        return sum(len(self._lanes[one].waiting.get(tenant, ())) for one in ahead)

    def by_urgency(self) -> dict[Urgency, int]:
        """Return how many requests of each urgency wait."""
        return {
            urgency: sum(map(len, lane.waiting.values())) for urgency, lane in self._lanes.items()
        }


def _may(may: May, urgency: Urgency, tenant: str) -> bool:
    return may(tenant, urgency)
