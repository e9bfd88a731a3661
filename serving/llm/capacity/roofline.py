"""How long one step takes: the greater of reading memory and arithmetic, and a fixed part."""

import math
from typing import Literal

from pydantic import NonNegativeFloat, PositiveFloat

from knowledge.model import Frozen
from serving.llm.capacity.experts import touched_share
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.memory import rank_memory
from serving.llm.capacity.numbers import ModelNumbers

Bound = Literal["reading weights", "reading keys and values", "arithmetic", "fixed overhead"]


class Step(Frozen):
    """One step of a reply for a batch, on one accelerator of one copy.

    Args:
        weight_bytes, kv_bytes: Read.
        flops: Done.
        seconds: Of the step.
        touched: Share of the routed experts that is read.
        bound: What most of the time goes to.
    """

    weight_bytes: NonNegativeFloat
    kv_bytes: NonNegativeFloat
    flops: NonNegativeFloat
    seconds: PositiveFloat
    touched: NonNegativeFloat
    bound: Bound


def decode_step(
    model: ModelNumbers, layout: Layout, machine: Effective, *, batch: float, context: float
) -> Step:
    """Return one decoding step of one copy.

    Args:
        model: What is served.
        layout: Over what; `replicas` does not matter.
        machine: One accelerator.
        batch: Sequences of the copy, one token each; may be a mean.
        context: Tokens that each sequence has, a mean.
    """
    rank = rank_memory(model, layout, machine)
    skew = machine.imbalance if layout.data > 1 else 1.0
    here = batch / layout.data
    touched = touched_share(model.experts, model.top_k, batch)
    routed = model.routed_bytes * touched / layout.group * skew
    weight_bytes = model.other_bytes / layout.tensor + routed
    kv_bytes = here * model.kv_bytes(context) * rank.kv_copies
    flops = (
        2.0 * model.other_params * here / layout.tensor
        + 2.0 * model.routed_params * model.routed_share * batch / layout.group * skew
        + model.reply_looking(context) * here / layout.tensor
    )
    reading = (weight_bytes + kv_bytes) / machine.bytes_per_s
    computing = flops / machine.flops_per_s
    fixed = machine.step_overhead_s(layout.group)
    return Step(
        weight_bytes=weight_bytes,
        kv_bytes=kv_bytes,
        flops=flops,
        seconds=max(reading, computing) + fixed,
        touched=touched,
        bound=_bound(weight_bytes, kv_bytes, reading, computing, fixed),
    )


def prompt_flops(model: ModelNumbers, *, new: float, cached: float) -> float:
    """Return the FLOPs of reading a prompt of which a first part is cached.

    The head is needed once, for the last token.
    """
    looking = model.prompt_looking(new, cached)
    return new * model.prompt_flops + looking + 2.0 * model.head_params


def prompt_seconds(
    model: ModelNumbers, layout: Layout, machine: Effective, *, new: float, cached: float
) -> float:
    """Return how long one prompt takes on an idle copy.

    A prompt is read by one data rank. In every chunk each weight is read at least once.
    """
    chunks = max(1, math.ceil(new / machine.chunk_tokens))
    size = max(new / chunks, 1.0)
    step = decode_step(model, layout, machine, batch=size, context=0)
    reading = step.weight_bytes / machine.bytes_per_s * chunks
    computing = prompt_flops(model, new=new, cached=cached) / (layout.tensor * machine.flops_per_s)
    return max(reading, computing) + chunks * machine.step_overhead_s(layout.group)


def prompt_rate(
    model: ModelNumbers, layout: Layout, machine: Effective, *, new: float, cached: float
) -> float:
    """Return the new prompt tokens that one busy copy reads per second, prompts batched."""
    skew = machine.imbalance if layout.data > 1 else 1.0
    each = prompt_flops(model, new=new, cached=cached) / max(new, 1.0) * skew
    return layout.group * machine.flops_per_s / each


def _bound(weights: float, kv: float, reading: float, computing: float, fixed: float) -> Bound:
    if fixed > max(reading, computing):
        return "fixed overhead"
    if computing > reading:
        return "arithmetic"
    return "reading weights" if weights >= kv else "reading keys and values"
