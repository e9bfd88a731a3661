"""How urgent a run's calls to the model are: by the red flags of its case."""

import asyncio
from typing import Any

import pytest

from agent.graph.checkpoints import open_checkpoints
from agent.graph.run import start_run
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatRequest, Urgency
from tests.agent.graph.scripts import helpful, session


def urgencies(case: str, asked: Urgency) -> tuple[set[Urgency], bool]:
    """Return the urgency of every call of a run, and whether the case has red flags."""
    seen: set[Urgency] = set()

    def answer(request: ChatRequest) -> Any:
        seen.add(request.urgency)
        return helpful(request)

    made = session(case, FakeLLM(answer))
    made.request = made.request.model_copy(update={"urgency": asked})

    async def run() -> bool:
        async with open_checkpoints("memory") as checkpoints:
            done = await start_run(made, checkpoints)
        record = done.outcome.assessment.agent
        assert record is not None
        return bool(record.red_flags)

    return seen, asyncio.run(run())


@pytest.mark.parametrize(
    ("case", "asked", "expected"),
    [
        ("stemi", "routine", "emergency"),
        ("stemi", "batch", "batch"),
        ("early_presenter", "routine", "routine"),
        ("early_presenter", "batch", "batch"),
    ],
)
def test_a_case_with_red_flags_is_an_emergency_unless_nobody_waits(
    case: str, asked: Urgency, expected: Urgency
) -> None:
    seen, red_flags = urgencies(case, asked)
    assert red_flags == (case == "stemi")
    assert seen == {expected}
