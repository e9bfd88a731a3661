"""Tool calls as a language model may ask for them, and the guards every one of them passes.

The reply decides about every tool that fits: its name, and ids of the evidence it is to read; none,
no call. A small model that must decide on each tool leaves fewer out than one that lists what
comes to its mind. There is no place for a number or for free words: what a tool computes with is
read from the record by code. The guards hold whether or not the server kept to the schema.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.case_summary import CaseSummary
from agent.fitting import FittingTool, UnfitTool
from agent.untrusted import one_line
from knowledge.clinical_inputs import catalogue
from knowledge.model import Frozen

MAX_EVIDENCE = 3
"""Ids a call names: enough to say what it rests on, few enough for a small model to write."""

MAX_ASKED = 4
"""Questions a plan may put to the user."""

_MOST_CALLS = 100
"""Calls of one reply that are looked at: several times the tools there are."""

_LONGEST = 60
"""Characters of an unknown name that are kept to be shown."""


class AskedCall(Frozen):
    """A call that passed every guard.

    Args:
        tool: Name of a tool that fits the case.
        evidence: Ids of the case that it takes.
    """

    tool: str
    evidence: tuple[str, ...]


class RefusedCall(Frozen):
    """A call that was not made.

    Args:
        tool: As asked for, cleaned; ``ask_user`` for a question.
        evidence: As asked for, cleaned.
        reason: Which guard refused it.
    """

    tool: str
    evidence: tuple[str, ...] = ()
    reason: str


class Guarded(Frozen):
    """What is left of the calls of one reply."""

    asked: tuple[AskedCall, ...] = ()
    refused: tuple[RefusedCall, ...] = ()


def calls_schema(tools: Sequence[FittingTool]) -> dict[str, Any]:
    """Return the schema of the calls: every tool by name, with ids from its own list or none."""
    return {
        "type": "object",
        "properties": {t.name: keys_schema(t.allowed, most=MAX_EVIDENCE) for t in tools},
        "required": [tool.name for tool in tools],
        "additionalProperties": False,
    }


def keys_schema(keys: Sequence[str], *, most: int) -> dict[str, Any]:
    """Return the schema of a list of given words."""
    if not keys:
        return {"type": "array", "maxItems": 0, "items": {"type": "string", "maxLength": 1}}
    return {"type": "array", "maxItems": most, "items": {"enum": list(keys)}}


def guard_calls(
    raw: Any,
    summary: CaseSummary,
    tools: Sequence[FittingTool],
    *,
    unfit: Iterable[UnfitTool] = (),
    done: Iterable[str] = (),
) -> Guarded:
    """Return the calls that may be made, and those that may not with the reason.

    Args:
        raw: What the model wrote where the calls belong; anything.
        summary: The case; an id that is not in it was made up.
        tools: What may be asked for.
        unfit: Tools that exist and do not fit, for the reason given.
        done: Tools asked for before.
    """
    if not isinstance(raw, dict):
        return Guarded(refused=(RefusedCall(tool="", reason="not a set of calls"),))
    offered = {tool.name: tool for tool in tools}
    reasons = {tool.name: tool.reason for tool in unfit}
    seen = set(done)
    asked: list[AskedCall] = []
    refused: list[RefusedCall] = []
    for name, ids in list(raw.items())[:_MOST_CALLS]:
        evidence = _evidence(ids)
        if not evidence:
            continue
        refusal = _refusal(name, evidence, summary, offered, reasons, seen)
        if refusal is None:
            seen.add(name)
            asked.append(AskedCall(tool=name, evidence=tuple(dict.fromkeys(evidence))))
            continue
        shown = tuple(_name(e) for e in evidence)
        refused.append(RefusedCall(tool=_name(name), evidence=shown, reason=refusal))
    return Guarded(asked=tuple(asked), refused=tuple(refused))


def question_refusal(key: object, summary: CaseSummary) -> str | None:
    """Return why a question may not be put to the user; None where it may."""
    if not isinstance(key, str) or key not in catalogue().inputs:
        return "not a clinical input of the catalogue"
    if catalogue().get(key).tool:
        return "a tool answers it, not a person"
    if key not in summary.unanswered:
        return "the record already answers it"
    return None


def _evidence(ids: object) -> tuple[str, ...]:
    """Return the ids of one call as written; what is no text is an empty name, which is refused."""
    listed = ids if isinstance(ids, list) else [ids] if ids else []
    return tuple(e if isinstance(e, str) else "" for e in listed[: 4 * MAX_EVIDENCE])


def _refusal(
    name: str,
    evidence: Sequence[str],
    summary: CaseSummary,
    offered: Mapping[str, FittingTool],
    unfit: Mapping[str, str],
    seen: set[str],
) -> str | None:
    """Return the first guard that refuses a call, in words; None where all let it pass."""
    if name in unfit:
        return f"does not fit the case: {unfit[name]}"
    tool = offered.get(name)
    if tool is None:
        return "already asked for" if name in seen else "no such tool"
    if name in seen:
        return "already asked for"
    invented = [e for e in evidence if e not in summary.ids]
    if invented:
        return f"not in the case: {', '.join(_name(e) or 'nothing' for e in invented)}"
    wrong = [e for e in evidence if e not in tool.allowed]
    if wrong:
        return f"not evidence that this tool takes: {', '.join(wrong)}"
    return None


def _name(value: object) -> str:
    return one_line(value, limit=_LONGEST) if isinstance(value, str) else ""
