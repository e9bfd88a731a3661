r"""What the router reads and writes, in as few tokens as can be: no descriptions, no values.

The prompt is one line with the items of the case, the request under it, and the few tools that
retrieval found, nearest first; ``?`` behind one says that the case lacks what it needs, which code
knows from its card. The reply is a JSON
list of short lines: ``"anion_gap lab-1 lab-2"`` calls a tool on items; ``"ask_user anion_gap"``
says that the case lacks what the tool needs, ``"ask_user"`` that the request does not say which
tool, ``"no_tool"`` that none is meant. The model was trained on exactly this form.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent.calls import MAX_EVIDENCE
from agent.llm.seam import ChatRequest, Message
from agent.router_planner.evidence import RouterItem, lacking
from agent.untrusted import one_line
from knowledge.model import Frozen

PURPOSE = "route"
FORM = "router/3"
"""Version of this form; a model trained on another one cannot be used."""

ASK, NONE = "ask_user", "no_tool"
LACKS = "?"
"""Behind the name of a tool that the case lacks something for."""

MAX_CALLS = 8
MOST_NAMES = 16
"""Tools shown; where nothing is near a request all may be called, and none is shown."""
MAX_ITEMS = 24
"""Items shown: the longest trace that the model was trained on has fewer."""

_REQUEST = 300
"""Characters of a request that are read."""
_LABEL = 24
_TOKENS_BASE, _TOKENS_A_LINE = 8, 28
_TIMEOUT_S = 30.0


class Reply(Frozen):
    """A reply taken apart, before any guard.

    Args:
        calls: Tool to ids, as written.
        ask: Tools whose evidence is said to be missing.
        unclear: Whether it asks which tool is meant.
        none: Whether it says that no tool is meant.
    """

    calls: Mapping[str, tuple[str, ...]] = {}
    ask: tuple[str, ...] = ()
    unclear: bool = False
    none: bool = False


def prompt_text(request: str, items: Sequence[RouterItem], names: Sequence[str] = ()) -> str:
    r"""Return the prompt.

    Examples:
        >>> items = [RouterItem(id="ecg-1", label="12-lead ECG")]
        >>> prompt_text("read it", items, ["ecg_analysis", "anion_gap"])
        'ecg-1 12-lead ECG\nread it\necg_analysis anion_gap?'
    """
    shown = "; ".join(f"{item.id} {short(item.label)}" for item in items[:MAX_ITEMS])
    tools = f"\n{_marked(names, items)}" if 0 < len(names) <= MOST_NAMES else ""
    return f"{shown or '-'}\n{one_line(request, limit=_REQUEST)}{tools}"


def _marked(names: Sequence[str], items: Sequence[RouterItem]) -> str:
    return " ".join(f"{name}{LACKS}" if lacking(name, items) else name for name in names)


def reply_text(lines: Iterable[str]) -> str:
    """Return a reply as the model is to write it: JSON without spaces between the lines."""
    return "[" + ",".join(f'"{line}"' for line in lines) + "]"


def route_request(
    request: str,
    items: Sequence[RouterItem],
    names: Sequence[str],
    *,
    timeout_s: float = _TIMEOUT_S,
) -> ChatRequest:
    """Return the request to the model.

    Args:
        request: What is asked, as typed.
        items: The case.
        names: Tools it may name.
        timeout_s: Most seconds.
    """
    return ChatRequest(
        purpose=PURPOSE,
        prompt=FORM,
        messages=(Message(role="user", content=prompt_text(request, items, names)),),
        json_schema=reply_schema(names, [item.id for item in items[:MAX_ITEMS]]),
        max_tokens=_TOKENS_BASE + _TOKENS_A_LINE * MAX_CALLS,
        timeout_s=timeout_s,
    )


def reply_schema(names: Sequence[str], ids: Sequence[str]) -> dict[str, Any]:
    """Return the schema of a reply: tools that are offered, ids that are in the case.

    Raises:
        ValueError: No tool is offered: there is nothing to choose from.
    """
    if not names:
        raise ValueError("no tool is offered")
    tool = f"({'|'.join(map(re.escape, names))})"
    asks = f"{ASK}( {tool})?"
    lines = [asks, NONE]
    if ids:
        one = f"({'|'.join(_plain(i) for i in ids)})"
        lines.insert(0, f"{tool}( {one}){{1,{MAX_EVIDENCE}}}")
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_CALLS,
        "items": {"type": "string", "pattern": f"^({'|'.join(lines)})$"},
    }


def read_reply(data: object) -> Reply:
    """Return a reply taken apart; what is no line of this form is passed over.

    Examples:
        >>> read_reply(["anion_gap lab-1 lab-2", "ask_user heart"]).calls
        {'anion_gap': ('lab-1', 'lab-2')}
    """
    calls: dict[str, tuple[str, ...]] = {}
    ask: dict[str, None] = {}
    unclear = none = False
    for line in data if isinstance(data, list) else ():
        head, *rest = line.split() if isinstance(line, str) and line.strip() else ("",)
        if head == NONE:
            none = True
        elif head == ASK:
            ask.update(dict.fromkeys(rest))
            unclear = unclear or not rest
        elif head:
            calls.setdefault(head, tuple(dict.fromkeys(rest)))
    return Reply(calls=calls, ask=tuple(ask), unclear=unclear, none=none)


def short(label: str) -> str:
    """Return a label of at most 24 characters, cut between words.

    Examples:
        >>> short("Known atrial fibrillation or flutter")
        'Known atrial'
    """
    clean = one_line(label, limit=4 * _LABEL)
    if len(clean) <= _LABEL:
        return clean
    return clean[: _LABEL + 1].rpartition(" ")[0] or clean[:_LABEL]


def _plain(item_id: str) -> str:
    """Return an id for a pattern; ``-`` needs no escape there, and some servers take none."""
    return re.escape(item_id).replace("\\-", "-")
