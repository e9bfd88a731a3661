"""A model's folder on disk: every file it is made of, read once and checked."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, TooLargeError, UnreadableError
from tools.models.contract import Golden, ModelContract, read_contract

CONTRACT = "model.json"
GRAPH = "model.onnx"
MAX_GRAPH_BYTES = 2_000_000_000
"""Protocol buffers end at 2 GiB; a file above it has its weights elsewhere."""

MAX_GOLDEN_BYTES = 256 << 20
MAX_TEXT_BYTES = 1 << 20
_FEW = 40
"""Letters below which a card or licence says nothing."""


@dataclass(frozen=True, kw_only=True)
class GoldenVector:
    """One golden vector with its tensors.

    Args:
        of: As described.
        inputs, outputs: Tensors by name.
    """

    of: Golden
    inputs: dict[str, NDArray[Any]]
    outputs: dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """Everything of a model.

    Args:
        contract: ``model.json``.
        graph: ``model.onnx``; empty where the model runs on a server.
        card, licence: Their texts.
        golden: With their tensors.
        sha256: Of every file that was read, by name.
    """

    contract: ModelContract
    graph: bytes
    card: str
    licence: str
    golden: tuple[GoldenVector, ...]
    sha256: dict[str, str]


def read_folder(
    path: Path, *, max_graph_bytes: int = MAX_GRAPH_BYTES, remote: bool = False
) -> ModelFolder:
    """Return a model's folder, every file read and compared with what its description says.

    Args:
        path: The folder.
        max_graph_bytes: Largest ``model.onnx``.
        remote: The graph lies on a server: ``model.onnx`` need not be here.

    Raises:
        UnreadableError: A file is missing or damaged.
        TooLargeError: A file is too large.
        ContractError: The description is not valid, or the graph is not the described one.
    """
    if not path.is_dir():
        raise UnreadableError(str(path), "no folder", "name the folder that holds model.json")
    hashes: dict[str, str] = {}
    contract = read_contract(_bytes(path, CONTRACT, MAX_TEXT_BYTES, hashes))
    graph = b""
    if not remote or (path / GRAPH).exists():
        graph = _bytes(path, GRAPH, max_graph_bytes, hashes)
        if hashes[GRAPH] != contract.onnx_sha256:
            raise ContractError(
                GRAPH,
                f"SHA-256 is {hashes[GRAPH][:16]}..., {CONTRACT} says "
                f"{contract.onnx_sha256[:16]}...",
                "this is not the described model: get the right file",
            )
    card = _text(path, contract.card_file, hashes)
    licence = _text(path, contract.licence_file, hashes)
    golden = tuple(_golden(path, one, hashes) for one in contract.golden)
    return ModelFolder(
        contract=contract, graph=graph, card=card, licence=licence, golden=golden, sha256=hashes
    )


def files_of(contract: ModelContract) -> tuple[str, ...]:
    """Return the names of all files that a description names, itself first."""
    named = [CONTRACT, GRAPH, contract.card_file, contract.licence_file]
    for one in contract.golden:
        named += [*one.inputs.values(), *one.outputs.values()]
    return tuple(dict.fromkeys(named))


def _bytes(folder: Path, name: str, most: int, hashes: dict[str, str]) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
        raise ContractError(name, "a link out of the folder", "copy the file itself into it")
    try:
        size = path.stat().st_size
        if size > most:
            raise TooLargeError(name, f"{size} bytes", f"at most {most}")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            name, f"cannot be read: {error.strerror}", "it belongs into the model's folder"
        ) from error
    hashes[name] = hashlib.sha256(content).hexdigest()
    return content


def _text(folder: Path, name: str, hashes: dict[str, str]) -> str:
    content = _bytes(folder, name, MAX_TEXT_BYTES, hashes)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(name, "is not UTF-8 text", "save it as UTF-8") from error
    if len(text.strip()) < _FEW:
        raise ContractError(name, "says nothing", "write what it is for: card and licence")
    return text


def _golden(folder: Path, one: Golden, hashes: dict[str, str]) -> GoldenVector:
    def tensors(names: dict[str, str]) -> Iterator[tuple[str, NDArray[Any]]]:
        for name, file in names.items():
            yield name, read_array(_bytes(folder, file, MAX_GOLDEN_BYTES, hashes), file)

    taken, given = dict(tensors(one.inputs)), dict(tensors(one.outputs))
    return GoldenVector(of=one, inputs=taken, outputs=given)


def read_array(content: bytes, file: str) -> NDArray[Any]:
    """Return the array in an ``.npy`` file; never unpickles.

    Raises:
        UnreadableError: Damaged, of objects, or without finite numbers.
    """
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError, MemoryError) as error:
        raise UnreadableError(file, "no plain .npy array", "write it with numpy.save") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub" or not found.size:
        raise UnreadableError(file, "no array of numbers", "write it with numpy.save")
    if not np.isfinite(found).all():
        raise UnreadableError(file, "holds NaN or infinity", "golden vectors are numbers")
    return found
