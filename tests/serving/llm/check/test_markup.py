"""The forms that models write, as vLLM's parsers read them, and none in ordinary words."""

import pytest

from serving.llm.check.markup import thought_form, tool_form, way_out

TOOLS = [
    ('<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>', "hermes"),
    ("<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>", "qwen3_coder"),
    ("<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>", "glm45"),
    ('[TOOL_CALLS][{"name": "f", "arguments": {}}]', "mistral"),
    (
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{}\n```",  # noqa: RUF001
        "deepseek_v3",
    ),
    ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}", "deepseek_v31"),  # noqa: RUF001
    ("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}", "openai"),
    ("<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0", "kimi_k2"),
    ('<minimax:tool_call>\n<invoke name="f">', "minimax_m2"),
    ("<seed:tool_call>\n<function=f>", "seed_oss"),
    ("<start_function_call>call:f{a:1}", "functiongemma"),
    ("<|tool_call_start|>[f(a=1)]<|tool_call_end|>", "lfm2"),
    ('<|START_ACTION|>[{"tool_name": "f"}]', "cohere_command3"),
    ('<|python_tag|>{"name": "f", "parameters": {}}', "llama3_json"),
    ('{"name": "f", "parameters": {"a": 1}}', "llama3_json"),
    ("[f(a=1)]", "pythonic"),
]
UNREADABLE = [
    '```json\n{"name": "f", "arguments": {}}\n```',
    '<tools>\n{"name": "f", "arguments": {}}\n</tools>',
    '{"name": "f", "arguments": {}}',
]
THOUGHTS = [
    ("<think>hm</think>Yes.", "qwen3"),
    ("hm</think>Yes.", "deepseek_r1"),
    ("<|channel|>analysis<|message|>hm", "openai_gptoss"),
    ("[THINK]hm[/THINK]Yes.", "mistral"),
    ("<seed:think>hm</seed:think>", "seed_oss"),
    ("<|START_THINKING|>hm<|END_THINKING|>", "cohere_command3"),
]
PLAIN = [
    "The troponin was 52 ng/L at 08:15.",
    '{"findings": [{"state": "present"}], "sure": true}',
    "I think [1] that the tool f(a=1) would be called.",
    "```json\n{}\n```",
    "",
]


@pytest.mark.parametrize(("text", "parser"), TOOLS, ids=[parser for _, parser in TOOLS])
def test_a_call_left_in_the_text_is_named_with_its_parser(text: str, parser: str) -> None:
    form = tool_form(text)
    assert form is not None
    assert form.parsers[0] == parser


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_form_that_no_parser_reads_is_said_to_be_so(text: str) -> None:
    form = tool_form(text)
    assert form is not None
    assert form.parsers == ()
    assert "JSON schema" in way_out(form, "--tool-call-parser", None)


@pytest.mark.parametrize(("text", "parser"), THOUGHTS, ids=[parser for _, parser in THOUGHTS])
def test_a_thought_left_in_the_text_is_named_with_its_parser(text: str, parser: str) -> None:
    form = thought_form(text)
    assert form is not None
    assert form.parsers[0] == parser


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_words_are_no_markup(text: str) -> None:
    assert tool_form(text) is None
    assert thought_form(text) is None
