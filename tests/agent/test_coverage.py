"""The look back names every unused tool, and asks only for what a tool waits for."""

import asyncio
from typing import Any

import pytest

from agent.coverage import CoverageLook, coverage_facts, look_again, look_request
from agent.llm.errors import LLMIncoherentError
from agent.llm.fake import FakeLLM
from agent.llm.seam import ChatReply, ChatRequest
from knowledge.passages import Language
from tests.agent.planning_cases import REQUIRED, planned

CASE = planned("half_missing")
UNUSED = tuple(tool for tool in CASE.tools if tool.name not in REQUIRED)
NONE: dict[str, list[str]] = {tool.name: [] for tool in UNUSED}


class NoSchema(FakeLLM):
    """A server that ignores the schema."""

    async def chat(self, request: ChatRequest) -> ChatReply:
        return await super().chat(request.model_copy(update={"json_schema": {}}))


def look(reply: Any, *, loose: bool = False) -> CoverageLook:
    llm = (NoSchema if loose else FakeLLM)({"coverage": [reply]})
    return asyncio.run(
        look_again(llm, CASE.summary, None, REQUIRED, CASE.tools, CASE.closed, language="en")
    )


def test_code_alone_names_every_unused_tool_and_what_would_unlock_it() -> None:
    facts = coverage_facts(CASE.tools, CASE.closed, REQUIRED)
    assert {tool.tool for tool in facts.unused} == {
        *(tool.name for tool in UNUSED),
        *(tool.name for tool in CASE.closed),
    }
    assert ("perc", "pe_gestalt_below_15") in facts.unlock
    assert all(tool not in REQUIRED for tool, _ in facts.unlock)


def test_a_second_look_may_ask_for_what_was_left_out() -> None:
    more = {**NONE, "years": ["lab-3"]}
    unlock = [{"tool": "perc", "input": "pe_gestalt_below_15"}]
    found = look({"more": more, "unlock": unlock})
    assert [call.tool for call in found.more] == ["years"]
    assert [(u.tool, u.input) for u in found.unlock] == [("perc", "pe_gestalt_below_15")]
    assert found.refused == ()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"heart": ["ecg-1"]}, "already asked for"),
        ({"perc": ["fact-1"]}, "does not fit"),
        ({"years": ["lab-77"]}, "not in the case"),
        ({"biopsy": ["lab-1"]}, "no such tool"),
        ("all", "not a set of calls"),
    ],
)
def test_a_bad_call_is_refused(more: Any, why: str) -> None:
    found = look({"more": more, "unlock": []}, loose=True)
    assert found.more == ()
    assert why in found.refused[0].reason


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        ({"tool": "perc", "input": "age_years"}, "already answers it"),
        ({"tool": "perc", "input": "history_suspicion"}, "not what this tool waits for"),
        ({"tool": "biopsy", "input": "diaphoresis"}, "no tool that waits"),
        ({"tool": "perc", "input": "credit_card"}, "not a clinical input"),
        ("ask everything", "not a clinical input"),
    ],
)
def test_a_datum_that_unlocks_nothing_is_not_asked_for(pair: Any, why: str) -> None:
    found = look({"more": {}, "unlock": [pair]}, loose=True)
    assert found.unlock == ()
    assert why in found.refused[0].reason


def test_with_nothing_left_the_model_is_not_asked() -> None:
    done = [tool.name for tool in CASE.tools]
    found = asyncio.run(
        look_again(FakeLLM({}), CASE.summary, None, done, CASE.tools, (), language="zh")
    )
    assert found == CoverageLook()


def test_a_reply_out_of_form_is_a_failure() -> None:
    with pytest.raises(LLMIncoherentError):
        look("nothing to add")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_request_shows_what_is_left_and_the_case_as_data(language: Language) -> None:
    request = look_request(CASE.summary, None, REQUIRED, UNUSED, CASE.closed, language=language)
    rules = request.messages[0].content
    assert "perc: PERC is only for a clinical probability below 15 %" in rules
    assert CASE.summary.text in request.messages[1].content
