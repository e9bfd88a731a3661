"""What retrieval asks of an encoder beyond `Embedder`, and of a reranker."""

from collections.abc import Sequence
from typing import Protocol

from knowledge.passages import Embedder, Language


class Encoder(Embedder, Protocol):
    """An embedder that says which languages it reads."""

    @property
    def languages(self) -> tuple[Language, ...]:
        """Languages whose vectors mean something."""
        ...

    @property
    def min_cosine(self) -> float:
        """Cosine below which a passage has nothing to do with a query; -1 where none is known."""
        ...


class Reranker(Protocol):
    """Looks at query and passage together, for the order of a few passages already found."""

    @property
    def id(self) -> str:
        """Name of the model: part of the provenance."""
        ...

    def scores(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return one score per text, higher is better.

        Raises:
            RerankerUnavailableError: No scores could be had.
        """
        ...
