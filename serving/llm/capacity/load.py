"""A copy of the model at work: how busy, how many requests at once, how long each waits."""

import math
from typing import Literal

from pydantic import NonNegativeFloat

from knowledge.model import Frozen
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.memory import most_sequences, rank_memory
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.capacity.roofline import (
    Step,
    decode_step,
    prompt_rate,
    prompt_seconds,
)
from serving.llm.capacity.workload import Slo, Workload

Limit = Literal[
    "the weights do not fit",
    "one request is longer than the model's context",
    "memory for keys and values",
    "reading prompts",
    "writing replies",
    "time to the first token",
    "time from token to token",
]
_BUSIEST = 0.9
"""Most share of the time that may go to prompts: a queue grows without bound towards 1."""
_TAIL = 0.05
_MOST_BATCH = 2.0**31
"""More requests at once than any memory holds."""
_POISSON_99 = 2.33
"""Requests in service vary as a Poisson count: mean + 2.33 standard deviations cover 99 %."""


class Operating(Frozen):
    """One copy of a layout under its part of the work.

    Args:
        limits: What does not hold; empty where all does.
        prompt_busy: Share of the time that goes to reading prompts.
        in_service: Requests being answered, mean.
        held: Requests that must fit at once.
        room: Requests that do.
        ttft_s: To the first token, for 19 of 20 requests.
        tpot_s: From token to token when `held` requests are answered.
        burst_s: Until the last of all users has a first token where all ask in one moment.
        step: A step of `held` requests.
    """

    limits: tuple[Limit, ...]
    prompt_busy: NonNegativeFloat
    in_service: NonNegativeFloat
    held: NonNegativeFloat
    room: NonNegativeFloat
    ttft_s: NonNegativeFloat | None = None
    tpot_s: NonNegativeFloat | None = None
    burst_s: NonNegativeFloat | None = None
    step: Step | None = None

    @property
    def holds(self) -> bool:
        """Whether everything does."""
        return not self.limits


def operate(
    model: ModelNumbers, layout: Layout, machine: Effective, work: Workload, slo: Slo
) -> Operating:
    """Return how one copy does under its part of the work.

    Prompts and replies share the accelerators: while a share of the time goes to prompts, replies
    go on in the rest. The mean number in service is Little's law, solved for the step that this
    number itself makes longer.

    Args:
        model: What is served.
        layout: One copy; `replicas` is not used.
        machine: One accelerator, at one end of the assumptions.
        work: Of this copy alone.
        slo: What must hold.
    """
    one = layout.model_copy(update={"replicas": 1})
    limits = _never(model, one, machine, work)
    if limits:
        return Operating(limits=limits, prompt_busy=0, in_service=0, held=0, room=0)
    rate = prompt_rate(model, one, machine, new=work.new_tokens, cached=work.cached_tokens)
    busy = work.calls_per_s * work.new_tokens / rate
    room = most_sequences(model, one, machine, tokens=work.longest)
    if busy >= _BUSIEST:
        return Operating(
            limits=("reading prompts",), prompt_busy=busy, in_service=0, held=0, room=room
        )
    in_service = _in_service(model, one, machine, work, busy=busy)
    if in_service is None:
        return Operating(
            limits=("writing replies",), prompt_busy=busy, in_service=0, held=0, room=room
        )
    held = max(work.users, in_service + _POISSON_99 * math.sqrt(in_service))
    held = max(held, 1.0)
    step = decode_step(model, one, machine, batch=held, context=work.mean_context)
    tpot = step.seconds / (1 - busy)
    ttft = _first_token(model, one, machine, work, busy=busy)
    checks: tuple[tuple[Limit, bool], ...] = (
        ("memory for keys and values", held <= room),
        ("time to the first token", ttft <= slo.ttft_s),
        ("time from token to token", tpot * 1e3 <= slo.tpot_ms),
    )
    return Operating(
        limits=tuple(name for name, fine in checks if not fine),
        prompt_busy=busy,
        in_service=in_service,
        held=held,
        room=room,
        ttft_s=ttft,
        tpot_s=tpot,
        burst_s=max(ttft, work.users * work.new_tokens / rate),
        step=step,
    )


def _never(
    model: ModelNumbers, layout: Layout, machine: Effective, work: Workload
) -> tuple[Limit, ...]:
    """Return what no smaller load would mend."""
    if not rank_memory(model, layout, machine).fits:
        return ("the weights do not fit",)
    if work.longest > model.context_tokens:
        return ("one request is longer than the model's context",)
    if most_sequences(model, layout, machine, tokens=work.longest) < 1:
        return ("memory for keys and values",)
    return ()


def _in_service(
    model: ModelNumbers, layout: Layout, machine: Effective, work: Workload, *, busy: float
) -> float | None:
    """Return the mean number of requests that are being answered; None where it has no bound.

    A batch of B gives B / t(B) tokens per second, which never falls with B: fixed and weight time
    are shared by more. So one B gives the tokens that are asked for, or none does.
    """
    wanted = work.calls_per_s * work.reply_tokens / (1 - busy)
    if wanted == 0:
        return 0.0

    def rate(batch: float) -> float:
        step = decode_step(model, layout, machine, batch=batch, context=work.mean_context)
        return batch / step.seconds

    low, high = 0.0, 1.0
    while rate(high) < wanted:
        low, high = high, high * 2
        if high > _MOST_BATCH:
            return None
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if rate(middle) >= wanted else (middle, high)
    return high


def _first_token(
    model: ModelNumbers, layout: Layout, machine: Effective, work: Workload, *, busy: float
) -> float:
    """Return the seconds to the first token, for 19 of 20 requests.

    Waiting as in a queue with Poisson arrivals and equal service S: P(wait > t) is about
    busy x exp(-2 (1 - busy) t / S) (Kingman's heavy-traffic bound for M/D/1).
    """
    alone = prompt_seconds(model, layout, machine, new=work.new_tokens, cached=work.cached_tokens)
    if busy <= _TAIL:
        return alone
    return alone + alone * math.log(busy / _TAIL) / (2 * (1 - busy))
