"""The configuration fields of a model, as its ``config.json`` has them, that decide its size."""

from typing import Literal

from pydantic import PositiveInt

from knowledge.model import Frozen
from serving.llm.profiles.sourced import Sourced

LayerKind = Literal["full", "sliding", "linear", "mla"]


class Shape(Sourced):
    """What every layer shares.

    Args:
        layers: ``num_hidden_layers``.
        hidden: ``hidden_size``.
        vocabulary: ``vocab_size``.
        tied_embeddings: ``tie_word_embeddings``: the output head is the embedding itself.
        norms_per_layer: Vectors of length `hidden` that scale a layer's activations.
        draft_layers: Layers that only draft tokens (``num_nextn_predict_layers``,
            ``mtp_num_hidden_layers``). They are in the checkpoint, and in memory only with
            speculative decoding.
        draft_copies_embeddings: Whether the checkpoint holds embedding and head again for them.
    """

    layers: PositiveInt
    hidden: PositiveInt
    vocabulary: PositiveInt
    tied_embeddings: bool
    norms_per_layer: PositiveInt = 2
    draft_layers: int = 0
    draft_copies_embeddings: bool = False


class FullAttention(Frozen):
    """Attention over the whole context; grouped where `kv_heads` is below `heads`.

    Args:
        heads: ``num_attention_heads``.
        kv_heads: ``num_key_value_heads``.
        head_dim: ``head_dim``.
        qkv_bias: Whether the three input projections add a bias.
        output_bias: Whether the output projection adds one.
        qk_norm: Whether queries and keys are scaled per head.
        output_gate: Whether the query projection is twice as wide to gate the output.
        sinks: Whether each head has one learned sink.
    """

    heads: PositiveInt
    kv_heads: PositiveInt
    head_dim: PositiveInt
    qkv_bias: bool = False
    output_bias: bool = False
    qk_norm: bool = False
    output_gate: bool = False
    sinks: bool = False


class SlidingAttention(FullAttention):
    """Attention over the last tokens only.

    Args:
        window: ``sliding_window``: so many tokens are kept, whatever the context.
    """

    window: PositiveInt


class LinearAttention(Frozen):
    """Gated delta-rule attention: a state of fixed size per sequence instead of keys and values.

    Args:
        key_heads: ``linear_num_key_heads``.
        value_heads: ``linear_num_value_heads``.
        key_dim: ``linear_key_head_dim``.
        value_dim: ``linear_value_head_dim``.
        convolution: ``linear_conv_kernel_dim``.
        state_bytes: Bytes of one element of the state in vLLM: 2 as the model's own precision,
            4 where the configuration says ``mamba_ssm_dtype: float32``.
    """

    key_heads: PositiveInt
    value_heads: PositiveInt
    key_dim: PositiveInt
    value_dim: PositiveInt
    convolution: PositiveInt
    state_bytes: PositiveInt = 2


class LatentAttention(Frozen):
    """Multi-head latent attention: one compressed vector per token and layer.

    Args:
        heads: ``num_attention_heads``.
        query_rank: ``q_lora_rank``.
        kv_rank: ``kv_lora_rank``, the compressed vector.
        nope_dim: ``qk_nope_head_dim``.
        rope_dim: ``qk_rope_head_dim``; its key is shared by all heads and kept beside the vector.
        value_dim: ``v_head_dim``.
    """

    heads: PositiveInt
    query_rank: PositiveInt
    kv_rank: PositiveInt
    nope_dim: PositiveInt
    rope_dim: PositiveInt
    value_dim: PositiveInt


class Attention(Sourced):
    """The attention of every layer.

    Args:
        pattern: The kinds of the first layers; it repeats until the last layer and is cut there.
        full: Sizes of the layers of kind ``full``; None where there are none. Likewise the others.
    """

    pattern: tuple[LayerKind, ...]
    full: FullAttention | None = None
    sliding: SlidingAttention | None = None
    linear: LinearAttention | None = None
    mla: LatentAttention | None = None

    def of(
        self, kind: LayerKind
    ) -> FullAttention | SlidingAttention | LinearAttention | LatentAttention:
        """Return the sizes of a kind of layer.

        Raises:
            KeyError: The pattern names no such kind; the loader makes sure that it has its sizes.
        """
        sizes = {"full": self.full, "sliding": self.sliding, "linear": self.linear, "mla": self.mla}
        found = sizes[kind]
        if found is None:
            raise KeyError(kind)
        return found

    def kinds(self, layers: int) -> tuple[LayerKind, ...]:
        """Return the kind of each of `layers` layers, first layer first."""
        return tuple(self.pattern[index % len(self.pattern)] for index in range(layers))


class Experts(Frozen):
    """The experts of a layer.

    Args:
        count: Routed experts of a layer.
        per_token: How many of them a token passes.
        intermediate: Width of one expert.
        shared: Experts that every token passes.
        shared_intermediate: Width of each of them.
        shared_gate: Whether the shared ones are gated by a vector of length `hidden`.
        bias: Whether the matrices of a routed expert add biases.
        router_bias: Whether the router adds a bias, or a correction, per expert.
    """

    count: PositiveInt
    per_token: PositiveInt
    intermediate: PositiveInt
    shared: int = 0
    shared_intermediate: int = 0
    shared_gate: bool = False
    bias: bool = False
    router_bias: bool = False


class Feedforward(Sourced):
    """The gated feed-forward part (gate, up and down matrix) of every layer.

    Args:
        dense_intermediate: Width of a layer without experts; None where every layer has experts.
        first_dense_layers: So many first layers have no experts; all where `experts` is None.
        experts: None for a dense model.
    """

    dense_intermediate: PositiveInt | None = None
    first_dense_layers: int = 0
    experts: Experts | None = None


class VisionTower(Sourced):
    """The encoder of images.

    Args:
        form: How its parts are put together, which decides how its parameters are counted.
        layers: ``depth`` or ``num_hidden_layers``.
        hidden: ``hidden_size``.
        intermediate: ``intermediate_size``; in the form ``glm4v`` it is inside the merger, and the
            layers are as wide inside as `out_hidden`.
        heads: ``num_heads``.
        patch: Side of a patch, pixels.
        frames: Images that one patch spans in time (``temporal_patch_size``).
        merge: So many patches along each side become one token of the language model.
        out_hidden: Width that the language model reads.
        positions: Learned positions.
        extra_mergers: Further mergers that feed early layers (``deepstack_visual_indexes``).
        image_side: Side of the picture that the tower takes, pixels; None where any size is taken.
        image_tokens: Tokens of one picture; None where they follow from its size.
    """

    form: Literal["qwen3_vl", "glm4v", "siglip"]
    layers: PositiveInt
    hidden: PositiveInt
    intermediate: PositiveInt
    heads: PositiveInt
    patch: PositiveInt
    frames: PositiveInt = 1
    merge: PositiveInt = 1
    out_hidden: PositiveInt
    positions: int = 0
    extra_mergers: int = 0
    image_side: PositiveInt | None = None
    image_tokens: PositiveInt | None = None
