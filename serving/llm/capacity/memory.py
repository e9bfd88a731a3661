"""What one accelerator holds, and how many sequences fit beside the weights."""

import math

from pydantic import NonNegativeFloat, PositiveFloat

from knowledge.model import Frozen
from serving.llm.capacity.layout import Layout
from serving.llm.capacity.machine import Effective
from serving.llm.capacity.numbers import ModelNumbers

_UNBOUNDED = 1 << 31


class RankMemory(Frozen):
    """One accelerator of a layout, bytes.

    Args:
        weights: Its part of the weights.
        kv_copies: Part of a sequence's keys and values that it keeps, 0 to 1.
        free: What is left for keys and values; negative where the weights do not fit.
    """

    weights: NonNegativeFloat
    kv_copies: PositiveFloat
    free: float

    @property
    def fits(self) -> bool:
        """Whether the weights fit."""
        return self.free > 0


def rank_memory(model: ModelNumbers, layout: Layout, machine: Effective) -> RankMemory:
    """Return what one accelerator of a layout holds.

    Everything but the routed experts is divided among the tensor ranks and copied for every data
    rank; the experts are divided over the whole group. Keys and values are divided among at most
    `ModelNumbers.kv_shards` ranks: beyond that every rank keeps a copy (vLLM replicates key-value
    heads when there are fewer than ranks, and the latent vector always) unless contexts are
    divided.
    """
    common = model.other_bytes + model.lookup_bytes + model.vision_bytes
    weights = common / layout.tensor + model.routed_bytes / layout.group
    return RankMemory(
        weights=weights,
        kv_copies=1.0 / (min(layout.tensor, model.kv_shards) * layout.context),
        free=machine.usable_bytes - weights,
    )


def most_sequences(
    model: ModelNumbers, layout: Layout, machine: Effective, *, tokens: float
) -> int:
    """Return how many sequences of a length a whole layout holds at once; 0 where none fits."""
    rank = rank_memory(model, layout, machine)
    each = model.kv_bytes(tokens) * rank.kv_copies
    if not rank.fits:
        return 0
    here = math.floor(rank.free / each) if each else _UNBOUNDED
    return here * layout.data * layout.replicas


def most_tokens(model: ModelNumbers, layout: Layout, machine: Effective) -> int:
    """Return how many tokens of keys and values a whole layout holds, in long sequences.

    Windows and states are not counted: they depend on how many sequences there are.
    """
    rank = rank_memory(model, layout, machine)
    each = model.kv_bytes_per_token * rank.kv_copies
    if not rank.fits or not each:
        return 0
    return math.floor(rank.free / each) * layout.data * layout.replicas
