"""A plan: which accelerators hold the model, what they do of the work, how many are needed."""

from typing import Literal, get_args

from pydantic import NonNegativeFloat, PositiveInt

from knowledge.model import Frozen
from serving.llm.capacity.assumed import Assumption, assumptions
from serving.llm.capacity.bounds import require_figures
from serving.llm.capacity.cost import Cost, cost_of
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.load import Operating
from serving.llm.capacity.memory import rank_memory
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.pool import Pool
from serving.llm.capacity.sizing import best, fewest, layouts, most_cases, whole_work
from serving.llm.capacity.slides import SlideNeed, slide_need
from serving.llm.capacity.span import Span
from serving.llm.capacity.tables_of_plan import (
    ContextRow,
    MemoryTable,
    SpeedRow,
    context_table,
    memory_table,
    prompt_span,
    speed_table,
)
from serving.llm.capacity.workload import Slides, Slo, Workload

Verdict = Literal["enough", "enough at the better end only", "not enough", "does not fit"]


class Ask(Frozen):
    """What is asked of a site.

    Args:
        model: What is served.
        work: Of the busiest hour.
        slo: What must hold.
        slides: Reads of slides beside it; None for none.
    """

    model: ModelNumbers
    work: Workload
    slo: Slo
    slides: Slides | None = None


class PoolPlan(Frozen):
    """What one kind of accelerator does.

    Args:
        pool: Its name and label.
        count: Accelerators that are there or, where none were named, that are needed.
        layout: The layout that does most at the worse end of the assumptions.
        fits: Whether the weights fit any layout.
        reason: With the sizes, where they do not.
        memory: Of one accelerator.
        contexts, speeds: Tables.
        prompts_per_s: New prompt tokens that one copy reads per second.
        share: Part of the work that it takes.
        worse, better: One copy under its part, at both ends of the assumptions.
        cases_per_hour: Most that it does within the objectives.
        at_least: Whether the search ended at an end of `cases_per_hour` before anything stopped
            more: the figure is then what it does at least.
        limits: What stops more, at the worse and the better end.
        needed: Fewest of this kind that would do all the work alone; None where no number up to
            `MOST_ACCELERATORS` would.
        figures: Of the accelerator, with sources.
        measured: Whether they are a measurement of this machine with its error.
    """

    pool: str
    label: str
    count: PositiveInt | None
    layout: Layout | None
    fits: bool
    reason: str = ""
    memory: MemoryTable | None = None
    contexts: tuple[ContextRow, ...] = ()
    speeds: tuple[SpeedRow, ...] = ()
    prompts_per_s: Span | None = None
    share: NonNegativeFloat = 0.0
    worse: Operating | None = None
    better: Operating | None = None
    cases_per_hour: Span | None = None
    at_least: bool = False
    limits: tuple[str, ...] = ()
    needed: Span | None = None
    figures: tuple[str, ...] = ()
    measured: bool = False


