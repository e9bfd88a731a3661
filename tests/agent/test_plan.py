"""Whatever a model writes: only fitting tools, only ids of the case, no numbers, and the floor."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.calls import guard_calls
from agent.llm.errors import LLMIncoherentError, LLMTimeoutError
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatReply, ChatRequest, ModelIdentity
from agent.plan import Plan, floor, guard_questions, plan, plan_request, plan_schema
from tests.agent.planning_cases import PATH, REQUIRED, planned

NSTEMI = planned("nstemi")
ALL = {tool.name: list(tool.allowed[:1]) for tool in NSTEMI.tools}


class NoSchema(FakeLLM):
    """A server that ignores the schema: what was scripted comes back whatever it is."""

    async def chat(self, request: ChatRequest) -> ChatReply:
        loose = request.model_copy(update={"json_schema": {}})
        return await super().chat(loose)


def planned_by(reply: Any, *, loose: bool = False) -> Plan:
    llm = (NoSchema if loose else FakeLLM)({"plan": [reply]})
    return asyncio.run(plan(llm, NSTEMI.summary, NSTEMI.tools, language="en", unfit=NSTEMI.closed))


def refusals(reply: Any) -> dict[str, str]:
    return {r.tool: r.reason for r in planned_by(reply, loose=True).refused}


def test_several_tools_are_asked_for_in_one_call() -> None:
    made = planned_by({"calls": ALL, "ask_user": ["syncope"]})
    assert set(REQUIRED) <= set(made.tools)
    assert made.refused == ()
    assert made.ask_user == ("syncope",)
    assert made.exchange_key


def test_a_tool_without_evidence_is_not_asked_for() -> None:
    made = planned_by({"calls": {**ALL, "heart": []}, "ask_user": []})
    assert "heart" not in made.tools
    assert made.refused == ()


@pytest.mark.parametrize(
    ("calls", "tool", "why"),
    [
        ({"order_ct": ["ecg-1"]}, "order_ct", "no such tool"),
        ({"perc": ["fact-1"]}, "perc", "does not fit the case: PERC is only"),
        ({"heart": ["lab-99"]}, "heart", "not in the case: lab-99"),
        ({"heart": ["ecg-1", "12345"]}, "heart", "not in the case: 12345"),
        ({"ecg_analysis": ["lab-1"]}, "ecg_analysis", "not evidence that this tool takes"),
        ({"heart": {"troponin": 52}}, "heart", "not in the case"),
        ({"heart": [52]}, "heart", "not in the case"),
        ("run everything", "", "not a set of calls"),
        ([{"tool": "heart"}], "", "not a set of calls"),
    ],
)
def test_a_bad_call_is_refused_even_where_the_server_ignores_the_schema(
    calls: Any, tool: str, why: str
) -> None:
    reply = {"calls": calls, "ask_user": []}
    assert why in refusals(reply)[tool]
    assert planned_by(reply, loose=True).asked == ()


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("diaphoresis", "already answers it"),
        ("st_deviation", "a tool answers it"),
        ("shoe_size", "not a clinical input"),
        (7, "not a clinical input"),
    ],
)
def test_a_question_must_be_open_and_for_a_person(key: Any, why: str) -> None:
    asked, refused = guard_questions([key, "syncope"], NSTEMI.summary)
    assert asked == ("syncope",)
    assert why in refused[0].reason


def test_a_reply_that_is_no_object_is_a_failure_and_not_an_empty_plan() -> None:
    with pytest.raises(LLMIncoherentError):
        planned_by(["heart"], loose=True)
    with pytest.raises(LLMIncoherentError):
        planned_by("I would run the ECG.")


def test_a_slow_model_raises() -> None:
    with pytest.raises(LLMTimeoutError):
        planned_by(LLMTimeoutError("model", "too slow"))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=12)
        | st.sampled_from([tool.name for tool in NSTEMI.tools])
        | st.sampled_from(sorted(NSTEMI.summary.ids)),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from([*ALL, "perc", "x"]), inner, max_size=5)
        ),
        max_leaves=12,
    )
)
def test_no_reply_gets_past_the_guards(raw: Any) -> None:
    made = guard_calls(raw, NSTEMI.summary, NSTEMI.tools, unfit=NSTEMI.closed)
    allowed = {tool.name: set(tool.allowed) for tool in NSTEMI.tools}
    assert all(call.evidence and set(call.evidence) <= allowed[call.tool] for call in made.asked)
    assert len({call.tool for call in made.asked}) == len(made.asked)


def test_no_argument_of_a_plan_takes_a_number_or_free_words() -> None:
    def leaves(schema: Any) -> list[Any]:
        if schema.get("type") == "object":
            return [leaf for part in schema["properties"].values() for leaf in leaves(part)]
        return leaves(schema["items"]) if schema.get("type") == "array" else [schema]

    schema = plan_schema(NSTEMI.tools, ("syncope",))
    assert all(set(leaf) == {"enum"} for leaf in leaves(schema))


def test_the_case_comes_last_and_as_fenced_data() -> None:
    request = plan_request(NSTEMI.summary, NSTEMI.tools, (), language="zh")
    assert [m.role for m in request.messages] == ["system", "user"]
    assert NSTEMI.summary.text in request.messages[1].content
    assert "lab-1" not in request.messages[0].content


def test_the_same_case_asks_the_same_question() -> None:
    again = planned("nstemi")
    first = plan_request(NSTEMI.summary, NSTEMI.tools, (), language="en")
    assert plan_request(again.summary, again.tools, (), language="en").key == first.key


def test_the_floor_says_what_the_plan_left_out_and_what_it_added() -> None:
    made = planned_by({"calls": ALL | {"heart": [], "add_rs": []}, "ask_user": []})
    difference = floor(made, REQUIRED, [step.tool for step in PATH.steps])
    assert difference.added_by_floor == ("heart", "add_rs")
    assert difference.beyond_the_pathway == ("wells_pe_three_tier",)


def test_without_a_plan_the_floor_is_everything_required() -> None:
    assert floor(None, REQUIRED, REQUIRED).added_by_floor == REQUIRED


def test_the_fake_is_a_model_like_any_other() -> None:
    assert FakeLLM({}).identity == ModelIdentity(name="fake", server="fake")
