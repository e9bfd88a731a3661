"""Sentence vectors on a CPU: all-MiniLM-L6-v2 by onnxruntime, from packaged weights.

The ONNX graph is made once from the weights (`knowledge.retrieval.minilm_graph`) and kept beside
them with its hash. English only: the vectors of other languages mean nothing and are never asked
for. Texts are read up to 256 tokens, as the model was published.
"""

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import UnavailableError
from knowledge.packaged_weights import fetch, present, weights
from knowledge.passages import Language
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.minilm_graph import DIMENSION, GRAPH_VERSION, sentence_encoder
from knowledge.weights_cache import sha256_of
from knowledge.weights_source import Progress

MODEL = "all-minilm-l6-v2"
MAX_TOKENS = 256  # max_seq_length of the model's sentence_bert_config.json
_BATCH = 32  # texts at once: enough to fill two cores, little memory
_WAY_OUT = "run `epicrisis knowledge build`, which fetches it"


class MiniLm:
    """The encoder.

    Args:
        graph: The ONNX file.
        tokenizer: The published ``tokenizer.json``.
        weights_sha256: Of the weights in the graph.
        threads: Of one call; 0 for one per core.
    """

    dimension = DIMENSION
    languages: tuple[Language, ...] = ("en",)
    min_cosine = 0.25
    """Measured: 99 % of the 400 PubMedQA questions have 0.40 or more with the abstract they were
    written from; six questions outside medicine had at most 0.24 with any card."""

    def __init__(
        self, graph: Path, tokenizer: Path, *, weights_sha256: str, threads: int = 0
    ) -> None:
        self.id = f"{MODEL}/{weights_sha256[:16]}/graph{GRAPH_VERSION}"
        self._graph = graph
        self._tokenizer_file = tokenizer
        self._threads = threads

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors ``(texts, 384)``.

        Raises:
            EncoderUnavailableError: A package or file is missing or cannot be used.
        """
        encoded = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(encoded), DIMENSION), np.float32)
        # Texts of like length together: less padding to compute.
        order = sorted(range(len(encoded)), key=lambda i: (len(encoded[i]), i))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            vectors[batch] = self._run([encoded[i] for i in batch])
        return vectors

    def _run(self, batch: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        ids = np.zeros((len(batch), max(map(len, batch))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        found: NDArray[np.float32] = self._session.run(
            ["vectors"], {"input_ids": ids, "attention_mask": mask}
        )[0]
        return found

    @cached_property
    def _session(self) -> Any:
        try:
            import onnxruntime  # type: ignore[import-untyped]
        except ImportError as error:
            raise _missing("onnxruntime") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.log_severity_level = 3
        # Threads that wait by spinning take the core from the one they wait for on a busy machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                str(self._graph), options, providers=["CPUExecutionProvider"]
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EncoderUnavailableError(MODEL, "its graph cannot be read", _WAY_OUT) from error

    @cached_property
    def _tokenizer(self) -> Any:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            raise _missing("tokenizers") from error
        tokenizer = Tokenizer.from_str(self._tokenizer_file.read_text(encoding="utf-8"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer


def open_minilm(cache: Path) -> MiniLm:
    """Return the encoder from what is on disk; nothing is fetched.

    Args:
        cache: The folder of packaged weights.

    Raises:
        EncoderUnavailableError: The weights are not there, or not what they should be.
    """
    manifest = weights(MODEL)
    try:
        folder = present(manifest, cache=cache)
    except UnavailableError as error:
        raise EncoderUnavailableError(error.item, error.reason, error.way_out) from error
    if folder is None:
        raise EncoderUnavailableError(MODEL, "the weights are not here", _WAY_OUT)
    return _opened(folder, cache)


def fetch_minilm(cache: Path, *, progress: Progress | None = None) -> MiniLm:
    """Return the encoder, its weights fetched where they are missing.

    Raises:
        EncoderUnavailableError: The weights are not to be had.
    """
    try:
        folder = fetch(weights(MODEL), cache=cache, progress=progress)
    except UnavailableError as error:
        raise EncoderUnavailableError(error.item, error.reason, error.way_out) from error
    return _opened(folder, cache)


def _opened(folder: Path, cache: Path) -> MiniLm:
    sha256 = weights(MODEL).sha256["model.safetensors"]
    graph = cache / f"{MODEL}-graph{GRAPH_VERSION}-{sha256[:16]}.onnx"
    if not _whole(graph):
        _write(graph, folder / "model.safetensors")
    return MiniLm(graph, folder / "tokenizer.json", weights_sha256=sha256)


def _whole(graph: Path) -> bool:
    """Return whether the kept graph is there and is what was written."""
    stated = _hash_file(graph)
    if not graph.is_file() or not stated.is_file():
        return False
    return sha256_of(graph) == stated.read_text(encoding="ascii").strip()


def _write(graph: Path, safetensors: Path) -> None:
    """Make the graph from the weights and put it in place whole."""
    try:
        from safetensors.numpy import load_file

        content = sentence_encoder(load_file(safetensors))
    except ImportError as error:
        raise _missing(error.name or "onnx") from error
    partial = graph.with_suffix(f".partial{os.getpid()}")
    partial.write_bytes(content)
    _hash_file(graph).write_text(hashlib.sha256(content).hexdigest(), encoding="ascii")
    partial.replace(graph)


def _hash_file(graph: Path) -> Path:
    return graph.with_suffix(".onnx.sha256")


def _missing(package: str) -> EncoderUnavailableError:
    return EncoderUnavailableError(
        package,
        "is not installed",
        "install the extra `retrieval`: pip install epicrisis[retrieval]",
    )