class Plan(Frozen):
    """The whole answer.

    Args:
        ask: What was asked.
        pools: One for each kind of accelerator.
        alternatives: Whether each would do all the work alone; else they share it.
        verdict: Whether they do the work.
        reason: In words.
        slides: What reading slides takes beside.
        costs: One for each pool.
        assumptions: What it rests on.
    """

    ask: Ask
    pools: tuple[PoolPlan, ...]
    alternatives: bool
    verdict: Verdict
    reason: str
    slides: tuple[SlideNeed, ...] = ()
    costs: tuple[Cost, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


def make_plan(ask: Ask, pools: tuple[Pool, ...]) -> Plan:
    """Return what some accelerators do of the work that is asked.

    Pools with a count each serve copies of their own behind one router; the work is divided as they
    can take it. Pools without one are alternatives: each gets the fewest that do all the work at
    the worse end of the assumptions.

    Args:
        ask: Model, work and objectives.
        pools: Kinds of accelerators.

    Raises:
        InvalidValueError: A figure of the plan comes out infinite.
    """
    alternatives = len(pools) > 1 and all(pool.count is None for pool in pools)
    counted = tuple(_counted(ask, pool) for pool in pools)
    shares = [1.0] * len(pools) if alternatives else _shares(ask, counted)
    made = tuple(
        _pool_plan(ask, pool, share=share) for pool, share in zip(counted, shares, strict=True)
    )
    verdict, reason = _best_of(made) if alternatives else _verdict(made)
    plan = Plan(
        ask=ask,
        pools=made,
        alternatives=alternatives,
        verdict=verdict,
        reason=reason,
        slides=tuple(slide_need(ask.slides, pool) for pool in counted) if ask.slides else (),
        costs=tuple(
            cost_of(pool.price_per_hour, plan.count, plan.cases_per_hour, ask.work, plan.share)
            for pool, plan in zip(counted, made, strict=True)
        ),
        assumptions=() if all(one.measured for one in pools) else assumptions().assumptions,
    )
    require_figures("the plan", plan.model_dump())
    return plan


def _counted(ask: Ask, pool: Pool) -> Pool:
    if pool.count is not None:
        return pool
    found = fewest(ask.model, pool.worse, ask.work, ask.slo)
    count = found.accelerators if found else None
    return pool.model_copy(update={"count": count})


def _shares(ask: Ask, pools: tuple[Pool, ...]) -> list[float]:
    """Return the part of the work that each pool takes: as much as it can do of all."""
    idle = ask.work.part(0)
    for end in ("worse", "better"):
        most = [
            best(ask.model, getattr(pool, end), pool.count, idle, ask.slo) if pool.count else None
            for pool in pools
        ]
        cases = [one.cases_per_hour if one else 0.0 for one in most]
        if sum(cases):
            return [one / sum(cases) for one in cases]
    return [1 / len(pools)] * len(pools)


def _pool_plan(ask: Ask, pool: Pool, *, share: float) -> PoolPlan:
    """Return the plan of one pool for its part of the work."""
    part = ask.work.part(share)
    layout = _layout(ask, pool, part)
    table = memory_table(ask.model, layout, pool)
    base = PoolPlan(
        pool=pool.name,
        label=pool.label,
        count=pool.count,
        layout=None,
        fits=False,
        memory=table,
        needed=_needed(ask, pool),
        figures=pool.figures,
        measured=pool.measured,
        share=share,
    )
    if table.free.high <= 0:
        return base.model_copy(update={"reason": _too_large(ask, pool, table)})
    ends = (pool.worse, pool.better)
    most = [most_cases(ask.model, layout, end, part, ask.slo) for end in ends]
    states = [whole_work(ask.model, layout, end, part, ask.slo) for end in ends]
    return base.model_copy(
        update={
            "layout": layout,
            "fits": True,
            "contexts": context_table(ask.model, layout, pool, ask.work),
            "speeds": speed_table(ask.model, layout, pool, ask.work),
            "prompts_per_s": prompt_span(ask.model, layout, pool, ask.work),
            "worse": states[0],
            "better": states[1],
            "cases_per_hour": Span.of(*(cases for cases, _ in most)),
            "at_least": any(limit is None for _, limit in most),
            "limits": tuple(dict.fromkeys(limit for _, limit in most if limit)),
        }
    )


def _layout(ask: Ask, pool: Pool, part: Workload) -> Layout:
    """Return the layout that does most at the worse end, or at the better where none does any."""
    count = pool.count or pool.worse.per_node
    found = [best(ask.model, end, count, part, ask.slo) for end in (pool.worse, pool.better)]
    for one in found:
        if one is not None and one.cases_per_hour > 0:
            return one.layout
    spread = list(layouts(ask.model, pool.worse, count))
    return max(spread, key=lambda one: rank_memory(ask.model, one, pool.better).free)


def _needed(ask: Ask, pool: Pool) -> Span | None:
    found = [fewest(ask.model, end, ask.work, ask.slo) for end in (pool.worse, pool.better)]
    counts = [one.accelerators for one in found if one is not None]
    return Span.of(*counts) if len(counts) == len(found) else None


def _too_large(ask: Ask, pool: Pool, table: MemoryTable) -> str:
    weights = ask.model.resident_bytes / (1 << 30)
    return (
        f"the weights take {weights:.1f} GiB in {ask.model.weights}; {pool.count or 1} x "
        f"{pool.label} leave {table.memory.text('GiB')} each after the server's reserve"
    )


def _best_of(pools: tuple[PoolPlan, ...]) -> tuple[Verdict, str]:
    """Return the best verdict of pools that each would do all the work, and that of each."""
    each = [_verdict((pool,))[0] for pool in pools]
    words = [f"{pool.label}: {verdict}" for pool, verdict in zip(pools, each, strict=True)]
    return min(each, key=get_args(Verdict).index), "; ".join(words)


def _verdict(pools: tuple[PoolPlan, ...]) -> tuple[Verdict, str]:
    if not any(pool.fits for pool in pools):
        return "does not fit", "; ".join(pool.reason for pool in pools)
    used = [pool for pool in pools if pool.worse and pool.better and pool.share > 0]
    if used and all(pool.worse and pool.worse.holds for pool in used):
        return "enough", "the objectives hold at both ends of the assumptions"
    broken = sorted({name for pool in used if pool.worse for name in pool.worse.limits})
    if used and all(pool.better and pool.better.holds for pool in used):
        return (
            "enough at the better end only",
            f"at the worse end of the assumptions what does not hold: {', '.join(broken)}",
        )
    broken = sorted({name for pool in used if pool.better for name in pool.better.limits}) or broken
    return "not enough", f"what does not hold: {', '.join(broken)}"
