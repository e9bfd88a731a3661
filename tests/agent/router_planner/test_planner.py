"""The router in the agent: the floor runs whatever it says, invented ids are refused as for any."""

import asyncio
from pathlib import Path

import orjson
import pytest

from agent.graph.checkpoints import MEMORY, open_checkpoints
from agent.graph.request import Session
from agent.graph.run import AgentOutcome, start_run
from agent.graph.view import View
from agent.llm.errors import LLMDownError
from agent.llm.fake import FakeLLM, Scripted
from agent.llm.seam import ChatRequest
from agent.record import PlanRecord
from agent.router_planner.compact import FORM, MAX_ITEMS, route_request
from agent.router_planner.planner import Router, plan_items, router_plan
from agent.router_planner.shortlist import ToolIndex
from agent.router_planner.weights import CARD, GGUF, NoRouterError, required_router
from knowledge.settings import Settings
from tests.agent.graph.scripts import session

INDEX = ToolIndex(None)


def run(reply: Scripted, name: str = "nstemi") -> tuple[AgentOutcome, Session, FakeLLM]:
    fake = FakeLLM({"route": [reply]})
    held = session(name)
    held.router = Router(llm=fake, index=INDEX)

    async def go() -> AgentOutcome:
        async with open_checkpoints(MEMORY) as checkpoints:
            return await start_run(held, checkpoints)

    return asyncio.run(go()), held, fake


def plan_of(done: AgentOutcome) -> PlanRecord:
    record = done.outcome.assessment.agent
    assert record is not None
    assert record.plan is not None
    return record.plan


def test_what_the_router_asks_for_is_in_the_record_and_the_floor_is_added() -> None:
    done, _, fake = run(["ecg_analysis ecg-1"])
    assert len(fake.requests) == 1
    plan = plan_of(done)
    assert [call.tool for call in plan.asked] == ["ecg_analysis"]
    assert "serial_troponin" in plan.added_by_floor
    assert {t.tool for t in done.outcome.assessment.provenance.tools} >= set(plan.required)


def test_the_assessment_is_the_same_whatever_the_router_says() -> None:
    without, _, _ = run(["no_tool"])
    with_all, _, _ = run(["ecg_analysis ecg-1", "heart lab-1"])
    assert without.outcome.assessment.risks == with_all.outcome.assessment.risks
    assert without.outcome.assessment.recommendations == with_all.outcome.assessment.recommendations


def test_an_id_that_is_not_in_the_case_is_refused_as_for_any_model() -> None:
    """A server that ignores the schema: the seam refuses the reply, and the floor runs alone."""
    done, _, _ = run(["serial_troponin lab-12345"])
    plan = plan_of(done)
    assert plan.asked == ()
    assert set(plan.required) == set(plan.added_by_floor)


def test_the_guards_of_every_model_stand_behind_the_schema() -> None:
    """Evidence of the case that the tool does not take is refused by name."""
    held = session("nstemi")
    view = View(held)
    wrong = next(i.id for i in view.summary.items if i.kind == "fact")
    fake = FakeLLM({"route": [[f"ecg_analysis {wrong}"]]})
    made = asyncio.run(
        router_plan(Router(llm=fake, index=INDEX), fake, view.summary, view.fitting, language="en")
    )
    assert made.asked == ()
    assert made.refused[0].reason.startswith("not evidence that this tool takes")


def test_items_that_a_tool_does_not_read_are_left_out_beside_those_that_it_does() -> None:
    view = View(session("nstemi"))
    wrong = next(i.id for i in view.summary.items if i.kind == "fact")
    fake = FakeLLM({"route": [[f"ecg_analysis ecg-1 {wrong}"]]})
    made = asyncio.run(
        router_plan(Router(llm=fake, index=INDEX), fake, view.summary, view.fitting, language="en")
    )
    assert made.refused == ()
    assert [(call.tool, call.evidence) for call in made.asked] == [("ecg_analysis", ("ecg-1",))]


def test_a_router_that_is_down_leaves_the_floor() -> None:
    done, _, _ = run(LLMDownError("router", "is down", ""))
    assert set(plan_of(done).required) == set(plan_of(done).added_by_floor)


def test_what_is_asked_of_a_person_is_a_question_of_the_catalogue() -> None:
    held = session("half_missing")
    view = View(held)
    lacks = next(tool for tool in view.fitting if tool.unmet)
    fake = FakeLLM({"route": [[f"ask_user {lacks.name}"]]})
    made = asyncio.run(
        router_plan(Router(llm=fake, index=INDEX), fake, view.summary, view.fitting, language="zh")
    )
    assert made.ask_user
    assert set(made.ask_user) <= set(lacks.unmet)


def test_the_items_of_a_plan_begin_with_recordings_and_results() -> None:
    view = View(session("nstemi"))
    items = plan_items(view.summary, view.fitting)
    assert items[0].id == "ecg-1"
    assert len(items) <= MAX_ITEMS
    assert {item.id for item in items} <= view.summary.ids


def test_without_weights_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoRouterError, match="train-router --from-adapter"):
        required_router(Settings(data_dir=tmp_path))


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ({"form": "router/0", "experts": 4, "experts_per_token": 2}, "were trained on router/0"),
        (
            {"form": FORM, "experts": 4, "experts_per_token": 2, "gguf_sha256": "0" * 64},
            "the hash differs",
        ),
        ({"form": FORM}, "no valid"),
    ],
)
def test_weights_that_are_not_what_was_exported_are_not_used(
    tmp_path: Path, card: dict[str, object], reason: str
) -> None:
    (tmp_path / GGUF).write_bytes(b"GGUF and nothing else")
    (tmp_path / CARD).write_bytes(orjson.dumps(card))
    with pytest.raises(NoRouterError, match=reason):
        required_router(Settings(data_dir=tmp_path, router_dir=tmp_path))


def test_the_prompt_has_the_names_that_are_offered_and_no_others() -> None:
    view = View(session("nstemi"))
    request: ChatRequest = route_request("Work-up: chest pain", (), ["heart", "wells_pe"])
    assert request.messages[0].content == "-\nWork-up: chest pain\nheart? wells_pe?"
    assert view.fitting
