"""Calls of tools through the seam: by the server's own API, else by a schema; always checked."""

import asyncio
import json
from typing import Any

import jsonschema
import pytest

from agent.llm.client import OpenAIChat
from agent.llm.errors import LLMIncoherentError
from agent.llm.fake_server import FakeServer, Kind, Scripted, completion, fake_server
from agent.llm.seam import ChatReply, ToolCall, ToolSpec
from agent.llm.tool_calls import calls_schema
from knowledge.errors import InvalidValueError
from tests.agent.llm.asking import asking

LABS = ToolSpec(
    name="get_labs",
    description="Laboratory results of a patient.",
    parameters={
        "type": "object",
        "properties": {"analyte": {"enum": ["troponin", "d-dimer"]}},
        "required": ["analyte"],
        "additionalProperties": False,
    },
)
ECG = ToolSpec(
    name="get_ecg",
    description="The last ECG.",
    parameters={"type": "object", "properties": {}, "additionalProperties": False},
)
TOOLS = (LABS, ECG)


def called(*calls: tuple[str, str]) -> Scripted:
    """Return the answer of a server that calls tools by its own API."""
    asked = [{"type": "function", "function": {"name": n, "arguments": a}} for n, a in calls]
    return completion(None, finish="tool_calls", tool_calls=asked)


def asked(script: Scripted, kind: Kind) -> tuple[ChatReply, Any]:
    async def main() -> tuple[ChatReply, Any]:
        async with fake_server(script, kind=kind) as server:
            client = OpenAIChat(server.url)
            try:
                reply = await client.chat(asking(tools=TOOLS))
            finally:
                await client.close()
            return reply, server.chats[0].body

    return asyncio.run(main())


def test_vllm_is_asked_by_its_own_api_strictly() -> None:
    reply, body = asked(called(("get_labs", '{"analyte": "troponin"}'), ("get_ecg", "{}")), "vllm")
    assert reply.calls == (
        ToolCall(name="get_labs", arguments={"analyte": "troponin"}),
        ToolCall(name="get_ecg", arguments={}),
    )
    assert reply.finish == "stop"
    assert body["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in body["tools"]] == ["get_labs", "get_ecg"]
    assert all(tool["function"]["strict"] is True for tool in body["tools"])
    assert "response_format" not in body


@pytest.mark.parametrize("kind", ["llama.cpp", "other"])
def test_others_are_asked_by_a_schema_and_told_the_tools_in_the_prompt(kind: Kind) -> None:
    said = {"calls": [{"name": "get_labs", "arguments": {"analyte": "d-dimer"}}]}
    reply, body = asked(completion(json.dumps(said)), kind)
    assert reply.calls == (ToolCall(name="get_labs", arguments={"analyte": "d-dimer"}),)
    assert "tools" not in body
    assert body["messages"][0]["role"] == "system"
    assert "get_labs: Laboratory results of a patient." in body["messages"][0]["content"]
    assert body["response_format"]["json_schema"]["schema"] == calls_schema(TOOLS)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(completion("I would look at the ECG."), id="words instead of a call"),
        pytest.param(called(), id="an empty list"),
        pytest.param(called(("get_everything", "{}")), id="a tool that was not offered"),
        pytest.param(called(("get_labs", '{"analyte": "gold"}')), id="arguments not in the enum"),
        pytest.param(called(("get_labs", '{"analyte": "tropo')), id="arguments that were cut"),
        pytest.param(called(("get_ecg", '{"lead": 1}')), id="an argument it does not have"),
        pytest.param(completion(None, tool_calls=[{"name": "get_ecg"}]), id="another form"),
    ],
)
def test_a_call_that_is_not_valid_is_no_call(script: Scripted) -> None:
    with pytest.raises(LLMIncoherentError):
        asked(script, "vllm")


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [{"name": "get_everything", "arguments": {}}],
        [{"name": "get_labs", "arguments": {"analyte": "gold"}}],
        [{"name": "get_ecg", "arguments": {}}] * 9,
    ],
    ids=["none", "not offered", "not in the enum", "too many"],
)
def test_a_reply_by_schema_is_checked_as_well(calls: list[Any]) -> None:
    with pytest.raises(LLMIncoherentError):
        asked(completion(json.dumps({"calls": calls})), "llama.cpp")


def test_the_schema_takes_each_tool_with_its_own_arguments_only() -> None:
    """By the package jsonschema: the arguments of one tool are not those of another."""
    schema = calls_schema(TOOLS)
    jsonschema.validate({"calls": [{"name": "get_ecg", "arguments": {}}]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {"calls": [{"name": "get_ecg", "arguments": {"analyte": "troponin"}}]}, schema
        )


def test_tools_change_the_key_of_a_request_and_their_absence_does_not() -> None:
    assert asking(tools=TOOLS).key != asking().key
    assert asking(tools=TOOLS).key == asking(tools=TOOLS).key
    assert asking(tools=(LABS,)).key != asking(tools=TOOLS).key


def test_calls_are_not_streamed() -> None:
    async def use(server: FakeServer) -> None:
        client = OpenAIChat(server.url)
        try:
            with pytest.raises(InvalidValueError, match="chat"):
                [piece async for piece in client.stream(asking(tools=TOOLS))]
        finally:
            await client.close()

    async def main() -> None:
        async with fake_server(kind="vllm") as server:
            await use(server)

    asyncio.run(main())
