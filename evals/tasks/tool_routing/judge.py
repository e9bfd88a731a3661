"""Whether an answer to one request is right: tools, ids, refusals. Pure; no model."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from agent.router_planner.settle import Routed
from knowledge.model import Frozen

Refusal = Literal["ask_user", "no_tool"]


class Wanted(Frozen):
    """One call that is right.

    Args:
        tool: Any of these names.
        must: Ids that have to be among those given.
        may: Ids that may be; at least one.
    """

    tool: tuple[str, ...]
    must: tuple[str, ...] = ()
    may: tuple[str, ...]


class Expected(Frozen):
    """What is right for a request.

    Args:
        calls: All of these and no other.
        refusal: In place of calls: ask first, or say that no tool is meant.
        tools: For ``ask_user``, the tool that is meant; any of these, where one is.
    """

    calls: tuple[Wanted, ...] = ()
    refusal: Refusal | None = None
    tools: tuple[str, ...] = ()


class Answer(Frozen):
    """What a system answered.

    Args:
        calls: Tool to ids.
        asks: Whether it asks before any call.
        about: The tools it asks about.
        none: Whether it says that no tool is meant.
        invented: Ids it gave that are not in the case.
    """

    calls: Mapping[str, tuple[str, ...]] = {}
    asks: bool = False
    about: tuple[str, ...] = ()
    none: bool = False
    invented: int = 0


class Verdict(Frozen):
    """What is right of an answer; None where it does not apply.

    Args:
        tool: The calls are those expected, whatever their ids.
        ids: And so are their ids.
        refused: No call was made and the refusal is of the right kind.
        harmless: No call was made where none may be.
        needless: It was refused although it could be answered.
    """

    tool: bool | None = None
    ids: bool | None = None
    refused: bool | None = None
    harmless: bool | None = None
    needless: bool | None = None

    @property
    def right(self) -> bool:
        """Whether the whole answer is."""
        return bool(self.ids or self.refused)


def expected_of(given: Mapping[str, Any]) -> Expected:
    """Return what is right, from a line of ``cases.jsonl``."""
    calls = tuple(Wanted(**call) for call in given.get("calls", ()))
    return Expected(calls=calls, refusal=given.get("refusal"), tools=tuple(given.get("for", ())))


def judge(answer: Answer, expected: Expected) -> Verdict:
    """Return the verdict on an answer."""
    if expected.refusal is None:
        pairs = _paired(answer.calls, expected.calls)
        tool = pairs is not None
        ids = pairs is not None and all(_fits(given, wanted) for given, wanted in pairs)
        return Verdict(tool=tool, ids=ids, needless=not answer.calls)
    if expected.refusal == "no_tool":
        kind = answer.none
    else:
        kind = answer.asks and (not expected.tools or bool(set(answer.about) & set(expected.tools)))
    return Verdict(refused=kind and not answer.calls, harmless=not answer.calls)


def answer_of(routed: Routed, *, invented: int) -> Answer:
    """Return the answer that the guards left over."""
    return Answer(
        calls={call.tool: call.evidence for call in routed.calls},
        asks=bool(routed.ask) or routed.unclear,
        about=tuple(lack.tool for lack in routed.ask),
        none=routed.none,
        invented=invented,
    )


def _paired(
    calls: Mapping[str, tuple[str, ...]], wanted: Sequence[Wanted]
) -> list[tuple[tuple[str, ...], Wanted]] | None:
    """Return each wanted call with the ids given for it; None where the tools are others."""
    if len(calls) != len(wanted):
        return None
    left = dict(calls)
    pairs: list[tuple[tuple[str, ...], Wanted]] = []
    for one in sorted(wanted, key=lambda w: len(w.tool)):
        name = _first(left, one.tool)
        if name is None:
            return None
        pairs.append((left.pop(name), one))
    return pairs


def _first(names: Iterable[str], among: Sequence[str]) -> str | None:
    return next((name for name in names if name in among), None)


def _fits(given: tuple[str, ...], wanted: Wanted) -> bool:
    return bool(given) and set(wanted.must) <= set(given) <= set(wanted.may)
