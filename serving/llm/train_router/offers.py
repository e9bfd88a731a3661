"""The tools that stand in the prompt of a trace: those that retrieval finds for its request.

Where retrieval finds every tool of the reply its order is mostly kept, so that the model learns how
far a first place is to be trusted. Requests that name a tool are found nearly always, those of
people less often; so in the rest of the traces the right tool is put to any place.
"""

import random
from collections.abc import Sequence

from agent.router_planner.shortlist import TAKEN, TAKEN_OF_A_CASE, ToolIndex
from serving.llm.train_router.traces import Trace

_ORDER_KEPT = 0.7
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
    near = index.shortlist(trace.request, count=count)
    if set(needed) <= set(near) and chance.random() < _ORDER_KEPT:
        return near
    names = [name for name in near if name not in needed][: count - len(needed)]
    for name in needed:
        names.insert(chance.randint(0, len(names)), name)
    return tuple(names)
