"""Whether a model fits, decided before it is started; the sizes are always given."""

from pydantic import NonNegativeFloat

from knowledge.model import Frozen
from serving.llm.capacity.accelerator import Accelerator
from serving.llm.capacity.assumed import assumptions
from serving.llm.launch.errors import TooLittleMemoryError
from serving.llm.launch.options import defaults
from serving.llm.launch.order import Order
from serving.llm.launch.strategy import Layout
from serving.llm.profiles.architecture import LatentAttention
from serving.llm.profiles.derive import draft_bytes, kv_cache, weight_parts
from serving.llm.profiles.model import ModelProfile, Weights
from serving.llm.profiles.sourced import NotKnown

GIB = float(1 << 30)


class Memory(Frozen):
    """One accelerator, or the machine of the CPU build; GiB.

    Args:
        device: What it is.
        there: Its memory.
        usable: What the server may take of it.
        weights: Its part of the weights.
        reserve: Kept for context, graphs, activations, processes.
        kv: Left for keys and values; on a CPU what is given to them.
        kv_of_one: Keys and values of one request of full length.
        tokens: How many tokens of keys and values a whole replica holds.
        requests: How many requests of full length at once.
        context_tokens: That full length.
        not_known: Why nothing could be computed; empty otherwise.
    """

    device: str
    there: NonNegativeFloat
    usable: NonNegativeFloat
    weights: NonNegativeFloat = 0.0
    reserve: NonNegativeFloat = 0.0
    kv: float = 0.0
    kv_of_one: NonNegativeFloat = 0.0
    tokens: int = 0
    requests: int = 0
    context_tokens: int
    not_known: str = ""

    @property
    def fits(self) -> bool:
        """Whether the weights and one request of full length fit."""
        return not self.not_known and self.kv >= self.kv_of_one > 0

    @property
    def words(self) -> str:
        """The sizes, for a person."""
        if self.not_known:
            return f"{self.device}: not known whether it fits ({self.not_known})"
        return (
            f"{self.device}: {self.usable:.1f} of {self.there:.1f} GiB usable, weights "
            f"{self.weights:.1f}, reserve {self.reserve:.1f}, left for keys and values "
            f"{max(self.kv, 0):.1f}; one request of {self.context_tokens:,} tokens takes "
            f"{self.kv_of_one:.2f} GiB"
        )


def on_accelerators(
    profile: ModelProfile,
    weights: Weights,
    order: Order,
    layout: Layout,
    device: Accelerator,
    context_tokens: int,
) -> Memory:
    """Return what one accelerator of a replica would hold.

    Weights outside the experts are divided among tensor and pipeline ranks and copied for every
    data rank; experts are divided over all ranks (whole with expert parallelism, in slices without
    it), redundant copies included. Keys and values are divided
    among not more tensor ranks than there are key-value heads, and latent ones not at all.
    """
    share = assumptions().of("memory_share").low
    reserve = assumptions().of("reserve_gib").high
    there = device.memory_gb.value * 1e9 / GIB
    memory = Memory(
        device=f"one {device.label}",
        there=there,
        usable=there * share,
        reserve=reserve,
        context_tokens=context_tokens,
    )
    parts, one = weight_parts(profile, weights), _one(profile, order, layout, context_tokens)
    if isinstance(parts, NotKnown) or isinstance(one, NotKnown):
        reason = parts.reason if isinstance(parts, NotKnown) else "sizes of the cache"
        return memory.model_copy(update={"not_known": reason})
    held = parts.rest / (layout.tensor * layout.pipeline)
    held += parts.experts * _more(profile, layout) / layout.ranks
    held += _draft(profile, order) / (layout.tensor * layout.pipeline)
    left = memory.usable - reserve - held / GIB
    many = int(left / (one / GIB)) * layout.data if left > 0 else 0
    return memory.model_copy(
        update={
            "weights": held / GIB,
            "kv": left,
            "kv_of_one": one / GIB,
            "requests": many,
            "tokens": int(left / (one / GIB) * context_tokens) * layout.data if left > 0 else 0,
        }
    )


def on_cpu(profile: ModelProfile, weights: Weights, order: Order, context_tokens: int) -> Memory:
    """Return what the CPU build would hold in the memory of the machine."""
    numbers = defaults().numbers
    there = (order.ram_bytes or 0) / GIB
    memory = Memory(
        device="memory of the machine",
        there=there,
        usable=there,
        reserve=numbers.cpu_reserve_gib,
        context_tokens=context_tokens,
    )
    parts = weight_parts(profile, weights)
    one = _one(profile, order, Layout(rule="", reason=""), context_tokens)
    if isinstance(parts, NotKnown) or isinstance(one, NotKnown):
        reason = parts.reason if isinstance(parts, NotKnown) else "sizes of the cache"
        return memory.model_copy(update={"not_known": reason})
    held = (parts.experts + parts.rest) / GIB
    free = there / order.replicas - numbers.cpu_reserve_gib - held
    wanted = numbers.cpu_sequences_of_full_context * one / GIB
    given = min(max(wanted, 1.0), free)
    return memory.model_copy(
        update={
            "usable": there / order.replicas,
            "weights": held,
            "kv": given,
            "kv_of_one": one / GIB,
            "requests": int(given / (one / GIB)) if given > 0 else 0,
            "tokens": int(given / (one / GIB) * context_tokens) if given > 0 else 0,
        }
    )


def require_fit(profile: ModelProfile, memory: Memory, *, needed: int | None) -> None:
    """Refuse what does not fit.

    Args:
        profile: The model.
        memory: Its sizes.
        needed: The least number of accelerators of this kind that would do; None where not known.

    Raises:
        TooLittleMemoryError: With the sizes.
    """
    if memory.fits:
        return
    if memory.not_known:
        way = "give --force where you know that it fits"
    elif needed is not None:
        way = f"it takes at least {needed} of these, a shorter --context or a smaller precision"
    else:
        way = "give more memory, a shorter --context or a smaller precision"
    raise TooLittleMemoryError(profile.id, memory.words, way)


def _one(profile: ModelProfile, order: Order, layout: Layout, tokens: int) -> float | NotKnown:
    element = 1.0 if order.kv_dtype == "fp8" else 2.0
    cache = kv_cache(profile, element)
    if isinstance(cache, NotKnown):
        return cache
    return cache.of(tokens) / (_kv_ranks(profile, layout) * layout.pipeline)


def _kv_ranks(profile: ModelProfile, layout: Layout) -> int:
    assert profile.attention is not None  # noqa: S101 - the cache is known
    if isinstance(profile.attention.mla, LatentAttention):
        return 1
    heads = [
        sizes.kv_heads
        for sizes in (profile.attention.full, profile.attention.sliding)
        if sizes is not None
    ]
    return min([layout.tensor, *heads])


def _more(profile: ModelProfile, layout: Layout) -> float:
    experts = profile.feedforward.experts if profile.feedforward is not None else None
    return 1.0 if experts is None else 1.0 + layout.redundant / experts.count


def _draft(profile: ModelProfile, order: Order) -> float:
    draft = draft_bytes(profile) if order.speculate else 0
    return 0.0 if isinstance(draft, NotKnown) else float(draft)
