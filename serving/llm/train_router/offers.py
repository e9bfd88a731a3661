"""The tools that stand in the prompt of a trace: those that retrieval finds for its request.

Requests of traces are made of the words that retrieval knows, so it nearly always finds the right
tool first; with requests of people it does not. So the right tool stays first in half of the traces
only, and is put to any place in the others: what stands first is a hint and not the answer.
"""

import random
from collections.abc import Sequence

from agent.router_planner.shortlist import TAKEN, TAKEN_OF_A_CASE, ToolIndex
from serving.llm.train_router.traces import Trace

_STAYS_FIRST = 0.5
_OTHERS = 2
"""Tools offered at least beside those of a reply that names many."""


def with_offers(found: Sequence[Trace], index: ToolIndex, *, seed: int) -> tuple[Trace, ...]:
    """Return traces with the tools that are offered; equal seeds give equal lists.

    Args:
        found: Without.
        index: Finds tools by the request, as it does where the router is used.
        seed: Of the places.
    """
    chance = random.Random(seed)  # noqa: S311  training data, no secret
    return tuple(
        trace.model_copy(update={"offered": _offered(trace, index, chance)}) for trace in found
    )


def _offered(trace: Trace, index: ToolIndex, chance: random.Random) -> tuple[str, ...]:
    needed = list(dict.fromkeys(trace.needed))
    count = TAKEN_OF_A_CASE if trace.kind == "plan" else max(TAKEN, len(needed) + _OTHERS)
    near = [name for name in index.shortlist(trace.request, count=count) if name not in needed]
    names = near[: count - len(needed)]
    if chance.random() < _STAYS_FIRST:
        return (*needed, *names)
    for name in needed:
        names.insert(chance.randint(0, len(names)), name)
    return tuple(names)
