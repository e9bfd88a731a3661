"""The plan: which tools the language model asks for, and how that differs from the pathway's floor.

One call of the model. Whatever it answers, what the pathway requires runs; the difference is kept.
"""

from collections.abc import Collection, Sequence
from typing import Any

from agent.calls import (
    MAX_ASKED,
    AskedCall,
    RefusedCall,
    calls_schema,
    guard_calls,
    keys_schema,
    question_refusal,
)
from agent.case_summary import CaseSummary
from agent.fitting import FittingTool, UnfitTool
from agent.llm.errors import LLMIncoherentError
from agent.llm.seam import LLM, ChatRequest, Message
from agent.prompts import load_prompt
from agent.untrusted import fenced, one_line
from knowledge.clinical_inputs import catalogue
from knowledge.model import Frozen
from knowledge.passages import Language

PURPOSE = "plan"

CASE_LIMIT = 6000
"""Characters of a summary that a prompt takes: three times the longest bundled example."""

_TOKENS_BASE, _TOKENS_A_CALL = 96, 32
"""Tokens of a reply: the frame with its questions, and one call with three ids."""

_TIMEOUT_S = 120.0
"""A reply of a 1.5-billion model on two busy cores is complete in half of this."""

_NAME = 60


class Plan(Frozen):
    """What the language model asked for, guarded.

    Args:
        asked: Calls that may be made.
        refused: What it asked for and may not have, with the reason.
        ask_user: Clinical inputs it would ask a person for.
        exchange_key: Key of the recorded exchange.
    """

    asked: tuple[AskedCall, ...] = ()
    refused: tuple[RefusedCall, ...] = ()
    ask_user: tuple[str, ...] = ()
    exchange_key: str = ""

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools asked for, in order."""
        return tuple(call.tool for call in self.asked)


class FloorDifference(Frozen):
    """The plan beside what the pathway requires.

    Args:
        asked: Tools the plan asked for.
        required: Tools that run whatever anybody asks for.
        added_by_floor: Required tools the plan did not ask for.
        beyond_the_pathway: Tools asked for that the pathway does not have.
    """

    asked: tuple[str, ...]
    required: tuple[str, ...]
    added_by_floor: tuple[str, ...]
    beyond_the_pathway: tuple[str, ...]


async def plan(
    llm: LLM,
    summary: CaseSummary,
    tools: Sequence[FittingTool],
    *,
    language: Language,
    unfit: Sequence[UnfitTool] = (),
    timeout_s: float = _TIMEOUT_S,
) -> Plan:
    """Return what the language model asks for, in one call.

    Args:
        llm: The model.
        summary: What it sees of the case.
        tools: What it may ask for.
        language: Of the prompt.
        unfit: Tools that do not fit, so that a call of one is refused with the reason.
        timeout_s: Most seconds.

    Raises:
        LLMError: It gave nothing that can be used.
    """
    questions = tuple(k for k in summary.unanswered if question_refusal(k, summary) is None)
    request = plan_request(summary, tools, questions, language=language, timeout_s=timeout_s)
    reply = await llm.chat(request)
    if not isinstance(reply.data, dict):
        raise LLMIncoherentError(PURPOSE, "the reply is not an object", "ask another model")
    guarded = guard_calls(reply.data.get("calls"), summary, tools, unfit=unfit)
    asked, refused = guard_questions(reply.data.get("ask_user"), summary)
    return Plan(
        asked=guarded.asked,
        refused=guarded.refused + refused,
        ask_user=asked,
        exchange_key=request.key,
    )


def plan_request(
    summary: CaseSummary,
    tools: Sequence[FittingTool],
    questions: Sequence[str],
    *,
    language: Language,
    timeout_s: float = _TIMEOUT_S,
) -> ChatRequest:
    """Return the request of a plan: rules and tool cards first, then the case as data."""
    prompt = load_prompt(PURPOSE, language)
    return ChatRequest(
        purpose=PURPOSE,
        prompt=prompt.id,
        messages=(
            Message(role="system", content=prompt.render(tools=tool_lines(tools))),
            Message(role="user", content=fenced(summary.text, label="case", limit=CASE_LIMIT)),
        ),
        json_schema=plan_schema(tools, questions),
        max_tokens=_TOKENS_BASE + _TOKENS_A_CALL * len(tools),
        timeout_s=timeout_s,
    )


def plan_schema(tools: Sequence[FittingTool], questions: Sequence[str]) -> dict[str, Any]:
    """Return the schema of a plan's reply."""
    return {
        "type": "object",
        "properties": {
            "calls": calls_schema(tools),
            "ask_user": keys_schema(questions, most=MAX_ASKED),
        },
        "required": ["calls", "ask_user"],
        "additionalProperties": False,
    }


def tool_lines(tools: Sequence[FittingTool]) -> str:
    """Return one line for each tool: name, card, kinds of evidence."""
    return "\n".join(f"- {t.name} ({', '.join(t.kinds)}): {t.card}" for t in tools)


def guard_questions(
    raw: object, summary: CaseSummary
) -> tuple[tuple[str, ...], tuple[RefusedCall, ...]]:
    """Return the questions that may be put to the user, and the refused ones."""
    asked: dict[str, None] = {}
    refused: list[RefusedCall] = []
    for key in raw[: 4 * MAX_ASKED] if isinstance(raw, list) else ():
        reason = question_refusal(key, summary)
        if reason is None and key not in asked and len(asked) == MAX_ASKED:
            reason = f"more than {MAX_ASKED} questions"
        if reason is None:
            asked[key] = None
        else:
            shown = one_line(key, limit=_NAME) if isinstance(key, str) else ""
            refused.append(RefusedCall(tool="ask_user", evidence=(shown,), reason=reason))
    in_order = tuple(key for key in catalogue().inputs if key in asked)
    return in_order, tuple(refused)


def floor(
    planned: Plan | None, required: Sequence[str], pathway_tools: Collection[str]
) -> FloorDifference:
    """Return how a plan differs from what the pathway requires.

    Args:
        planned: The plan; None where there was none, so that the floor is everything.
        required: Tools that run whatever anybody asks for.
        pathway_tools: Every tool of the pathway.
    """
    asked = planned.tools if planned is not None else ()
    return FloorDifference(
        asked=asked,
        required=tuple(required),
        added_by_floor=tuple(tool for tool in required if tool not in asked),
        beyond_the_pathway=tuple(tool for tool in asked if tool not in pathway_tools),
    )
