"""From the router's reply to calls that may be made: what a small model gets wrong, code decides.

Whatever the reply says, a tool is one that was offered, an id is one of the case, and a call is
made only where the case has what the tool cannot do without. An id that the request itself names
and the case does not have is never replaced by another.
"""

import re
from collections.abc import Collection, Sequence

from agent.calls import MAX_EVIDENCE, AskedCall, RefusedCall
from agent.router_planner.compact import Reply
from agent.router_planner.evidence import RouterItem, lacking, readable
from agent.untrusted import one_line
from knowledge.model import Frozen

_ID = re.compile(
    r"(?<![a-z])(?:ecg|lab|vital|fact|note|film|ct|mask|nodule|slide|field|region|counts|reading)"
    r"-\d+(?!\d)",
    re.IGNORECASE,
)
_NAME = 60


class Lacks(Frozen):
    """A tool that the request means and that cannot be run yet.

    Args:
        tool: Its name.
        missing: What the case does not have.
    """

    tool: str
    missing: tuple[str, ...]


class Routed(Frozen):
    """What a request comes to.

    Args:
        calls: To be made.
        refused: What the model asked for and may not have, with the reason.
        ask: What a person has to be asked for first.
        unclear: Whether the request does not say which tool is meant.
        none: Whether no tool is meant.
    """

    calls: tuple[AskedCall, ...] = ()
    refused: tuple[RefusedCall, ...] = ()
    ask: tuple[Lacks, ...] = ()
    unclear: bool = False
    none: bool = False


def settle(
    reply: Reply, request: str, items: Sequence[RouterItem], offered: Collection[str]
) -> Routed:
    """Return what is left of a reply after the guards.

    Args:
        reply: As read.
        request: As typed; ids that it names are binding.
        items: The case.
        offered: Tools that may be called.
    """
    known = {item.id for item in items}
    named = {found.casefold() for found in _ID.findall(request)}
    foreign = sorted(named - known)
    calls: list[AskedCall] = []
    refused: list[RefusedCall] = []
    ask: dict[str, Lacks] = {}
    for tool, ids in reply.calls.items():
        invented = [i for i in ids if i not in known]
        if tool not in offered:
            refused.append(_refused(tool, ids, "no such tool"))
        elif invented:
            refused.append(_refused(tool, ids, f"not in the case: {_shown(invented)}"))
        elif foreign:
            ask[tool] = Lacks(tool=tool, missing=tuple(foreign))
        elif missing := lacking(tool, items):
            ask[tool] = Lacks(tool=tool, missing=missing)
        else:
            evidence = _evidence(tool, ids, items, named)
            calls.append(AskedCall(tool=tool, evidence=evidence))
    for tool in reply.ask:
        if tool in offered and tool not in ask:
            ask[tool] = Lacks(tool=tool, missing=lacking(tool, items) or tuple(foreign))
    return Routed(
        calls=tuple(calls),
        refused=tuple(refused),
        ask=tuple(ask.values()),
        unclear=reply.unclear and not calls and not ask,
        none=reply.none and not calls and not ask and not refused,
    )


def _evidence(
    tool: str, ids: Sequence[str], items: Sequence[RouterItem], named: Collection[str]
) -> tuple[str, ...]:
    """Return the ids of a call: those that the request names, else everything the tool reads.

    Of several recordings or images under one label the model's choice is kept: which one is meant
    is a matter of the words. Results of one analyte are a series and belong together.
    """
    takes = readable(tool, items)
    meant = [item.id for item in takes if item.id in named]
    if meant:
        return tuple(meant[:MAX_EVIDENCE])
    labels = [item.label for item in takes]
    choice = {i.id for i in takes if labels.count(i.label) > 1 and not i.id.startswith("lab-")}
    picked = choice & set(ids) or choice
    return tuple(i.id for i in takes if i.id not in choice or i.id in picked)[:MAX_EVIDENCE]


def _refused(tool: str, ids: Sequence[str], reason: str) -> RefusedCall:
    shown = tuple(one_line(i, limit=_NAME) for i in ids)
    return RefusedCall(tool=one_line(tool, limit=_NAME), evidence=shown, reason=reason)


def _shown(ids: Sequence[str]) -> str:
    return ", ".join(one_line(i, limit=_NAME) for i in ids)
