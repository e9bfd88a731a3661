"""An endpoint that dies in the middle of a run, over a real connection."""

import asyncio
import json

import pytest

from agent.graph.checkpoints import open_checkpoints
from agent.graph.run import AgentOutcome, start_run
from agent.graph.view import View
from agent.llm.client import OpenAIChat
from agent.llm.fake_server import Scripted, completion, dropped, fake_server, refusal
from agent.plan import plan_request
from tests.agent.graph.scripts import helpful, session
from tests.agent.graph.test_run import pathway_alone, same_result


def planned() -> Scripted:
    """Return the answer a server gives to the plan of the example."""
    view = View(session())
    request = plan_request(view.summary, view.fitting, (), language="en")
    return completion(json.dumps(helpful(request)))


async def run_with(*script: Scripted) -> AgentOutcome:
    async with fake_server(*script, kind="other") as server, open_checkpoints("memory") as runs:
        client = OpenAIChat(server.url, "fake-model")
        try:
            return await start_run(session(llm=client), runs)
        finally:
            await client.close()


@pytest.mark.parametrize(
    ("script", "at"),
    [
        pytest.param([dropped()], "plan", id="cut within the plan"),
        pytest.param([planned(), dropped(before=True)], "coverage", id="gone before coverage"),
        pytest.param([planned(), refusal(500)], "coverage", id="server error"),
    ],
)
def test_a_dying_endpoint_leaves_the_deterministic_assessment(
    script: list[Scripted], at: str
) -> None:
    done = asyncio.run(run_with(*script)).outcome.assessment
    expected = pathway_alone("nstemi")
    same_result(done, expected)
    assert done.narrative == expected.narrative
    assert done.agent is not None
    assert done.agent.mode == "degraded"
    assert done.agent.reason.startswith(f"{at}: ")
