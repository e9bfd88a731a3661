"""The chat template: ChatML as SmolLM2 was trained on, tools in Hermes markup."""

import json
import re
from typing import Any

import jinja2.sandbox

from serving.llm.upcycle.make import template

TOOL = {
    "type": "function",
    "function": {
        "name": "get_labs",
        "description": "Laboratory results",
        "parameters": {"type": "object", "properties": {"analyte": {"type": "string"}}},
    },
}


def rendered(messages: list[dict[str, Any]], **values: Any) -> str:
    """Render as transformers and vLLM do: sandboxed, without block whitespace."""
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string(template()).render(messages=messages, **values)


def test_a_conversation_is_chatml() -> None:
    """The form of SmolLM2's own template, from the tokenizer of its repository."""
    text = rendered(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "ECG?"},
        ],
        add_generation_prompt=True,
    )
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nHello<|im_end|>\n"
        "<|im_start|>assistant\nHi<|im_end|>\n"
        "<|im_start|>user\nECG?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_without_a_system_message_none_is_invented() -> None:
    text = rendered([{"role": "user", "content": "Hello"}])
    assert text == "<|im_start|>user\nHello<|im_end|>\n"


def test_tools_are_told_after_the_system_message_as_json() -> None:
    text = rendered(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Labs?"}],
        tools=[TOOL],
    )
    assert text.startswith("<|im_start|>system\nBe brief.\n\n")
    assert text.count("<|im_start|>system") == 1
    told = re.search(r"<tools>\n(.*)\n</tools>", text)
    assert told is not None
    assert json.loads(told[1]) == TOOL["function"]


def test_calls_and_their_results_come_back_in_the_markup_of_hermes() -> None:
    calls = [
        {"function": {"name": "get_labs", "arguments": {"analyte": "肌钙蛋白"}}},
        {"function": {"name": "get_labs", "arguments": '{"analyte": "d-dimer"}'}},
    ]
    text = rendered(
        [
            {"role": "user", "content": "Labs?"},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "content": '{"value": 57}'},
        ],
        tools=[TOOL],
        add_generation_prompt=True,
    )
    found = re.findall(r"<tool_call>\n(.+)\n</tool_call>", text)
    assert [json.loads(one) for one in found[1:]] == [  # the first is the example of the form
        {"name": "get_labs", "arguments": {"analyte": "肌钙蛋白"}},
        {"name": "get_labs", "arguments": {"analyte": "d-dimer"}},
    ]
    assert '<tool_response>\n{"value": 57}\n</tool_response><|im_end|>' in text
    assert text.endswith("<|im_start|>assistant\n")
