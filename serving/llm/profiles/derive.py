"""Sizes of a model from its configuration fields: parameters, active share, weights, KV cache.

Every figure is computed; where a field is not known the figure is `NotKnown` with the reason.
"""

from collections.abc import Mapping

from knowledge.model import Frozen
from serving.llm.profiles.architecture import (
    Attention,
    Experts,
    Feedforward,
    LatentAttention,
    LayerKind,
    LinearAttention,
    Shape,
    SlidingAttention,
)
from serving.llm.profiles.counting import (
    Count,
    attention_count,
    gated_count,
    routed_count,
    router_count,
    shared_count,
    vision_count,
)
from serving.llm.profiles.model import ModelProfile, Weights
from serving.llm.profiles.sourced import NotKnown

FULL_PRECISION_BYTES = 2
"""Of bfloat16, in which everything is kept that is not quantised."""


class Parameters(Frozen):
    """Parameters by part.

    Args:
        embedding: The table that a token is looked up in.
        head: The output matrix; 0 where it is the embedding.
        attention: Of all layers; without the next line.
        dense: Feed-forward matrices of layers without experts.
        experts: Routed experts, all of them.
        experts_active: Routed experts that one token passes.
        shared: Experts that every token passes.
        expert_biases: Of `experts`, biases; they are not quantised.
        other: Norms, biases of other parts, routers, convolutions.
        vision: The vision tower.
        draft: Draft layers; in memory only with speculative decoding, in no other figure.
    """

    embedding: int
    head: int
    attention: int
    dense: int
    experts: int
    experts_active: int
    shared: int
    expert_biases: int
    other: int
    vision: int
    draft: int

    @property
    def text(self) -> int:
        """All of the language model."""
        return (
            self.embedding
            + self.head
            + self.attention
            + self.dense
            + self.experts
            + self.shared
            + self.other
        )

    @property
    def total(self) -> int:
        """All that is resident: language model and vision tower."""
        return self.text + self.vision

    @property
    def active(self) -> int:
        """What one text token passes: all of the language model but the experts not chosen."""
        return self.text - self.experts + self.experts_active

    @property
    def multiplied(self) -> int:
        """Of `active`, what a token is multiplied with: the embedding is only looked up."""
        return self.active - (self.embedding if self.head else 0)

    def active_as(self, counts: str) -> int:
        """Return `active` as a maker counts it.

        Args:
            counts: ``Stated.active_counts``.
        """
        left_out = {
            "all": 0,
            "without embedding": self.embedding,
            "without embedding and head": self.embedding + self.head,
        }
        return self.active - left_out[counts]

    @property
    def active_share(self) -> float:
        """`active` over `total`."""
        return self.active / self.total

    @property
    def linear(self) -> int:
        """Matrices of the layers: what a quantised checkpoint stores in few bits."""
        return self.attention + self.dense + self.expert_matrices + self.shared

    @property
    def expert_matrices(self) -> int:
        """Matrices of the routed experts."""
        return self.experts - self.expert_biases


class KvCache(Frozen):
    """What one sequence keeps.

    Args:
        bytes_per_token: For every token of the context.
        sliding_bytes_per_token: For every token, up to `window` tokens.
        window: Longest sliding window, tokens; 0 where there is none.
        state_bytes: Fixed, whatever the length.
        layers: Layers by kind.
    """

    bytes_per_token: float
    sliding_bytes_per_token: float
    window: int
    state_bytes: float
    layers: Mapping[LayerKind, int]

    @property
    def bytes_per_sequence(self) -> float:
        """What a long sequence keeps beside `bytes_per_token`: full windows and states."""
        return self.sliding_bytes_per_token * self.window + self.state_bytes

    def of(self, tokens: int) -> float:
        """Return the bytes that a sequence of so many tokens keeps."""
        sliding = self.sliding_bytes_per_token * min(tokens, self.window)
        return self.bytes_per_token * tokens + sliding + self.state_bytes


def parameters(profile: ModelProfile) -> Parameters | NotKnown:
    """Return the parameters of a model by part."""
    known = _fields(profile)
    if isinstance(known, NotKnown):
        return known
    shape, attention, feedforward = known
    if profile.vision and profile.vision_tower is None:
        return NotKnown(reason=f"vision_tower: {profile.not_known['vision_tower']}")
    table = shape.vocabulary * shape.hidden
    layers = _attention(shape, attention)
    norms = (shape.norms_per_layer * shape.layers + 1) * shape.hidden
    dense = _dense(shape, feedforward)
    with_experts = shape.layers - feedforward.first_dense_layers
    experts = feedforward.experts
    routed, shared, router, share = _expert_parts(experts, shape.hidden, with_experts)
    return Parameters(
        embedding=table,
        head=0 if shape.tied_embeddings else table,
        attention=layers.matrices,
        dense=dense.matrices,
        experts=routed.all,
        experts_active=round(routed.all * share),
        shared=shared.matrices,
        expert_biases=routed.vectors,
        other=layers.vectors + shared.vectors + router.vectors + norms,
        vision=0 if profile.vision_tower is None else vision_count(profile.vision_tower),
        draft=_draft(shape, attention, feedforward).all,
    )


