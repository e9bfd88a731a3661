"""How many parameters each part of a model has, from its configuration fields.

The parts are those of the model classes of transformers 5.19; a matrix is what a quantised
checkpoint stores in few bits, a vector (bias, norm, router, convolution) is not.
"""

from dataclasses import dataclass

from serving.llm.profiles.architecture import (
    Experts,
    FullAttention,
    LatentAttention,
    LinearAttention,
    SlidingAttention,
    VisionTower,
)

_COLOURS = 3


@dataclass(frozen=True)
class Count:
    """Parameters of a part.

    Args:
        matrices: In matrices of layers.
        vectors: In everything else.
    """

    matrices: int = 0
    vectors: int = 0

    @property
    def all(self) -> int:
        """Both together."""
        return self.matrices + self.vectors

    def __add__(self, other: "Count") -> "Count":
        return Count(self.matrices + other.matrices, self.vectors + other.vectors)

    def times(self, number: int) -> "Count":
        """Return the count of `number` such parts."""
        return Count(self.matrices * number, self.vectors * number)


def attention_count(
    sizes: FullAttention | SlidingAttention | LinearAttention | LatentAttention, hidden: int
) -> Count:
    """Return the parameters of the attention of one layer.

    Args:
        sizes: Of the kind of attention.
        hidden: Width of the model.

    Examples:
        Qwen3-30B-A3B, layer 0: query and output 2048 x 4096, key and value 2048 x 512, two norms.

        >>> attention_count(FullAttention(heads=32, kv_heads=4, head_dim=128, qk_norm=True), 2048)
        Count(matrices=18874368, vectors=256)
    """
    if isinstance(sizes, LinearAttention):
        return _linear(sizes, hidden)
    if isinstance(sizes, LatentAttention):
        return _latent(sizes, hidden)
    return _full(sizes, hidden)


def gated_count(hidden: int, width: int, *, bias: bool = False) -> Count:
    """Return the parameters of a gated feed-forward part: gate, up and down matrix."""
    return Count(3 * hidden * width, 2 * width + hidden if bias else 0)


def routed_count(experts: Experts, hidden: int) -> Count:
    """Return the parameters of all routed experts of one layer."""
    return gated_count(hidden, experts.intermediate, bias=experts.bias).times(experts.count)


def shared_count(experts: Experts, hidden: int) -> Count:
    """Return the parameters of the experts that every token passes, and of their gate."""
    gate = hidden if experts.shared_gate else 0
    shared = gated_count(hidden, experts.shared_intermediate).times(experts.shared)
    return shared + Count(0, gate)


def router_count(experts: Experts, hidden: int) -> Count:
    """Return the parameters of the router of one layer; it is kept in full precision."""
    return Count(0, experts.count * hidden + (experts.count if experts.router_bias else 0))


def vision_count(tower: VisionTower) -> int:
    """Return the parameters of the vision tower with its way into the language model."""
    match tower.form:
        case "qwen3_vl":
            return _qwen3_vl(tower)
        case "glm4v":
            return _glm4v(tower)
        case "siglip":
            return _siglip(tower)


def _full(sizes: FullAttention, hidden: int) -> Count:
    query = sizes.heads * sizes.head_dim * (2 if sizes.output_gate else 1)
    key_value = 2 * sizes.kv_heads * sizes.head_dim
    matrices = hidden * (query + key_value) + sizes.heads * sizes.head_dim * hidden
    vectors = query + key_value if sizes.qkv_bias else 0
    vectors += hidden if sizes.output_bias else 0
    vectors += 2 * sizes.head_dim if sizes.qk_norm else 0
    vectors += sizes.heads if sizes.sinks else 0
    return Count(matrices, vectors)


def _linear(sizes: LinearAttention, hidden: int) -> Count:
    key = sizes.key_heads * sizes.key_dim
    value = sizes.value_heads * sizes.value_dim
    matrices = hidden * (2 * key + 2 * value) + value * hidden
    convolution = (2 * key + value) * sizes.convolution
    decay_and_rate = 2 * hidden * sizes.value_heads + 2 * sizes.value_heads
    return Count(matrices, convolution + decay_and_rate + sizes.value_dim)


def _latent(sizes: LatentAttention, hidden: int) -> Count:
    query = hidden * sizes.query_rank
    query += sizes.query_rank * sizes.heads * (sizes.nope_dim + sizes.rope_dim)
    key_value = hidden * (sizes.kv_rank + sizes.rope_dim)
    key_value += sizes.kv_rank * sizes.heads * (sizes.nope_dim + sizes.value_dim)
    output = sizes.heads * sizes.value_dim * hidden
    return Count(query + key_value + output, sizes.query_rank + sizes.kv_rank)


def _qwen3_vl(tower: VisionTower) -> int:
    width = tower.hidden
    wide = width * tower.merge**2
    patches = _COLOURS * tower.frames * tower.patch**2 * width + width
    mlp = 2 * width * tower.intermediate + tower.intermediate + width
    block = 4 * width + 4 * (width**2 + width) + mlp
    merger = wide**2 + wide + wide * tower.out_hidden + tower.out_hidden
    mergers = 2 * width + merger + tower.extra_mergers * (2 * wide + merger)
    return patches + tower.positions * width + tower.layers * block + mergers


def _glm4v(tower: VisionTower) -> int:
    width, out = tower.hidden, tower.out_hidden
    patches = _COLOURS * tower.frames * tower.patch**2 * width + width
    block = 2 * width + 4 * width**2 + 3 * width * out
    downsample = width * out * tower.merge**2 + out
    merger = out**2 + 2 * out + 3 * out * tower.intermediate
    norms = 2 * width
    return patches + tower.positions * width + tower.layers * block + downsample + merger + norms


def _siglip(tower: VisionTower) -> int:
    width = tower.hidden
    patches = _COLOURS * tower.patch**2 * width + width
    mlp = 2 * width * tower.intermediate + tower.intermediate + width
    block = 4 * width + 4 * (width**2 + width) + mlp
    projector = width * tower.out_hidden + width
    return patches + tower.positions * width + tower.layers * block + 2 * width + projector
