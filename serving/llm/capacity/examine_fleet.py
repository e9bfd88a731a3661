"""How many runs some accelerators do, and how many that is for each of some sites."""

from serving.llm.capacity.accelerator import accelerator
from serving.llm.capacity.claim import FleetClaim, RunSize, Variant
from serving.llm.capacity.examination import Block, Examination, Line, Verdict
from serving.llm.capacity.measured_work import measured_work
from serving.llm.capacity.model import numbers_of
from serving.llm.capacity.plan import Ask, Plan, PoolPlan, make_plan
from serving.llm.capacity.pool import pool_of
from serving.llm.capacity.span import Span, two_digits
from serving.llm.capacity.workload import Workload
from serving.llm.profiles.load import profile


def examine_fleet(claim: FleetClaim) -> Examination:
    """Return how many runs each site gets, for every reading of the claim.

    Raises:
        UnknownModelError: The claim names a model without a profile.
        UnknownAcceleratorError: It names an unknown accelerator.
    """
    blocks, found = [], []
    divided = False
    for variant in claim.variants:
        for run in claim.runs:
            plan = _plan(claim, variant, run)
            runs = _per_site(claim, plan)
            blocks.append(_block(claim, plan, run, runs))
            name = f"{plan.ask.model.name} on {plan.pools[0].label}, {run.label}"
            layout = plan.pools[0].layout
            divided = divided or (layout is not None and layout.context > 1)
            found.append((name, runs, plan.pools[0].at_least))
    verdict, words = _verdict(claim, *found[0][1:])
    reasons = [f"{found[0][0]}: {words}"]
    reasons += [f"{name}: {_said(runs, at_least)}" for name, runs, at_least in found[1:]]
    if divided:
        reasons.append(
            "where contexts are divided, vLLM must be told so (--decode-context-parallel-size): "
            "`epicrisis llm launch` does it only by --extra, and refuses what does not fit without"
        )
    reasons.append(
        "nothing of this is measured on these accelerators; with other runs a day the verdict is "
        "another"
    )
    return Examination(
        id=claim.id,
        title=claim.title,
        claim=claim.claim,
        source=claim.source,
        blocks=tuple(blocks),
        verdict=verdict,
        reasons=tuple(reasons),
        assumed=claim.assumed,
    )


def _plan(claim: FleetClaim, variant: Variant, run: RunSize) -> Plan:
    model = numbers_of(profile(variant.model), weights=variant.weights)
    daily = claim.runs_per_site_per_day.low * claim.sites
    ask = Ask(model=model, work=_work(run, daily * claim.peak_share), slo=claim.slo)
    kind = accelerator(variant.accelerator)
    return make_plan(ask, (pool_of(kind, weights=model.weights, count=claim.accelerators),))


def _work(run: RunSize, cases_per_hour: float) -> Workload:
    size = run
    if run.calls is None:
        own = measured_work()
        size = run.model_copy(
            update={
                "calls": own.calls_per_case,
                "tokens_in": own.tokens_in,
                "tokens_out": own.tokens_out,
                "cache_hit": own.cache_hit,
            }
        )
    return Workload.model_validate(
        {
            "users": 0,
            "cases_per_hour": cases_per_hour,
            "calls_per_case": size.calls,
            "tokens_in": size.tokens_in,
            "tokens_out": size.tokens_out,
            "cache_hit": size.cache_hit,
        }
    )


def _per_site(claim: FleetClaim, plan: Plan) -> Span | None:
    """Return the runs of one site on one day, if its busiest hour takes all that can be done."""
    hourly = plan.pools[0].cases_per_hour
    return hourly.times(1 / claim.peak_share / claim.sites) if hourly else None


def _verdict(claim: FleetClaim, runs: Span | None, at_least: bool) -> tuple[Verdict, str]:
    need, words = claim.runs_per_site_per_day, _said(runs, at_least)
    if runs is None or (runs.high < need.low and not at_least):
        return "does not hold", words
    if runs.low >= need.high:
        return "holds", words
    return "holds under conditions", f"{words}; it holds for sites that need no more"


def _said(runs: Span | None, at_least: bool) -> str:
    if runs is None:
        return "does not fit"
    return f"{'at least' if at_least else 'at most'} {runs.text('runs a site and day')}"


def _block(claim: FleetClaim, plan: Plan, run: RunSize, runs: Span | None) -> Block:
    pool, work = plan.pools[0], plan.ask.work
    size = (
        f"{work.tokens_in:.0f} in ({work.cache_hit:.0%} cached) + {work.tokens_out:.0f} out, "
        f"{work.calls_per_case:.3g} calls"
    )
    lines = [Line(what="one run", how=size, result=run.label), *_memory(claim, plan, pool)]
    if pool.layout is not None and pool.cases_per_hour is not None and pool.speeds:
        last = pool.speeds[-1]
        prompts = pool.prompts_per_s.text("/s") if pool.prompts_per_s else ""
        lines += [
            Line(what="layout", how=pool.layout.words, result=f"{pool.count} accelerators"),
            Line(
                what=f"replies, {last.batch} at once in a copy",
                how=f"{last.step_ms.text()} ms a step, {last.touched:.0%} of the experts read",
                result=f"{last.together.text('tokens/s')} a copy",
            ),
            Line(what="prompts of a copy", how="arithmetic", result=f"{prompts} new tokens"),
            Line(
                what=f"{'least' if pool.at_least else 'most'} within the objectives",
                how=f"limited by {'; '.join(pool.limits) or 'nothing found'}",
                result=pool.cases_per_hour.text("runs/h"),
            ),
        ]
    if runs is not None and pool.cases_per_hour is not None:
        lines.append(
            Line(
                what="runs a site and day",
                how=f"({pool.cases_per_hour.text()}) / {claim.peak_share:g} / {claim.sites}",
                result=runs.text(),
            )
        )
    name = f"{plan.ask.model.name} in {plan.ask.model.weights}"
    return Block(heading=f"{claim.accelerators} x {pool.label}, {name}", lines=tuple(lines))


def _memory(claim: FleetClaim, plan: Plan, pool: PoolPlan) -> list[Line]:
    table = pool.memory
    if table is None:
        return []
    left = Line(
        what="keys and values",
        how=f"{table.free.text()} GiB free each / {table.kv_kib_per_token:.1f} KiB",
        result=f"{table.kv_tokens.text('tokens')} held",
    )
    weights = Line(
        what="weights",
        how=f"{plan.ask.model.resident_bytes / 2**30:.0f} GiB in all",
        result=f"{two_digits(table.weights)} GiB on each of {claim.accelerators}",
    )
    if not pool.fits:
        return [weights, Line(what="fits", how=pool.reason, result="no")]
    return [weights, left]
