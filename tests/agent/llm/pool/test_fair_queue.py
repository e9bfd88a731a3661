"""Who is next: emergencies, then by weight; against the bound of start-time fair queueing."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from agent.llm.pool.fair_queue import ORDER, FairQueue, Ticket
from agent.llm.seam import Urgency

WEIGHTS = {"a": 1.0, "b": 2.0, "c": 0.5}


def queue() -> FairQueue:
    return FairQueue(WEIGHTS.__getitem__)


def ticket(tenant: str, urgency: Urgency = "routine", cost: float = 1.0) -> Ticket:
    return Ticket(tenant=tenant, urgency=urgency, cost=cost)


def test_an_emergency_overtakes_everybody() -> None:
    line = queue()
    for _ in range(5):
        line.push(ticket("a"))
    line.push(ticket("c", "batch"))
    emergency = ticket("b", "emergency")
    line.push(emergency)
    assert line.pop() is emergency
    assert [one.urgency for one in iter(line.pop, None)] == ["routine"] * 5 + ["batch"]


def test_a_tenant_that_sends_a_hundred_does_not_hold_up_one_that_sends_one() -> None:
    line = queue()
    for _ in range(100):
        line.push(ticket("a"))
    line.pop()
    late = ticket("b")
    line.push(late)
    served = [line.pop() for _ in range(2)]
    assert late in served


def test_who_gives_up_waiting_has_cost_its_tenant_nothing() -> None:
    line = queue()
    given_up = [ticket("a", cost=1000) for _ in range(20)]
    for one in given_up:
        line.push(one)
    line.push(ticket("b", cost=10))
    for one in given_up:
        line.remove(one)
    again = ticket("a", cost=10)
    line.push(again)
    assert again in [line.pop(), line.pop()]


def test_a_tenant_at_its_limit_is_passed_over_and_keeps_its_place() -> None:
    line = queue()
    first, second = ticket("a"), ticket("b")
    line.push(first)
    line.push(second)
    assert line.pop(lambda tenant, urgency: tenant != "a") is second
    assert line.pop() is first


def test_only_what_is_at_least_as_urgent_counts_as_waiting() -> None:
    line = queue()
    for urgency, times in (("batch", 3), ("routine", 2), ("emergency", 1)):
        for _ in range(times):
            line.push(ticket("a", urgency))  # type: ignore[arg-type]
    assert [line.waiting("a", urgency=urgency) for urgency in ORDER] == [1, 3, 6]
    assert line.waiting("b", urgency="batch") == 0


@settings(max_examples=200, deadline=None)
@given(
    costs=st.fixed_dictionaries(
        {name: st.lists(st.floats(1, 100), min_size=60, max_size=60) for name in WEIGHTS}
    ),
    steps=st.integers(1, 60),
)
def test_shares_are_those_of_the_weights(costs: dict[str, list[float]], steps: int) -> None:
    """While both wait, |W_i/w_i - W_j/w_j| <= l_i/w_i + l_j/w_j (Goyal et al. 1996, theorem 1)."""
    line = queue()
    for name, sizes in costs.items():
        for size in sizes:
            line.push(ticket(name, cost=size))
    served: Counter[str] = Counter()
    for _ in range(steps):
        found = line.pop()
        assert found is not None
        served[found.tenant] += found.cost  # type: ignore[assignment]
    largest = {name: max(sizes) for name, sizes in costs.items()}
    for one in WEIGHTS:
        for other in WEIGHTS:
            gap = abs(served[one] / WEIGHTS[one] - served[other] / WEIGHTS[other])
            bound = largest[one] / WEIGHTS[one] + largest[other] / WEIGHTS[other]
            assert gap <= bound + 1e-6


class Line(RuleBasedStateMachine):
    """Nobody is lost, nobody comes twice, each tenant in order, the urgent before the others."""

    def __init__(self) -> None:
        super().__init__()
        self.line = queue()
        self.there: list[Ticket] = []

    @rule(
        tenant=st.sampled_from(sorted(WEIGHTS)),
        urgency=st.sampled_from(ORDER),
        cost=st.floats(1, 1000),
    )
    def come(self, tenant: str, urgency: Urgency, cost: float) -> None:
        one = ticket(tenant, urgency, cost)
        self.line.push(one)
        self.there.append(one)

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if self.there:
            one = self.there.pop(data.draw(st.integers(0, len(self.there) - 1)))
            self.line.remove(one)

    @rule(barred=st.sets(st.sampled_from(sorted(WEIGHTS))))
    def next(self, barred: set[str]) -> None:
        may = [one for one in self.there if one.tenant not in barred]
        found = self.line.pop(lambda tenant, urgency: tenant not in barred)
        if not may:
            assert found is None
            return
        assert found in may
        assert found is not None
        assert ORDER.index(found.urgency) == min(ORDER.index(one.urgency) for one in may)
        before = [o for o in may if (o.tenant, o.urgency) == (found.tenant, found.urgency)]
        assert before[0] is found
        self.there.remove(found)

    @invariant()
    def counts(self) -> None:
        assert len(self.line) == len(self.there)
        assert Counter(one.tenant for one in self.there) == Counter(
            {name: self.line.waiting(name) for name in WEIGHTS if self.line.waiting(name)}
        )
        assert sum(self.line.by_urgency().values()) == len(self.there)


Line.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_nobody_is_lost = Line.TestCase
