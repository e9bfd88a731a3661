"""Encoders and rerankers for tests: no weights, no network, the same answer everywhere."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.passages import Language
from knowledge.retrieval.errors import EncoderUnavailableError, RerankerUnavailableError
from knowledge.retrieval.words import tokens


class FakeEncoder:
    """Vectors of shared words: texts with the same words are near each other.

    Args:
        id: As an index remembers it.
        dimension: Length of a vector.
        languages: It claims to read.
        seed: Another one gives other vectors under the same id.
        min_cosine: As it is told.

    Attributes:
        failing: Set to raise `EncoderUnavailableError` from now on.
        asked: Every text embedded, in order.
    """

    def __init__(
        self,
        id: str = "fake",
        *,
        dimension: int = 64,
        languages: Sequence[Language] = ("en",),
        seed: str = "",
        min_cosine: float = -1.0,
    ) -> None:
        self.id = id
        self.dimension = dimension
        self.languages = tuple(languages)
        self.min_cosine = min_cosine
        self.failing = False
        self.asked: list[str] = []
        self._seed = seed

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors ``(texts, dimension)``.

        Raises:
            EncoderUnavailableError: It was told to fail.
        """
        if self.failing:
            raise EncoderUnavailableError(self.id, "told to fail")
        self.asked.extend(texts)
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        total = np.zeros(self.dimension, np.float32)
        for word in (text.casefold(), *tokens(text)):
            digest = hashlib.sha256((self._seed + word).encode()).digest()
            total[int.from_bytes(digest[:4], "big") % self.dimension] += 1
        unit: NDArray[np.float32] = total / np.linalg.norm(total)
        return unit


class FakeReranker:
    """Scores by the length of a text, shortest best; or fails.

    Args:
        failing: Raise instead.
    """

    id = "fake-reranker"

    def __init__(self, *, failing: bool = False) -> None:
        self.failing = failing

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return the negative lengths.

        Raises:
            RerankerUnavailableError: It was told to fail.
        """
        if self.failing:
            raise RerankerUnavailableError(self.id, "told to fail")
        return [-float(len(text)) for text in texts]
