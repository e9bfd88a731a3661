"""Headers of GGUF files, written here byte by byte."""

import struct
from pathlib import Path

import pytest

from knowledge.errors import UnreadableError, UnsupportedError
from serving.llm.capacity.gguf import numbers_of_gguf

HEADER: dict[str, int | str | list[str]] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "llama.block_count": 2,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.context_length": 512,
    "tokenizer.ggml.tokens": ["a", "bc"],
}
TENSORS: dict[str, tuple[int, ...]] = {
    "token_embd.weight": (64, 100),
    "blk.0.ffn_up.weight": (64, 128),
    "output.weight": (64, 100),
}


def text(words: str) -> bytes:
    return struct.pack("<Q", len(words)) + words.encode()


def value(content: int | str | list[str]) -> bytes:
    if isinstance(content, int):
        return struct.pack("<II", 4, content)
    if isinstance(content, str):
        return struct.pack("<I", 8) + text(content)
    return struct.pack("<IIQ", 9, 8, len(content)) + b"".join(map(text, content))


def gguf(
    path: Path,
    meta: dict[str, int | str | list[str]] | None = None,
    tensors: dict[str, tuple[int, ...]] | None = None,
    *,
    version: int = 3,
    cut: int = 0,
) -> Path:
    """Write a file of half-precision tensors."""
    meta = meta or HEADER
    tensors = tensors or TENSORS
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(meta))
    out += b"".join(text(key) + value(content) for key, content in meta.items())
    offset = 0
    for name, dims in tensors.items():
        out += text(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        out += struct.pack("<IQ", 1, offset)
        size = 2
        for dim in dims:
            size *= dim
        offset += size
    out += b"\0" * (-len(out) % 32) + b"\0" * offset
    path.write_bytes(out[: len(out) - cut])
    return path


def test_parts_and_cache_by_hand(tmp_path: Path) -> None:
    found = numbers_of_gguf(gguf(tmp_path / "tiny.gguf"))
    assert (found.name, found.context_tokens) == ("Tiny", 512)
    # an embedding beside a head is looked up only
    assert (found.lookup_params, found.lookup_bytes) == (6400, 12800)
    assert found.head_params == 6400
    assert found.other_params == 64 * 128 + 6400
    assert found.other_bytes == 2 * found.other_params
    # 2 layers x keys and values x 2 heads x 16 x 2 bytes
    assert found.kv_bytes_per_token == 2 * 2 * 2 * 16 * 2


def test_a_tied_embedding_is_the_head(tmp_path: Path) -> None:
    tied: dict[str, tuple[int, ...]] = {"token_embd.weight": (64, 100)}
    found = numbers_of_gguf(gguf(tmp_path / "tied.gguf", tensors=tied))
    assert (found.lookup_params, found.head_params, found.other_params) == (0, 6400, 6400)


def test_experts_are_routed(tmp_path: Path) -> None:
    meta = {**HEADER, "llama.expert_count": 4, "llama.expert_used_count": 1}
    tensors = {**TENSORS, "blk.0.ffn_up_exps.weight": (64, 32, 4)}
    found = numbers_of_gguf(gguf(tmp_path / "moe.gguf", meta, tensors))
    assert (found.experts, found.top_k, found.routed_params) == (4, 1, 64 * 32 * 4)


@pytest.mark.parametrize("cut", [1000, 50_000])
def test_a_cut_file_is_refused(tmp_path: Path, cut: int) -> None:
    whole = gguf(tmp_path / "whole.gguf").stat().st_size
    path = gguf(tmp_path / "cut.gguf", cut=min(cut + 25_000, whole - 10))
    with pytest.raises(UnreadableError):
        numbers_of_gguf(path)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 100)
    with pytest.raises(UnreadableError, match="no GGUF"):
        numbers_of_gguf(path)


def test_an_unknown_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="version 9"):
        numbers_of_gguf(gguf(tmp_path / "x.gguf", version=9))


def test_missing_sizes_are_not_guessed(tmp_path: Path) -> None:
    meta = {key: one for key, one in HEADER.items() if key != "llama.block_count"}
    with pytest.raises(UnreadableError, match="block_count"):
        numbers_of_gguf(gguf(tmp_path / "x.gguf", meta))
