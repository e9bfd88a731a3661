"""Whether an urgent request overtakes others, asked of a server of one place."""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from serving.llm.check.load import priority
from serving.llm.check.row import Found
from serving.llm.check.subject import Subject

WORK_S = 0.2


class Queue:
    """Works on one request at a time; by priority, or by arrival whatever is asked."""

    def __init__(self, *, orders: bool, places: int = 1) -> None:
        self._orders = orders
        self._places = places
        self._running = 0
        self._waiting: list[tuple[int, int, asyncio.Event]] = []
        self._came = 0

    async def chat(self, body: Mapping[str, Any]) -> SimpleNamespace:
        self._came += 1
        if self._running >= self._places:
            turn = asyncio.Event()
            self._waiting.append((body["priority"] if self._orders else 0, self._came, turn))
            await turn.wait()
        self._running += 1
        await asyncio.sleep(WORK_S)
        self._running -= 1
        if self._waiting:
            self._waiting.sort(key=lambda one: one[:2])
            self._waiting.pop(0)[2].set()
        return SimpleNamespace(ok=True)

    async def get(self, path: str) -> SimpleNamespace:
        text = f'vllm:num_requests_waiting{{engine="0"}} {len(self._waiting)}.0'
        return SimpleNamespace(ok=path == "/metrics", text=text)


def asked(queue: Queue, burst: int) -> Found:
    async def main() -> Found:
        return await priority(Subject(probe=queue, kind="vllm", burst=burst))  # type: ignore[arg-type]

    return asyncio.run(main())


def test_a_server_that_orders_is_seen_to() -> None:
    found = asked(Queue(orders=True), 12)
    assert found.verdict == "yes"
    assert "overtook 3 of 3" in found.evidence


def test_a_server_that_takes_priorities_and_ignores_them_gets_no() -> None:
    """As vLLM 0.32 does without the policy."""
    found = asked(Queue(orders=False), 12)
    assert found.verdict == "no"
    assert "overtook 0 of 3" in found.evidence
    assert "--scheduling-policy priority" in found.way_out


@pytest.mark.parametrize(("burst", "said"), [(0, "--burst N"), (4, "larger --burst")])
def test_without_a_queue_it_is_not_known(burst: int, said: str) -> None:
    found = asked(Queue(orders=True, places=8), burst)
    assert found.verdict == "not assessed"
    assert said in found.evidence
