"""Any load, any failures, any cancellations: places are kept to, and everybody gets an end."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.llm.errors import LLMBusyError, LLMDownError, LLMError, LLMIncoherentError
from agent.llm.pool.caller import Caller
from agent.llm.pool.gate import EMERGENCIES
from agent.llm.pool.pool import Pool
from agent.llm.pool.pooled import PooledLLM
from agent.llm.seam import LLM, ChatReply, ChatRequest, ModelIdentity, Urgency
from tests.agent.llm.asking import asking
from tests.agent.llm.pool.pools import pool_file, scripted
from tests.agent.llm.pool.virtual_time import run

AT_ONCE = {"a": 2, "b": 1, "small": 1}
TENANT_MOST = 2


@dataclass(frozen=True)
class Ask:
    """One request: when it comes, what becomes of it, and when its caller leaves."""

    at: float
    takes: float
    ends: str
    tenant: str
    urgency: Urgency
    patience: float
    leaves: float | None


ASKS = st.builds(
    Ask,
    at=st.floats(0, 20),
    takes=st.floats(0, 30),
    ends=st.sampled_from(["ok", "ok", "ok", "down", "busy", "nonsense"]),
    tenant=st.sampled_from(["limited", "other"]),
    urgency=st.sampled_from(["emergency", "routine", "batch"]),
    patience=st.floats(0.5, 60),
    leaves=st.none() | st.floats(0, 30),
)


class Server:
    """Does to each request what the request says; counts how many it has at once."""

    def __init__(self, name: str, asks: list[Ask], load: Counter[str]) -> None:
        self.identity = ModelIdentity(name=name)
        self.name = name
        self.asks = asks
        self.load = load
        self.now = 0
        self.most = 0

    async def chat(self, request: ChatRequest) -> ChatReply:
        ask = self.asks[int(request.messages[0].content)]
        self.now += 1
        self.most = max(self.most, self.now)
        whose = f"{ask.tenant} emergency" if ask.urgency == "emergency" else ask.tenant
        self.load[whose] += 1
        if ask.tenant == "limited":
            assert self.load["limited"] <= TENANT_MOST
            both = self.load["limited"] + self.load["limited emergency"]
            assert both <= TENANT_MOST + EMERGENCIES
        try:
            await asyncio.sleep(ask.takes)
        finally:
            self.now -= 1
            self.load[whose] -= 1
        match ask.ends:
            case "down" if self.name != "small":
                raise LLMDownError(self.name, "answered with status 500")
            case "busy" if self.name == "a":
                raise LLMBusyError(self.name, "is busy (503)", retry_after_s=2)
            case "nonsense":
                raise LLMIncoherentError(self.name, "is not JSON")
            case _:
                return ChatReply(text="ok")

    def stream(self, request: ChatRequest) -> Any:
        raise NotImplementedError

    async def count_tokens(self, text: str) -> int:
        return len(text)

    async def close(self) -> None:
        return None


async def simulated(asks: list[Ask]) -> None:
    load: Counter[str] = Counter()
    servers = {name: Server(name, asks, load) for name in AT_ONCE}
    rows = [
        {"name": "a", "at_once": AT_ONCE["a"], "priority": 1, "answer_s": 20},
        {"name": "b", "at_once": AT_ONCE["b"], "priority": 1, "answer_s": 20},
        {"name": "small", "model": "small", "at_once": AT_ONCE["small"], "priority": 9},
    ]
    file = pool_file(
        *rows,
        tenants={"limited": {"at_once": TENANT_MOST, "tokens_per_hour": 10**6}},
        breaker={"failures": 2, "open_s": 4},
    )
    models: dict[str, LLM] = dict(servers)
    pool = Pool(file, scripted(models), clock=asyncio.get_running_loop().time)

    async def one(n: int, ask: Ask) -> None:
        await asyncio.sleep(ask.at)
        begun = pool.clock()
        llm = PooledLLM(pool, Caller(tenant=ask.tenant, case=str(n), urgency=ask.urgency))
        try:
            async with asyncio.timeout(ask.leaves):
                await llm.chat(asking(str(n), timeout_s=ask.patience))
        except LLMError:
            pass  # an end as good as any: each has its reason
        except TimeoutError:
            assert ask.leaves is not None
        assert pool.clock() - begun <= ask.patience + 0.001

    await asyncio.gather(*(one(n, ask) for n, ask in enumerate(asks)))
    assert all(servers[name].most <= most for name, most in AT_ONCE.items())
    assert all(backend.in_flight == 0 for backend in pool.backends.values())
    assert all(pool.load.of(tenant) == 0 for tenant in ("limited", "other", "everyone_else"))
    assert all(not any(pool.waiting(model).values()) for model in file.models)
    now = pool.clock()
    used = pool.quota("limited").used(now)[0].tokens
    await asyncio.sleep(2 * 3600)
    assert used >= 0
    assert pool.quota("limited").used(pool.clock())[0].tokens == 0  # nothing stays reserved


@pytest.mark.filterwarnings("error")
@settings(max_examples=150, deadline=None)
@given(asks=st.lists(ASKS, max_size=14))
def test_places_are_kept_to_and_everybody_gets_an_end(asks: list[Ask]) -> None:
    run(simulated(asks))
