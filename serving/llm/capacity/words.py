"""A plan as text."""

from collections.abc import Iterable, Iterator, Sequence

from serving.llm.capacity.advice import Help
from serving.llm.capacity.bounds import MOST_ACCELERATORS
from serving.llm.capacity.cost import Cost
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.load import Operating
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.plan import Ask, Plan, PoolPlan
from serving.llm.capacity.span import Span, two_digits
from serving.llm.launch.options import defaults

_GIB = float(1 << 30)


def plan_lines(plan: Plan, helped: dict[str, tuple[Help, ...]]) -> Iterator[str]:
    """Yield a plan in lines.

    Args:
        plan: It.
        helped: What would help, by the name of the pool.
    """
    yield from model_lines(plan.ask.model)
    yield ""
    yield from _asked(plan.ask)
    if plan.alternatives:
        yield ""
        yield "Alternatives: each of the following does all the work alone."
    for pool, cost in zip(plan.pools, plan.costs, strict=True):
        yield ""
        yield from _pool(pool, plan.ask)
        yield from _cost(cost)
        yield from _helps(helped.get(pool.pool, ()))
    for need in plan.slides:
        yield ""
        yield (
            f"Slides on {need.pool}: {need.seconds_per_slide.text('s')} of one accelerator each, "
            f"{need.accelerators.text()} accelerators busy beside the language model."
        )
    yield ""
    yield f"Verdict: {plan.verdict}. {plan.reason[:1].upper()}{plan.reason[1:]}."
    yield ""
    yield from _assumptions(plan)


def model_lines(model: ModelNumbers) -> Iterator[str]:
    """Yield what a model is, in lines."""
    yield f"{model.name}, weights in {model.weights}"
    routed = (
        f"; {model.experts} experts a layer, {model.top_k} for a token"
        if model.experts
        else "; dense: every token passes all of them"
    )
    yield (
        f"  parameters {model.total_params / 1e9:.1f} B, active {model.active_params / 1e9:.2f} B "
        f"({model.active_share:.1%}){routed}"
    )
    yield (
        f"  resident weights {model.resident_bytes / _GIB:.1f} GiB (all of them, whatever is "
        f"active); keys and values {model.kv_bytes_per_token / 1024:.1f} KiB a token"
    )


def table_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table, first column to the left, others to the right."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield ("    " + "  ".join([first, *others])).rstrip()


def _asked(ask: Ask) -> Iterator[str]:
    work = ask.work
    yield "Asked of the busiest hour"
    rows = [
        ("users", f"{work.users:g}", "users at the same moment"),
        ("cases_per_hour", f"{work.cases_per_hour:g}", "cases an hour"),
        ("calls_per_case", f"{work.calls_per_case:.3g}", "requests to the model a case"),
        ("tokens_in", f"{work.tokens_in:.0f}", "prompt tokens a case"),
        ("tokens_out", f"{work.tokens_out:.0f}", "reply tokens a case"),
        ("cache_hit", f"{work.cache_hit:.0%}", "of the prompt tokens from the prefix cache"),
    ]
    for key, value, words in rows:
        yield f"  {value} {words} ({work.sources.get(key, 'given')})"
    yield (
        f"  first token within {ask.slo.ttft_s:g} s, each next within {ask.slo.tpot_ms:g} ms "
        f"({ask.slo.source})"
    )
    if ask.slides is not None:
        yield f"  {ask.slides.per_hour:g} slides an hour of {ask.slides.tokens:,.0f} patch tokens"
        yield from (f"    {key}: {text}" for key, text in ask.slides.sources.items())


def _pool(pool: PoolPlan, ask: Ask) -> Iterator[str]:
    count = pool.count if pool.count is not None else "no number of"
    yield f"{count} x {pool.label}"
    yield from (f"  {figure}" for figure in pool.figures)
    memory = pool.memory
    if memory is not None:
        yield "  Memory of one accelerator, GiB"
        yield from table_lines(
            ("weights", "left for keys and values", "for the server to use"),
            [(f"{memory.weights:.1f}", _gib(memory.free), _gib(memory.memory))],
        )
    if not pool.fits or pool.layout is None:
        yield f"  Does not fit: {pool.reason}"
        yield from _needed(pool)
        return
    yield f"  Layout: {pool.layout.words}"
    yield from _as_launched(pool.layout, measured=pool.measured)
    if pool.count is not None and pool.count > pool.layout.accelerators:
        idle = pool.count - pool.layout.accelerators
        yield f"  Idle: {idle} of {pool.count}; a copy takes a power of two"
    yield "  Requests held at once, by tokens of prompt and reply"
    yield from table_lines(
        ("tokens", "requests"),
        [(f"{row.tokens:,}", _whole(row.requests)) for row in pool.contexts],
    )
    yield "  Replies of one copy"
    yield from table_lines(
        ("at once", "experts read", "step ms", "tokens/s each", "tokens/s together", "bound by"),
        [
            (
                str(row.batch),
                f"{row.touched:.0%}" if ask.model.experts else "-",
                row.step_ms.text(),
                row.per_user.text(),
                row.together.text(),
                " or ".join(row.bound),
            )
            for row in pool.speeds
        ],
    )
    if pool.prompts_per_s is not None:
        yield f"  Prompts of one copy: {pool.prompts_per_s.text('new tokens/s')}"
    if pool.share < 1:
        yield f"  Takes {pool.share:.0%} of the work"
    for name, state in (("worse", pool.worse), ("better", pool.better)):
        if state is not None:
            yield f"  At the {name} end: {_state(state)}"
    if pool.cases_per_hour is not None:
        bound = "at least" if pool.at_least else "at most"
        yield f"  Does {bound} {pool.cases_per_hour.text('cases an hour')}"
    if pool.limits:
        yield f"  What limits: {'; '.join(pool.limits)}"
    yield from _needed(pool)


