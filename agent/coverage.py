"""Coverage: which fitting tool is unused, and what datum would unlock it.

Code can say it without a model (`coverage_facts`). The model is asked once, after the first round,
and is forced to look: it may ask for tools it left out, and name the data worth asking for.
"""

from collections.abc import Collection, Sequence
from typing import Any

from agent.calls import (
    AskedCall,
    Guarded,
    RefusedCall,
    calls_schema,
    guard_calls,
    question_refusal,
)
from agent.case_summary import CaseSummary
from agent.fitting import FittingTool, UnfitTool
from agent.llm.errors import LLMIncoherentError
from agent.llm.seam import LLM, ChatRequest, Message
from agent.plan import CASE_LIMIT, Plan, tool_lines
from agent.prompts import load_prompt
from agent.untrusted import fenced, one_line
from knowledge.clinical_inputs import catalogue
from knowledge.model import Frozen
from knowledge.passages import Language

PURPOSE = "coverage"

MAX_UNLOCKS = 4
"""Pairs of a tool and a datum: what a person can be asked at once."""

_TOKENS_BASE, _TOKENS_A_CALL, _TOKENS_AN_UNLOCK = 32, 32, 32
_TIMEOUT_S = 120.0
_NAME = 60


class Unlock(Frozen):
    """A datum that would let a tool say more.

    Args:
        tool: The tool.
        input: The clinical input to ask for.
    """

    tool: str
    input: str


class UnusedTool(Frozen):
    """A tool that was not run.

    Args:
        tool: Its name.
        reason: Why: not asked for, or why it does not fit.
        unlock: Clinical inputs that would let it say something, or say more.
    """

    tool: str
    reason: str
    unlock: tuple[str, ...] = ()


class CoverageFacts(Frozen):
    """What was not run, as code sees it.

    Args:
        unused: Every tool that was not run.
        unlock: Pairs of such a tool and a clinical input that a person can give it.
    """

    unused: tuple[UnusedTool, ...]
    unlock: tuple[tuple[str, str], ...]


class CoverageLook(Frozen):
    """What the forced look gave.

    Args:
        more: Further calls that may be made.
        unlock: Data worth asking for, each with the tool it unlocks.
        refused: What was asked for and may not be, with the reason.
        exchange_key: Key of the recorded exchange; empty where nothing was left to look at.
    """

    more: tuple[AskedCall, ...] = ()
    unlock: tuple[Unlock, ...] = ()
    refused: tuple[RefusedCall, ...] = ()
    exchange_key: str = ""


def coverage_facts(
    tools: Sequence[FittingTool], unfit: Sequence[UnfitTool], done: Collection[str]
) -> CoverageFacts:
    """Return every tool that was not run, with the data that would unlock it; by code alone.

    Args:
        tools: Tools that fit the case.
        unfit: Tools that do not.
        done: Names of the tools that were run.
    """
    unused = [
        UnusedTool(tool=t.name, reason="fits the case, not asked for", unlock=t.unmet)
        for t in tools
        if t.name not in done
    ]
    refused = [
        UnusedTool(tool=t.name, reason=t.reason, unlock=t.unlock)
        for t in unfit
        if t.name not in done
    ]
    every = (*unused, *refused)
    pairs = ((t.tool, key) for t in every for key in t.unlock)
    return CoverageFacts(
        unused=every,
        unlock=tuple((tool, key) for tool, key in pairs if not catalogue().get(key).tool),
    )


async def look_again(
    llm: LLM,
    summary: CaseSummary,
    plan: Plan | None,
    done: Collection[str],
    unused: Sequence[FittingTool],
    unfit: Sequence[UnfitTool],
    *,
    language: Language,
    timeout_s: float = _TIMEOUT_S,
) -> CoverageLook:
    """Return what the language model adds on a second, forced look.

    Args:
        llm: The model.
        summary: What it sees of the case.
        plan: Its plan; None where there was none.
        done: Names of the tools that were run.
        unused: Fitting tools that were not run.
        unfit: Tools that do not fit, with what would let them in.
        language: Of the prompt.
        timeout_s: Most seconds.

    Raises:
        LLMError: It gave nothing that can be used.
    """
    used = _used(plan, done)
    left = [tool for tool in unused if tool.name not in used]
    pairs = unlock_pairs(summary, left, unfit)
    if not left and not pairs:
        return CoverageLook()
    request = look_request(summary, plan, done, left, unfit, language=language, timeout_s=timeout_s)
    reply = await llm.chat(request)
    if not isinstance(reply.data, dict):
        raise LLMIncoherentError(PURPOSE, "the reply is not an object", "ask another model")
    guarded = (
        guard_calls(reply.data.get("more"), summary, left, unfit=unfit, done=used)
        if left
        else Guarded()
    )
    unlock, refused = _guard_unlocks(reply.data.get("unlock"), summary, pairs)
    return CoverageLook(
        more=guarded.asked,
        unlock=unlock,
        refused=guarded.refused + refused,
        exchange_key=request.key,
    )


