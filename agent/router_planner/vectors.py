"""Vectors of the texts of all tools, kept in a file: some two thousand short texts take seconds."""

import hashlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.retrieval.encoders import Encoder

logger = logging.getLogger(__name__)


def vectors_of(encoder: Encoder, texts: Sequence[str], folder: Path | None) -> NDArray[np.float32]:
    """Return the vectors of texts, shape ``(texts, dimensions)``: of the file, else by the encoder.

    The name of the file is the hash of encoder and texts. A file that cannot be read, or has other
    sizes or values that are no numbers, is made anew; one that cannot be written is done without.

    Args:
        encoder: Its id stands for its weights.
        texts: In order.
        folder: Where the file is kept; None for nowhere.
    """
    path = None if folder is None else folder / f"{_name(encoder, texts)}.npy"
    if path is not None:
        found = _read(path, len(texts))
        if found is not None:
            return found
    made: NDArray[np.float32] = encoder.embed(list(texts))
    if path is not None:
        _write(path, made)
    return made


def _name(encoder: Encoder, texts: Sequence[str]) -> str:
    told = hashlib.sha256(encoder.id.encode())
    for text in texts:
        told.update(hashlib.sha256(text.encode()).digest())
    return told.hexdigest()[:32]


def _read(path: Path, count: int) -> NDArray[np.float32] | None:
    try:
        with path.open("rb") as file:
            found = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = found.ndim == 2 and len(found) == count and found.dtype == np.float32
    return found if whole and bool(np.isfinite(found).all()) else None


def _write(path: Path, vectors: NDArray[np.float32]) -> None:
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.save(file, vectors)
        partial.replace(path)
    except OSError as error:
        logger.info("the vectors of the tools are not kept: %s", error.strerror)
