"""The numbers of a model from the header of its GGUF file: what each tensor takes on disk.

Layout of the header: ggml's docs/gguf.md, version 3 (and 2, which is the same here).
"""

import math
import struct
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from knowledge.errors import UnreadableError, UnsupportedError
from serving.llm.capacity.numbers import ModelNumbers

_SCALARS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?",
    10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_VERSIONS = (2, 3)
_MOST_ITEMS = 1 << 22
_MOST_STRING = 1 << 24
_KV_ELEMENT_BYTES = 2
"""llama.cpp keeps keys and values in half precision unless told otherwise."""


class Tensor(NamedTuple):
    """One tensor: its parameters and its bytes on disk, padding included."""

    params: int
    size: int


def read_gguf(path: Path) -> tuple[Mapping[str, object], Mapping[str, Tensor]]:
    """Return the metadata and the tensors of a GGUF file.

    Arrays of the metadata (the vocabulary) are left out.

    Raises:
        UnreadableError: It is no GGUF file, or it is cut.
        UnsupportedError: Its version is not known.
    """
    try:
        with path.open("rb") as file:
            return _header(file, path)
    except (OSError, struct.error, UnicodeDecodeError) as error:
        raise UnreadableError(path.name, "is no whole GGUF file") from error


def numbers_of_gguf(path: Path) -> ModelNumbers:
    """Return the numbers of a model with full attention, dense or with experts.

    Raises:
        UnreadableError: It is no GGUF file, it is cut, or sizes are missing in its metadata.
        UnsupportedError: Its version is not known.
    """
    meta, tensors = read_gguf(path)
    routed = [one for name, one in tensors.items() if "_exps." in name]
    table = tensors.get("token_embd.weight")
    head = tensors.get("output.weight", table)
    if table is None or head is None:
        raise UnreadableError(path.name, "has no embedding")
    lookup = table if "output.weight" in tensors else Tensor(0, 0)
    every = list(tensors.values())
    kind = str(meta.get("general.architecture", ""))
    layers = _size(meta, path, f"{kind}.block_count")
    heads = _size(meta, path, f"{kind}.attention.head_count")
    width = _size(meta, path, f"{kind}.embedding_length") // heads
    head_dim = _size(meta, path, f"{kind}.attention.key_length", width)
    kv_heads = _size(meta, path, f"{kind}.attention.head_count_kv", heads)
    routed_params, routed_bytes = (sum(one[i] for one in routed) for i in (0, 1))
    score = 4.0 * layers * heads * head_dim
    return ModelNumbers(
        id=path.stem,
        name=str(meta.get("general.name", path.stem)),
        weights="gguf",
        routed_params=routed_params,
        other_params=sum(one.params for one in every) - routed_params - lookup.params,
        lookup_params=lookup.params,
        head_params=head.params,
        routed_bytes=routed_bytes,
        other_bytes=sum(one.size for one in every) - routed_bytes - lookup.size,
        lookup_bytes=lookup.size,
        experts=_size(meta, path, f"{kind}.expert_count", 0),
        top_k=_size(meta, path, f"{kind}.expert_used_count", 0),
        kv_bytes_per_token=2 * layers * kv_heads * head_dim * _KV_ELEMENT_BYTES,
        kv_shards=1,
        prompt_score_flops=score,
        reply_score_flops=score,
        context_tokens=_size(meta, path, f"{kind}.context_length"),
    )


def _size(meta: Mapping[str, object], path: Path, key: str, default: int | None = None) -> int:
    found = meta.get(key, default)
    if not isinstance(found, int):
        raise UnreadableError(path.name, f"does not state {key} as one number")
    return found


def _header(file: BinaryIO, path: Path) -> tuple[dict[str, object], dict[str, Tensor]]:
    if file.read(4) != b"GGUF":
        raise UnreadableError(path.name, "is no GGUF file")
    version = _scalar(file, "<I")
    if version not in _VERSIONS:
        raise UnsupportedError(path.name, f"is GGUF version {version}", "use version 2 or 3")
    tensors, entries = _count(file, path), _count(file, path)
    meta: dict[str, object] = {}
    for _ in range(entries):
        key = _string(file, path)
        value = _value(file, path, int(_scalar(file, "<I")))
        if value is not None:
            meta[key] = value
    found: list[tuple[int, str, int]] = []
    for _ in range(tensors):
        name = _string(file, path)
        dims = [int(_scalar(file, "<Q")) for _ in range(int(_scalar(file, "<I")))]
        _scalar(file, "<I")
        found.append((int(_scalar(file, "<Q")), name, math.prod(dims)))
    alignment = meta.get("general.alignment", 32)
    start = file.tell()
    start += -start % (alignment if isinstance(alignment, int) and alignment > 0 else 32)
    end = path.stat().st_size - start
    offsets = [*sorted(offset for offset, _, _ in found), end]
    following = dict(pairwise(offsets))
    sized = {name: Tensor(params, following[offset] - offset) for offset, name, params in found}
    if any(one.size <= 0 for one in sized.values()):
        raise UnreadableError(path.name, "is cut: tensors lie beyond its end")
    return meta, sized


def _value(file: BinaryIO, path: Path, kind: int) -> object | None:
    if kind == _STRING:
        return _string(file, path)
    if kind != _ARRAY:
        return _scalar(file, _format(kind, path))
    of, items = int(_scalar(file, "<I")), _count(file, path)
    if of in _SCALARS:
        file.seek(items * struct.calcsize(_SCALARS[of]), 1)
    else:
        for _ in range(items):
            _value(file, path, of)
    return None


def _format(kind: int, path: Path) -> str:
    if kind not in _SCALARS:
        raise UnreadableError(path.name, f"has a value of the unknown type {kind}")
    return _SCALARS[kind]


def _scalar(file: BinaryIO, form: str) -> int | float:
    value: int | float = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return value


def _count(file: BinaryIO, path: Path) -> int:
    count = int(_scalar(file, "<Q"))
    if count > _MOST_ITEMS:
        raise UnreadableError(path.name, f"names {count} items")
    return count


def _string(file: BinaryIO, path: Path) -> str:
    size = int(_scalar(file, "<Q"))
    if size > _MOST_STRING:
        raise UnreadableError(path.name, f"has a text of {size} bytes")
    return file.read(size).decode()
