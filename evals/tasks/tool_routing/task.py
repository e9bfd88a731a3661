"""Which tools a request in plain words gets, with which items, and what is refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.router_planner.compact import Reply
from agent.router_planner.evidence import RouterItem
from agent.router_planner.settle import settle
from evals.case import Case
from evals.scoring import Count, Measured, Metric, System
from evals.systems import NoModelError
from evals.task import Bench, Task
from evals.tasks.tool_routing.judge import Answer, Verdict, answer_of, expected_of, judge
from evals.tasks.tool_routing.phrases import by_phrase
from evals.tasks.tool_routing.systems import by_large, by_nearest, by_router, here, opened
from tools.toolbox import discover


async def _attempt(case: Case, system: System, bench: Bench) -> Measured:
    request = case.given["request"]
    items = tuple(RouterItem(**item) for item in case.given["items"])
    names = here().index.shortlist(request)
    first: tuple[str, ...] = ()
    match system:
        case "router":
            reply = await by_router(request, items, names)
        case "nearest-card" | "nearest-words" | "nearest-both":
            reply, first = by_nearest(request, items, names, system)
        case "nearest-phrase":
            reply, first = by_phrase(here().phrases, request, items)
        case _:
            reply = await _large(bench, request, items, names)
    known = {item.id for item in items}
    invented = sum(i not in known for ids in reply.calls.values() for i in ids)
    guarded = answer_of(settle(reply, request, items, tuple(discover())), invented=invented)
    plain = _unguarded(reply, invented)
    expected = expected_of(case.expected)
    verdict, before = judge(guarded, expected), judge(plain, expected)
    counts = {**_counts(verdict), **{f"{k}_model": v for k, v in _counts(before).items()}}
    counts["invented"] = Count(hits=invented, of=max(sum(map(len, reply.calls.values())), 1))
    wanted = [call.tool for call in expected.calls]
    if wanted:
        counts["offered"] = Count.of_all([all(set(t) & set(names) for t in wanted)])
    if wanted and system.startswith("nearest-"):
        counts["first_three"] = Count.of_all([all(set(t) & set(first) for t in wanted)])
    notes = () if verdict.right else (f"{request!r}: {_told(guarded)}",)
    return Measured(counts=counts, notes=notes)


async def _large(
    bench: Bench, request: str, items: Sequence[RouterItem], names: Sequence[str]
) -> Reply:
    llm = bench.model()
    if llm is None:
        raise NoModelError("language model", bench.no_llm, "configure one")
    return await by_large(llm, request, items, names, bench.settings.llm_timeout_s)


def _unguarded(reply: Reply, invented: int) -> Answer:
    return Answer(
        calls=reply.calls,
        asks=bool(reply.ask) or reply.unclear,
        about=reply.ask,
        none=reply.none,
        invented=invented,
    )


def _counts(verdict: Verdict) -> dict[str, Count]:
    found = {
        "tool": verdict.tool,
        "ids": verdict.ids,
        "refused": verdict.refused,
        "harmless": verdict.harmless,
        "needless": verdict.needless,
    }
    counts = {key: Count.of_all([value]) for key, value in found.items() if value is not None}
    return {"right": Count.of_all([verdict.right]), **counts}


def _told(answer: Answer) -> str:
    calls = "; ".join(f"{tool} {' '.join(ids)}" for tool, ids in answer.calls.items())
    asks = f"asks about {', '.join(answer.about) or 'which tool'}" if answer.asks else ""
    return ", ".join(filter(None, (calls, asks, "no tool" if answer.none else ""))) or "nothing"


def _owed(case: Case, system: System) -> Mapping[str, float]:
    keys = ["right", *(("tool", "ids") if "calls" in case.expected else ("refused",))]
    return {**dict.fromkeys(keys, 1.0), **dict.fromkeys((f"{k}_model" for k in keys), 1.0)}


_TITLES = {
    "right": "requests answered right: tools and ids, or the right refusal",
    "tool": "right tools, where tools are wanted",
    "ids": "right tools with right ids",
    "refused": "right refusals, where one is wanted",
    "harmless": "no call made, where none may be",
}

TASK = Task(
    name="tool_routing",
    title="Which tools does a request in plain words get, on which items, and what is refused?",
    metrics=(
        *(Metric(id=key, title=title) for key, title in _TITLES.items()),
        Metric(id="needless", title="refused, where tools are wanted", better="lower"),
        *(Metric(id=f"{k}_model", title=f"{t}; before the guards") for k, t in _TITLES.items()),
        Metric(
            id="needless_model",
            title="refused, where tools are wanted; before the guards",
            better="lower",
        ),
        Metric(
            id="invented", title="ids that are not in the case, before the guards", better="lower"
        ),
        Metric(id="offered", title="every wanted tool is on the list that retrieval makes"),
        Metric(id="first_three", title="a wanted tool is among the nearest three"),
    ),
    systems=(
        *("router", "nearest-card", "nearest-words", "nearest-both", "nearest-phrase"),
        "llm-alone",
    ),
    attempt=_attempt,
    owed=_owed,
    folder=Path(__file__).parent,
    around=opened,
)
