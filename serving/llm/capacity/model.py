"""The numbers of a model, taken from its profile."""

from typing import Final

from knowledge.errors import InvalidValueError, UnavailableError
from serving.llm.capacity.numbers import ModelNumbers
from serving.llm.profiles.architecture import (
    Attention,
    LatentAttention,
    LinearAttention,
    SlidingAttention,
)
from serving.llm.profiles.derive import (
    FULL_PRECISION_BYTES,
    Parameters,
    WeightParts,
    kv_cache,
    parameters,
    weight_parts,
)
from serving.llm.profiles.model import ModelProfile, Weights
from serving.llm.profiles.sourced import NotKnown

_SHORT: Final = {"bf16": "bfloat16", "bfloat": "bfloat16", "fp32": "float32", "awq": "int4"}


class UnknownSizesError(UnavailableError):
    """The profile does not know the fields from which sizes are computed."""


def numbers_of(
    profile: ModelProfile, *, weights: str | None = None, kv_element_bytes: float = 2
) -> ModelNumbers:
    """Return the numbers of a model in one precision.

    Args:
        profile: The model.
        weights: Precision, ``bf16`` or as the profile names it; None for the recommended one.
        kv_element_bytes: Of keys and values: 2, or 1 with an 8-bit cache.

    Raises:
        InvalidValueError: The profile has no weights in that precision.
        UnknownSizesError: Its configuration fields are not known.
    """
    chosen = weights_of(profile, weights)
    count, kv = parameters(profile), kv_cache(profile, kv_element_bytes)
    parts = weight_parts(profile, chosen)
    if (
        isinstance(count, NotKnown)
        or isinstance(kv, NotKnown)
        or isinstance(parts, NotKnown)
        or profile.attention is None
    ):
        reason = next((one.reason for one in (count, kv) if isinstance(one, NotKnown)), "")
        raise UnknownSizesError(
            profile.id, f"its sizes cannot be computed: {reason}", "plan with another profile"
        )
    layers = profile.shape.layers if profile.shape else 0
    experts = profile.feedforward.experts if profile.feedforward else None
    prompt, reply, window = _looking(profile.attention, layers)
    return ModelNumbers(
        id=profile.id,
        name=profile.name,
        weights=chosen.dtype,
        **_parts(count, chosen, parts),
        experts=experts.count if experts else 0,
        top_k=experts.per_token if experts else 0,
        kv_bytes_per_token=kv.bytes_per_token,
        kv_window_bytes_per_token=kv.sliding_bytes_per_token,
        kv_window=kv.window,
        kv_state_bytes=kv.state_bytes,
        kv_shards=_shards(profile.attention),
        prompt_score_flops=prompt,
        reply_score_flops=reply,
        window_score_flops=window,
        context_tokens=profile.context.native_tokens,
    )


def weights_of(profile: ModelProfile, name: str | None) -> Weights:
    """Return the weights of a model in one precision; the recommended ones for None.

    Raises:
        InvalidValueError: The profile has none in that precision.
    """
    if name is None:
        return profile.weights[0]
    wanted = _SHORT.get(name.strip().casefold(), name.strip().casefold())
    for one in profile.weights:
        if one.dtype == wanted:
            return one
    known = ", ".join(one.dtype for one in profile.weights)
    raise InvalidValueError(f"--weights {name}", f"{profile.id} has none", f"one of {known}")


def _parts(count: Parameters, weights: Weights, parts: WeightParts) -> dict[str, float]:
    """Return parameters and bytes of routed experts, of what every token passes, of the rest."""
    each = weights.bytes_per_weight
    rest = each if weights.covers == "all" else FULL_PRECISION_BYTES
    linear = rest if weights.covers == "experts" else each
    matrices = count.attention + count.dense + count.shared
    head = count.head or count.embedding
    lookup = count.embedding if count.head else 0
    return {
        "routed_params": count.experts,
        "other_params": matrices + count.other + head,
        "lookup_params": lookup,
        "head_params": head,
        "vision_params": count.vision,
        "routed_bytes": parts.experts,
        "other_bytes": matrices * linear + (count.other + head) * rest,
        "lookup_bytes": lookup * rest,
        "vision_bytes": count.vision * rest,
    }


def _looking(attention: Attention, layers: int) -> tuple[float, float, float]:
    """Return the FLOPs of one look: prompt, reply, sliding layers (scores and values, 2 each)."""
    prompt = reply = window = 0.0
    for kind in attention.kinds(layers):
        sizes = attention.of(kind)
        if isinstance(sizes, LinearAttention):
            continue  # its state takes about 1 % of the arithmetic of the matrices
        if isinstance(sizes, LatentAttention):
            prompt += 2.0 * sizes.heads * (sizes.nope_dim + sizes.rope_dim + sizes.value_dim)
            reply += 2.0 * sizes.heads * (2 * sizes.kv_rank + sizes.rope_dim)
        elif isinstance(sizes, SlidingAttention):
            window += 4.0 * sizes.heads * sizes.head_dim
        else:
            prompt += 4.0 * sizes.heads * sizes.head_dim
            reply += 4.0 * sizes.heads * sizes.head_dim
    return prompt, reply, window


def _shards(attention: Attention) -> int:
    if attention.mla is not None:
        return 1
    heads = [one.kv_heads for one in (attention.full, attention.sliding) if one is not None]
    return min(heads, default=1)
