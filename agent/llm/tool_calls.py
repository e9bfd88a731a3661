"""Calls of tools: asked for by the server's own API where it enforces it, else by a JSON schema.

vLLM takes ``tools`` with ``tool_choice: required`` and ``strict``, and constrains name and
arguments. The llama.cpp server takes them too but does not enforce them, and a chat template
without a section for tools drops them without a word; so there, and at any server that is not
known, the tools are told in the prompt and the reply is JSON of a schema. Whoever answers, every
call is checked here: its name is one that was offered, its arguments are valid.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from agent.llm.errors import LLMIncoherentError
from agent.llm.seam import ChatRequest, Message, ToolCall, ToolSpec
from agent.llm.structured import structured

MOST_CALLS = 8
_ITEM = "language model"


def tools_body(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """Return the fields of a chat request that offers tools, one of which must be called."""
    functions = [
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
            "strict": True,
        }
        for tool in tools
    ]
    return {
        "tools": [{"type": "function", "function": function} for function in functions],
        "tool_choice": "required",
    }


def as_schema(request: ChatRequest) -> ChatRequest:
    """Return a request whose reply is ``{"calls": [{"name": ..., "arguments": ...}]}``."""
    told = "\n".join(
        f"{tool.name}: {tool.description} Arguments: {orjson.dumps(dict(tool.parameters)).decode()}"
        for tool in request.tools
    )
    rule = f"Answer with calls of these tools only:\n{told}"
    messages = request.messages
    if messages and messages[0].role == "system":
        first = Message(role="system", content=f"{messages[0].content}\n\n{rule}")
        messages = (first, *messages[1:])
    else:
        messages = (Message(role="system", content=rule), *messages)
    changes = {"messages": messages, "tools": (), "json_schema": calls_schema(request.tools)}
    return request.model_copy(update=changes)


def calls_schema(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """Return the JSON Schema of one to `MOST_CALLS` calls."""
    each = [
        {
            "type": "object",
            "properties": {"name": {"const": tool.name}, "arguments": dict(tool.parameters)},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    calls = {"type": "array", "items": {"anyOf": each}, "minItems": 1, "maxItems": MOST_CALLS}
    return {
        "type": "object",
        "properties": {"calls": calls},
        "required": ["calls"],
        "additionalProperties": False,
    }


def calls_in(data: Any) -> tuple[ToolCall, ...]:
    """Return the calls of a reply that is valid under `calls_schema`."""
    return tuple(ToolCall(name=call["name"], arguments=call["arguments"]) for call in data["calls"])


def calls_of(answer: Any, tools: Sequence[ToolSpec], *, cut: bool) -> tuple[ToolCall, ...]:
    """Return the calls of a chat answer.

    Args:
        answer: Of the server.
        tools: That were offered.
        cut: Whether the server says that it stopped at the token limit.

    Raises:
        LLMIncoherentError: No call, one of a tool that was not offered, or arguments that are not
            valid under its schema.
    """
    match answer:
        case {"choices": [{"message": {"tool_calls": [*asked]}}, *_]} if asked:
            return tuple(_call(one, tools, cut=cut) for one in asked)
        case _:
            raise LLMIncoherentError(_ITEM, "called no tool, though it had to")


def _call(one: Any, tools: Sequence[ToolSpec], *, cut: bool) -> ToolCall:
    offered: Mapping[str, ToolSpec] = {tool.name: tool for tool in tools}
    match one:
        case {"function": {"name": str(name), "arguments": str(arguments)}} if name in offered:
            given = structured(arguments, offered[name].parameters, cut=cut)
        case {"function": {"name": str(), "arguments": str()}}:
            raise LLMIncoherentError(_ITEM, "called a tool that was not offered")
        case _:
            raise LLMIncoherentError(_ITEM, "called a tool in another form than the chat API's")
    if not isinstance(given, dict):
        raise LLMIncoherentError(_ITEM, f"called {name} with arguments that are no object")
    return ToolCall(name=name, arguments=given)
