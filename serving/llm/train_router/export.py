"""The merged router for the two servers: a checkpoint for vLLM, one GGUF file for llama.cpp."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from serving.llm.train_router.base import Array, Base, Shape, State, gguf_name, pairs
from serving.llm.train_router.extra import package
from serving.llm.train_router.moe import moe_config
from serving.llm.upcycle.make import template

CHECKPOINT, PARTIAL = "model.safetensors", ".partial"
_SKIPPED = ("tokenizer.chat_template",)


def write_checkpoint(
    state: State, base: Base, folder: Path, *, experts: int, experts_per_token: int
) -> Path:
    """Write a checkpoint in the published form of Mixtral, bfloat16, with tokenizer and template.

    Experts stand one by one under the names that vLLM and transformers both read.

    Returns:
        The folder.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    bfloat16 = package("ml_dtypes").bfloat16
    tensors = {
        name: np.ascontiguousarray(values.astype(bfloat16)) for name, values in _published(state)
    }
    save_file(tensors, folder / CHECKPOINT, metadata={"format": "pt"})
    config = moe_config(base.shape, experts=experts, experts_per_token=experts_per_token)
    _write_json(folder / "config.json", config)
    _write_json(
        folder / "generation_config.json",
        {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "do_sample": False},
    )
    _write_tokenizer(base, folder)
    return folder


def _published(state: State) -> Iterator[tuple[str, Array]]:
    for name, values in state.items():
        if name.endswith(".mlp.gate.weight"):
            yield name.replace(".mlp.", ".block_sparse_moe."), values
        elif name.endswith(".experts.gate_up_proj"):
            stem = name.removesuffix("gate_up_proj").replace(".mlp.", ".block_sparse_moe.")
            inner = values.shape[1] // 2
            for number, expert in enumerate(values):
                yield f"{stem}{number}.w1.weight", expert[:inner]
                yield f"{stem}{number}.w3.weight", expert[inner:]
        elif name.endswith(".experts.down_proj"):
            stem = name.removesuffix("down_proj").replace(".mlp.", ".block_sparse_moe.")
            for number, expert in enumerate(values):
                yield f"{stem}{number}.w2.weight", expert
        else:
            yield name, values


def _write_tokenizer(base: Base, folder: Path) -> None:
    """Write the tokenizer of the GGUF file: byte-level BPE, digits one by one (``smollm``)."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    fields = package("gguf").GGUFReader(base.path).fields
    tokens: list[str] = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    kinds: list[int] = fields["tokenizer.ggml.token_type"].contents()
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [t for t, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|im_start|>",
            "eos_token": "<|im_end|>",
            "pad_token": "<|im_end|>",
            "unk_token": "<|endoftext|>",
            "add_prefix_space": False,
            "clean_up_tokenization_spaces": False,
            "model_max_length": base.shape.context,
            "chat_template": template(),
        },
    )
    (folder / "chat_template.jinja").write_text(template(), "utf-8")


_CONTROL = 3
"""Token type of control tokens in GGUF files."""


def write_gguf(
    state: State, base: Base, path: Path, *, experts: int, experts_per_token: int, name: str
) -> Path:
    """Write one file for llama.cpp: architecture ``llama`` with experts, matrices in Q8_0.

    llama.cpp reads Mixtral as a Llama with experts; the vocabulary is copied from the base model,
    so that both cut a text alike. Norms and gates stay float32.

    Returns:
        The file.
    """
    gguf = package("gguf")
    partial = path.with_suffix(PARTIAL)
    writer = gguf.GGUFWriter(partial, "llama")
    _describe(writer, base.shape, experts, experts_per_token, name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    _copy_vocabulary(writer, gguf.GGUFReader(base.path).fields)
    kind = gguf.GGMLQuantizationType
    for tensor, values in _for_llama_cpp(state, base.shape):
        if values.ndim == 1 or "ffn_gate_inp" in tensor:
            writer.add_tensor(tensor, np.ascontiguousarray(values, dtype=np.float32))
        else:
            data = gguf.quants.quantize(np.ascontiguousarray(values), kind.Q8_0)
            writer.add_tensor(tensor, data, raw_dtype=kind.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(path)
    return path


def _describe(writer: Any, shape: Shape, experts: int, experts_per_token: int, name: str) -> None:
    writer.add_name(name)
    writer.add_license("apache-2.0")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_rope_dimension_count(shape.hidden // shape.heads)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_expert_count(experts)
    writer.add_expert_used_count(experts_per_token)
    writer.add_chat_template(template())


def _copy_vocabulary(writer: Any, fields: Mapping[str, Any]) -> None:
    for key, field in fields.items():
        if not key.startswith("tokenizer.") or key in _SKIPPED:
            continue
        kind = field.types[0]
        sub = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(key, field.contents(), kind, sub_type=sub)


def _for_llama_cpp(state: State, shape: Shape) -> Iterator[tuple[str, Array]]:
    for name, values in state.items():
        if not name.startswith("model.layers."):
            yield gguf_name(name), values
            continue
        _, _, layer, rest = name.split(".", 3)
        if rest == "mlp.gate.weight":
            yield f"blk.{layer}.ffn_gate_inp.weight", values
        elif rest == "mlp.experts.gate_up_proj":
            inner = values.shape[1] // 2
            yield f"blk.{layer}.ffn_gate_exps.weight", values[:, :inner]
            yield f"blk.{layer}.ffn_up_exps.weight", values[:, inner:]
        elif rest == "mlp.experts.down_proj":
            yield f"blk.{layer}.ffn_down_exps.weight", values
        elif rest.startswith("self_attn.q_proj"):
            yield gguf_name(name), pairs(values, shape.heads)
        elif rest.startswith("self_attn.k_proj"):
            yield gguf_name(name), pairs(values, shape.kv_heads)
        else:
            yield gguf_name(name), values


def _write_json(path: Path, value: object) -> None:
    path.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2))
