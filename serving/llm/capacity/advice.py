"""What would help: the same plan with one thing changed, computed, not guessed."""

from collections.abc import Iterator

from pydantic import NonNegativeFloat

from knowledge.model import Frozen
from serving.llm.capacity.accelerator import accelerators
from serving.llm.capacity.bounds import require_figures
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.model import numbers_of
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.plan import Ask
from serving.llm.capacity.pool import Pool
from serving.llm.capacity.sizing import best
from serving.llm.capacity.span import Span
from serving.llm.capacity.workload import Workload
from serving.llm.profiles.model import ModelProfile

_WORTH = 1.05
_HIGH_HIT = 0.8
_MOST = 6


class Help(Frozen):
    """One change.

    Args:
        change: What is changed, alone.
        cases_per_hour: Most that the accelerators then do.
        factor: Over what they do now, at the worse end of the assumptions; None where that is 0.
    """

    change: str
    cases_per_hour: Span
    factor: NonNegativeFloat | None


def helps(profile: ModelProfile, ask: Ask, pool: Pool) -> tuple[Help, ...]:
    """Return the changes that let a pool do at least 5 % more, the most helpful first.

    Args:
        profile: Of the model.
        ask: Model, work and objectives.
        pool: With a count.

    Raises:
        InvalidValueError: A figure comes out infinite.
    """
    now = _most(ask.model, ask.work, ask, pool)
    found = []
    for change, cases in _changed(profile, ask, pool):
        if cases.low > now.low * _WORTH or (now.low == 0 and cases.high > now.high * _WORTH):
            factor = cases.low / now.low if now.low else None
            found.append(Help(change=change, cases_per_hour=cases, factor=factor))
    most = tuple(sorted(found, key=lambda one: -one.cases_per_hour.low)[:_MOST])
    require_figures("what would help", [one.model_dump() for one in most])
    return most


def _changed(profile: ModelProfile, ask: Ask, pool: Pool) -> Iterator[tuple[str, Span]]:
    model, work = ask.model, ask.work
    for weights in profile.weights:
        if weights.dtype != model.weights:
            other = numbers_of(profile, weights=weights.dtype)
            yield (
                f"weights in {weights.dtype} (quality to be evaluated)",
                _most(other, work, ask, _for_weights(pool, weights.dtype)),
            )
    small = numbers_of(profile, weights=model.weights, kv_element_bytes=1)
    yield "keys and values in 8 bits (quality to be evaluated)", _most(small, work, ask, pool)
    if work.cache_hit < _HIGH_HIT:
        cached = work.model_copy(update={"cache_hit": _HIGH_HIT})
        yield (
            f"{_HIGH_HIT:.0%} of the prompts from the prefix cache (fixed text first, the "
            "patient's last; requests of one case to one copy)",
            _most(model, cached, ask, pool),
        )
    short = work.model_copy(update={"tokens_out": work.tokens_out / 2})
    yield "replies half as long", _most(model, short, ask, pool)
    doubled = pool.model_copy(update={"count": (pool.count or 1) * 2})
    yield f"twice as many ({doubled.count})", _most(model, work, ask, doubled)
    yield from _other_kinds(ask, pool)


def _other_kinds(ask: Ask, pool: Pool) -> Iterator[tuple[str, Span]]:
    for kind in accelerators().accelerators:
        if kind.name != pool.name and not kind.assumed:
            worse, better = kind.ends(ask.model.weights)
            if worse.bytes_per_s > pool.worse.bytes_per_s:
                other = pool.model_copy(update={"worse": worse, "better": better})
                yield f"as many {kind.label}", _most(ask.model, ask.work, ask, other)


def _for_weights(pool: Pool, weights: str) -> Pool:
    """Return the pool with the arithmetic rate of another precision, where the table has it."""
    for kind in accelerators().accelerators:
        if kind.name == pool.name:
            worse, better = kind.ends(weights)
            return pool.model_copy(update={"worse": worse, "better": better})
    return pool


def _most(model: ModelNumbers, work: Workload, ask: Ask, pool: Pool) -> Span:
    def at(end: Effective) -> float:
        found = best(model, end, pool.count or 1, work, ask.slo)
        return found.cases_per_hour if found else 0.0

    return Span.of(at(pool.worse), at(pool.better))