def _as_launched(layout: Layout, *, measured: bool) -> Iterator[str]:
    """Yield in what a server differs that `epicrisis llm launch` starts unless told otherwise.

    Of accelerators; a measured machine may be a CPU, for which it has other limits.
    """
    if measured:
        return
    if layout.context > 1:
        yield (
            "  `epicrisis llm launch` divides no contexts by itself: add --extra "
            f'"--decode-context-parallel-size {layout.context}"; its own check of the memory '
            "counts without, and is the stricter"
        )
    most = defaults().numbers
    yield (
        f"  `epicrisis llm launch` lets a copy work on {most.gpu.sequences} requests at once and "
        f"keep {most.gpu.queued} waiting: for more add --extra "
        '"--max-num-seqs N --max-num-queued-reqs N"'
    )


def _needed(pool: PoolPlan) -> Iterator[str]:
    if pool.needed is None:
        yield (
            f"  Needed of this kind for all the work: no number up to {MOST_ACCELERATORS:,} meets "
            "the objectives"
        )
    else:
        yield f"  Needed of this kind for all the work: {_whole(pool.needed)}"


def _state(state: Operating) -> str:
    if state.ttft_s is None or state.tpot_s is None or state.burst_s is None:
        return f"does not hold: {', '.join(state.limits)}"
    words = (
        f"first token {two_digits(state.ttft_s)} s (19 of 20), next {state.tpot_s * 1e3:.1f} ms, "
        f"{two_digits(state.in_service)} requests in service on average in a copy, "
        f"{two_digits(state.held)} to be held of {state.room:,.0f} that fit"
    )
    if state.burst_s > state.ttft_s * 1.5:
        words += f"; if all users ask at once the last waits {two_digits(state.burst_s)} s"
    return words + (f"; does not hold: {', '.join(state.limits)}" if state.limits else "")


def _cost(cost: Cost) -> Iterator[str]:
    if cost.at_this_load is not None:
        yield f"  Cost of a case: {two_digits(cost.at_this_load)} at this load"
    if cost.when_full is not None:
        yield f"  Cost of a case when full: {cost.when_full.text()}"
    if cost.reason:
        yield f"  Cost of a case: {cost.reason}"


def _helps(helped: Sequence[Help]) -> Iterator[str]:
    if helped:
        yield "  What would help, each alone"
    for one in helped:
        factor = f" ({one.factor:.1f} times)" if one.factor is not None else ""
        yield f"    {one.change}: {one.cases_per_hour.text('cases an hour')}{factor}"


def _assumptions(plan: Plan) -> Iterator[str]:
    yield "Assumed"
    for one in plan.assumptions:
        yield f"  {one.label}: {one.low:g} to {one.high:g} ({one.because})"
    for text in STRUCTURAL:
        yield f"  {text}"
    if any(pool.measured for pool in plan.pools):
        yield (
            "Rates of the measured machine are for one engine and format of weights; the plan "
            "itself is computed from them."
        )
    computed = [pool.label for pool in plan.pools if not pool.measured]
    if computed:
        yield (
            f"Nothing of this was measured on {', '.join(computed)}: it is a roofline, not a "
            "benchmark."
        )


STRUCTURAL = (
    "routing is uniform and independent, which reads the most experts",
    "prompts and replies share the accelerators; requests arrive at random (Poisson)",
    "cached prefixes take room in every request that uses them: what is shared is not credited",
    "no pipeline parallelism, no speculative decoding (no draft layers), no separate prefill",
)


def _gib(span: Span) -> str:
    low, high = f"{span.low:.1f}", f"{span.high:.1f}"
    return low if low == high else f"{low} to {high}"


def _whole(span: Span) -> str:
    low, high = f"{span.low:,.0f}", f"{span.high:,.0f}"
    return low if low == high else f"{low} to {high}"