def look_request(
    summary: CaseSummary,
    plan: Plan | None,
    done: Collection[str],
    unused: Sequence[FittingTool],
    unfit: Sequence[UnfitTool],
    *,
    language: Language,
    timeout_s: float = _TIMEOUT_S,
) -> ChatRequest:
    """Return the request of the second look: the case first, then what is left."""
    prompt = load_prompt(PURPOSE, language)
    pairs = unlock_pairs(summary, unused, unfit)
    closed = "\n".join(f"- {t.name}: {t.reason}" for t in unfit if t.name in pairs)
    rules = prompt.render(
        done=", ".join(sorted(_used(plan, done))) or "-",
        unused=tool_lines(unused) or "-",
        closed=closed or "-",
        unlock="\n".join(f"- {tool}: {', '.join(keys)}" for tool, keys in pairs.items()) or "-",
    )
    schema = look_schema(unused, pairs)
    most = _TOKENS_BASE + _TOKENS_A_CALL * len(unused) + _TOKENS_AN_UNLOCK * MAX_UNLOCKS
    return ChatRequest(
        purpose=PURPOSE,
        prompt=prompt.id,
        messages=(
            Message(role="system", content=rules),
            Message(role="user", content=fenced(summary.text, label="case", limit=CASE_LIMIT)),
        ),
        json_schema=schema,
        max_tokens=most,
        timeout_s=timeout_s,
    )


def look_schema(unused: Sequence[FittingTool], pairs: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the schema of the reply: further calls, and pairs of a tool and its own data."""
    nothing: dict[str, Any] = {
        "type": "array",
        "maxItems": 0,
        "items": {"type": "string", "maxLength": 1},
    }
    unlock = {
        "type": "array",
        "maxItems": MAX_UNLOCKS,
        "items": {"anyOf": [_pair_schema(tool, keys) for tool, keys in pairs.items()]},
    }
    return {
        "type": "object",
        "properties": {
            "more": calls_schema(unused) if unused else nothing,
            "unlock": unlock if pairs else nothing,
        },
        "required": ["more", "unlock"],
        "additionalProperties": False,
    }


def unlock_pairs(
    summary: CaseSummary, unused: Sequence[FittingTool], unfit: Sequence[UnfitTool]
) -> dict[str, tuple[str, ...]]:
    """Return, for each tool left, the data a person could give that it waits for."""
    waits = [(t.name, t.unmet) for t in unused] + [(t.name, t.unlock) for t in unfit]
    askable = {
        name: tuple(k for k in keys if question_refusal(k, summary) is None) for name, keys in waits
    }
    return {name: keys for name, keys in askable.items() if keys}


def _used(plan: Plan | None, done: Collection[str]) -> set[str]:
    """Return the tools that were run or asked for."""
    return {*done, *(plan.tools if plan is not None else ())}


def _pair_schema(tool: str, keys: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"tool": {"const": tool}, "input": {"enum": list(keys)}},
        "required": ["tool", "input"],
        "additionalProperties": False,
    }


def _guard_unlocks(
    raw: object, summary: CaseSummary, pairs: dict[str, tuple[str, ...]]
) -> tuple[tuple[Unlock, ...], tuple[RefusedCall, ...]]:
    """Return the pairs that may be asked for, and the others with the reason."""
    kept: list[Unlock] = []
    refused: list[RefusedCall] = []
    for item in raw[: 4 * MAX_UNLOCKS] if isinstance(raw, list) else ():
        tool = str(item.get("tool", "")) if isinstance(item, dict) else ""
        key = str(item.get("input", "")) if isinstance(item, dict) else ""
        reason = _pair_refusal(tool, key, summary, pairs)
        if reason is None and any(u.input == key and u.tool == tool for u in kept):
            reason = "already asked for"
        if reason is None and len(kept) == MAX_UNLOCKS:
            reason = f"more than {MAX_UNLOCKS} questions"
        if reason is None:
            kept.append(Unlock(tool=tool, input=key))
            continue
        shown = one_line(key, limit=_NAME)
        refused.append(
            RefusedCall(tool=one_line(tool, limit=_NAME), evidence=(shown,), reason=reason)
        )
    order = list(catalogue().inputs)
    return tuple(sorted(kept, key=lambda u: (order.index(u.input), u.tool))), tuple(refused)


def _pair_refusal(
    tool: str, key: str, summary: CaseSummary, pairs: dict[str, tuple[str, ...]]
) -> str | None:
    unaskable = question_refusal(key, summary)
    if unaskable is not None:
        return unaskable
    if tool not in pairs:
        return "no tool that waits for anything"
    return None if key in pairs[tool] else "not what this tool waits for"
