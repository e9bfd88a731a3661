"""Forms in which models write tool calls and thoughts, and the vLLM parser that reads each.

Where one of them stands in the text of a reply, no parser or the wrong one is set. Forms and parser
names as in vLLM 0.32.0 (``vllm/tool_parsers``, ``vllm/reasoning``); where several parsers read the
same opening, the profile of the model decides.
"""

import re
from collections.abc import Sequence

from knowledge.model import Frozen


class Form(Frozen):
    """One way of writing.

    Args:
        name: What is seen.
        pattern: Regular expression that finds it in a reply.
        parsers: vLLM parsers that read it, the usual one first; empty where none does.
    """

    name: str
    pattern: str
    parsers: tuple[str, ...]


TOOL_FORMS: tuple[Form, ...] = (
    Form(
        name="<tool_call> with <function=...>",
        pattern=r"<tool_call>\s*<function=",
        parsers=("qwen3_coder", "qwen3_xml"),
    ),
    Form(
        name="<tool_call> with <arg_key>",
        pattern=r"<tool_call>[^{<]{1,80}<arg_key>",
        parsers=("glm45", "glm47"),
    ),
    Form(name="<tool_call> with JSON", pattern=r"<tool_call>\s*\{", parsers=("hermes",)),
    Form(name="[TOOL_CALLS]", pattern=r"\[TOOL_CALLS\]", parsers=("mistral",)),
    Form(
        name="<｜tool▁calls▁begin｜> with a fence of JSON",  # noqa: RUF001
        pattern=r"<｜tool▁calls▁begin｜>(?s:.){0,120}<｜tool▁sep｜>\w+\s*```json",  # noqa: RUF001
        parsers=("deepseek_v3",),
    ),
    Form(
        name="<｜tool▁calls▁begin｜>",  # noqa: RUF001
        pattern=r"<｜tool▁calls?▁begin｜>",  # noqa: RUF001
        parsers=("deepseek_v31", "deepseek_v3"),
    ),
    Form(
        name="<|channel|>commentary to=functions",
        pattern=r"<\|channel\|>commentary[^<]{0,20}to=functions",
        parsers=("openai",),
    ),
    Form(
        name="<|tool_calls_section_begin|>",
        pattern=r"<\|tool_calls?_section_begin\|>",
        parsers=("kimi_k2",),
    ),
    Form(name="<minimax:tool_call>", pattern=r"<minimax:tool_call>", parsers=("minimax_m2",)),
    Form(name="<seed:tool_call>", pattern=r"<seed:tool_call>", parsers=("seed_oss",)),
    Form(
        name="<start_function_call>",
        pattern=r"<start_function_call>",
        parsers=("functiongemma",),
    ),
    Form(name="<|tool_call_start|>", pattern=r"<\|tool_call_start\|>", parsers=("lfm2",)),
    Form(name="<|START_ACTION|>", pattern=r"<\|START_ACTION\|>", parsers=("cohere_command3",)),
    Form(name="<|python_tag|>", pattern=r"<\|python_tag\|>", parsers=("llama3_json",)),
    Form(name="<tools> with JSON", pattern=r"<tools>\s*\{", parsers=()),
    Form(
        name="a fence of JSON with a call",
        pattern=r"```(?:json)?\s*\[?\s*\{\s*\"name\"\s*:",
        parsers=(),
    ),
    Form(
        name="bare JSON with name and parameters",
        pattern=r"\A\s*\{\s*\"name\"\s*:\s*\"[\w.-]+\"\s*,\s*\"parameters\"",
        parsers=("llama3_json",),
    ),
    Form(
        name="bare JSON with name and arguments",
        pattern=r"\A\s*\[?\s*\{\s*\"name\"\s*:\s*\"[\w.-]+\"\s*,\s*\"arguments\"",
        parsers=(),
    ),
    Form(
        name="a Python call in brackets",
        pattern=r"\A\s*\[\s*\w+\(\s*\w+\s*=",
        parsers=("pythonic",),
    ),
)

THOUGHT_FORMS: tuple[Form, ...] = (
    Form(
        name="<|channel|>analysis",
        pattern=r"<\|channel\|>analysis",
        parsers=("openai_gptoss",),
    ),
    Form(name="[THINK]", pattern=r"\[/?THINK\]", parsers=("mistral",)),
    Form(name="<seed:think>", pattern=r"</?seed:think>", parsers=("seed_oss",)),
    Form(name="<|START_THINKING|>", pattern=r"<\|START_THINKING\|>", parsers=("cohere_command3",)),
    Form(name="<think>", pattern=r"<think>", parsers=("qwen3", "deepseek_r1", "glm45")),
    Form(
        name="</think> without its beginning",
        pattern=r"</think>",
        parsers=("deepseek_r1", "qwen3"),
    ),
)


def tool_form(text: str) -> Form | None:
    r"""Return the form of a tool call that stands in a text, or None.

    Examples:
        >>> tool_form('<tool_call>\n{"name": "a"}').parsers
        ('hermes',)
        >>> tool_form("There is no call here.") is None
        True
    """
    return _first(TOOL_FORMS, text)


def thought_form(text: str) -> Form | None:
    """Return the form of a thought that stands in a text, or None.

    Examples:
        >>> thought_form("<think>hm</think>Yes.").name
        '<think>'
    """
    return _first(THOUGHT_FORMS, text)


def way_out(form: Form, argument: str, profiled: str | None) -> str:
    """Return what to start vLLM with.

    Args:
        form: What was seen.
        argument: ``--tool-call-parser`` or ``--reasoning-parser``.
        profiled: The parser of the model's profile; None where there is none.
    """
    if profiled is not None:
        return f"start vLLM with {argument} {profiled} (from the profile)"
    if not form.parsers:
        return "no parser of vLLM reads it: ask with a JSON schema, as this product does"
    if len(form.parsers) == 1:
        return f"start vLLM with {argument} {form.parsers[0]}"
    others = " or ".join(form.parsers[1:])
    return f"start vLLM with {argument} {form.parsers[0]} ({others} reads this form too)"


def _first(forms: Sequence[Form], text: str) -> Form | None:
    return next((form for form in forms if re.search(form.pattern, text)), None)