def weight_bytes(profile: ModelProfile, weights: Weights) -> float | NotKnown:
    """Return the bytes of the weights in memory, all accelerators together.

    Args:
        profile: The model.
        weights: One of its precisions.
    """
    parts = weight_parts(profile, weights)
    return parts if isinstance(parts, NotKnown) else parts.experts + parts.rest


class WeightParts(Frozen):
    """Bytes of the weights, by how they may be spread.

    Args:
        experts: Routed experts.
        rest: Everything else, the vision tower included.
    """

    experts: float
    rest: float


def weight_parts(profile: ModelProfile, weights: Weights) -> WeightParts | NotKnown:
    """Return the bytes of routed experts and of everything else.

    Args:
        profile: The model.
        weights: One of its precisions.
    """
    count = parameters(profile)
    if isinstance(count, NotKnown):
        return count
    each = weights.bytes_per_weight
    experts = count.expert_matrices * each + count.expert_biases * FULL_PRECISION_BYTES
    covered = {"all": count.total - count.experts, "experts": 0}.get(
        weights.covers, count.linear - count.expert_matrices
    )
    rest = covered * each + (count.total - count.experts - covered) * FULL_PRECISION_BYTES
    return WeightParts(experts=experts, rest=rest)


def draft_bytes(profile: ModelProfile) -> int | NotKnown:
    """Return the bytes of the draft layers in full precision; 0 where there are none."""
    count = parameters(profile)
    return count if isinstance(count, NotKnown) else count.draft * FULL_PRECISION_BYTES


def kv_cache(profile: ModelProfile, element_bytes: float = 2) -> KvCache | NotKnown:
    """Return what one sequence keeps, all accelerators together and nothing kept twice.

    Args:
        profile: The model.
        element_bytes: Of one element of key and value: 2 for bfloat16, 1 for fp8.
    """
    known = _fields(profile)
    if isinstance(known, NotKnown):
        return known
    shape, attention, _ = known
    per_token = sliding = state = 0.0
    window = 0
    layers: dict[LayerKind, int] = {}
    for kind in attention.kinds(shape.layers):
        layers[kind] = layers.get(kind, 0) + 1
        sizes = attention.of(kind)
        if isinstance(sizes, LinearAttention):
            state += _state(sizes, element_bytes)
        elif isinstance(sizes, LatentAttention):
            per_token += (sizes.kv_rank + sizes.rope_dim) * element_bytes
        else:
            one = 2 * sizes.kv_heads * sizes.head_dim * element_bytes
            if isinstance(sizes, SlidingAttention):
                sliding, window = sliding + one, max(window, sizes.window)
            else:
                per_token += one
    return KvCache(
        bytes_per_token=per_token,
        sliding_bytes_per_token=sliding,
        window=window,
        state_bytes=state,
        layers=layers,
    )


def _fields(profile: ModelProfile) -> tuple[Shape, Attention, Feedforward] | NotKnown:
    if profile.shape is None or profile.attention is None or profile.feedforward is None:
        reasons = "; ".join(f"{name}: {why}" for name, why in profile.not_known.items())
        return NotKnown(reason=reasons)
    return profile.shape, profile.attention, profile.feedforward


def _attention(shape: Shape, attention: Attention) -> Count:
    found = Count()
    for kind in attention.kinds(shape.layers):
        found += attention_count(attention.of(kind), shape.hidden)
    return found


def _dense(shape: Shape, feedforward: Feedforward) -> Count:
    layers = feedforward.first_dense_layers if feedforward.experts else shape.layers
    if feedforward.dense_intermediate is None:
        return Count()
    return gated_count(shape.hidden, feedforward.dense_intermediate).times(layers)


def _expert_parts(
    experts: Experts | None, hidden: int, layers: int
) -> tuple[Count, Count, Count, float]:
    if experts is None:
        return Count(), Count(), Count(), 0.0
    return (
        routed_count(experts, hidden).times(layers),
        shared_count(experts, hidden).times(layers),
        router_count(experts, hidden).times(layers),
        experts.per_token / experts.count,
    )


def _draft(shape: Shape, attention: Attention, feedforward: Feedforward) -> Count:
    if not shape.draft_layers:
        return Count()
    kind: LayerKind = "mla" if attention.mla is not None else "full"
    hidden = shape.hidden
    layer = attention_count(attention.of(kind), hidden)
    routed, shared, router, _ = _expert_parts(feedforward.experts, hidden, 1)
    joined = Count(0, 2 * hidden**2 + (shape.norms_per_layer + 3) * hidden)
    copies = 2 * shape.vocabulary * hidden if shape.draft_copies_embeddings else 0
    one = layer + routed + shared + router + joined + Count(0, copies)
    return one.times(shape.draft_layers)


def _state(sizes: LinearAttention, element_bytes: float) -> float:
    key = sizes.key_heads * sizes.key_dim
    value = sizes.value_heads * sizes.value_dim
    memory = sizes.value_heads * sizes.key_dim * sizes.value_dim * sizes.state_bytes
    last_inputs = (2 * key + value) * (sizes.convolution - 1) * max(element_bytes, 2)
    return memory + last_inputs
