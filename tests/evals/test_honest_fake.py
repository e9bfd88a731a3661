"""The fake model of the evaluations answers under every shape of schema."""

import asyncio

import pytest

from agent.llm.choice import Choice
from agent.llm.seam import ChatRequest, Message
from evals.discovery import task
from evals.models import honest_fake
from evals.runner import Plan, run_task
from knowledge.settings import Settings

EITHER = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"function": {"enum": ["search"]}, "arguments": {"type": "object"}},
            "required": ["function", "arguments"],
        },
        {
            "type": "object",
            "properties": {
                "function": {"enum": ["finish"]},
                "answer": {"type": "array", "items": {"type": "number"}},
            },
            "required": ["function", "answer"],
        },
    ]
}


def test_of_several_shapes_it_takes_the_one_that_ends_and_claims_nothing() -> None:
    asked = ChatRequest(
        purpose="chat", messages=(Message(role="user", content="x"),), json_schema=EITHER
    )
    reply = asyncio.run(honest_fake().chat(asked))
    assert reply.data == {"function": "finish", "answer": []}


@pytest.mark.skipif(bool(task("medagentbench").missing()), reason="outside records are not here")
def test_it_ends_medagentbench_without_a_failure_and_gets_nothing_right() -> None:
    plan = Plan(repeats=1, limit=2, systems=("llm-alone",))
    done = asyncio.run(run_task(task("medagentbench"), Choice(llm=honest_fake()), Settings(), plan))
    assert [trial.failure for trial in done.trials] == ["", ""]
    assert done.share("llm-alone", "right").share == 0.0
