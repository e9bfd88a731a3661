"""BM25 over tokens: which passages share words and concepts with a query.

Lucene's form of BM25 with k1 1.5 and b 0.75 (Kamphuis 2020, doi 10.1007/978-3-030-45442-5_4), as
``bm25s`` computes it. A passage that shares nothing with the query is not a result.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.retrieval.errors import IndexDamagedError

Allowed = NDArray[np.bool_]
"""Which passages may be found, by place; shape ``(passages,)``."""


class LexicalIndex:
    """BM25 scores of every token in every passage.

    Args:
        bm25: A ``bm25s.BM25`` with its index.
    """

    def __init__(self, bm25: Any) -> None:
        self._bm25 = bm25

    def __len__(self) -> int:
        return int(self._bm25.scores["num_docs"])

    @classmethod
    def build(cls, documents: Sequence[Sequence[str]]) -> "LexicalIndex":
        """Return the index of tokenised passages, in their order; at least one."""
        words = sorted({token for document in documents for token in document})
        number = {word: n for n, word in enumerate(words)}
        ids = [[number[token] for token in document] for document in documents]
        bm25 = _bm25s().BM25(method="lucene", k1=1.5, b=0.75)
        bm25.index((ids, number), show_progress=False)
        return cls(bm25)

    def search(
        self, query: Sequence[str], *, count: int, allowed: Allowed | None = None
    ) -> NDArray[np.int64]:
        """Return the places of the best passages, best first, equal scores in order of place.

        Args:
            query: Tokens; those of no passage are passed over.
            count: At most so many.
            allowed: Which passages may be found; None for all.
        """
        vocabulary = self._bm25.vocab_dict
        ids = sorted({vocabulary[token] for token in query if token and token in vocabulary})
        if not ids:
            return np.empty(0, np.int64)
        scores = self._bm25.get_scores_from_ids(ids)
        if allowed is not None:
            scores = np.where(allowed, scores, 0)
        return best(scores, count=count, above=0.0)

    def save(self, folder: Path) -> None:
        """Write the index into an empty folder; the same index gives the same bytes."""
        self._bm25.save(folder, show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> "LexicalIndex":
        """Return a saved index.

        Raises:
            IndexDamagedError: The folder does not hold one.
        """
        try:
            return cls(_bm25s().BM25.load(folder))
        except (OSError, ValueError, KeyError) as error:
            raise IndexDamagedError(
                "lexical index", f"cannot be read: {error}", "run `epicrisis knowledge build`"
            ) from error


def best(scores: NDArray[Any], *, count: int, above: float) -> NDArray[np.int64]:
    """Return the places of the highest scores above a limit, equal ones in order of place.

    Examples:
        >>> best(np.array([0.0, 2.0, 1.0, 2.0]), count=2, above=0.0).tolist()
        [1, 3]
    """
    places = np.flatnonzero(scores > above)
    if len(places) > count:
        limit = np.partition(scores[places], -count)[-count]
        places = places[scores[places] >= limit]
    order = np.lexsort((places, -scores[places]))
    return places[order][:count].astype(np.int64)


def _bm25s() -> Any:
    import bm25s  # type: ignore[import-untyped]

    # It reports an index of few words as a warning of its own logger; the caller can do nothing.
    logging.getLogger("bm25s").setLevel(logging.ERROR)
    return bm25s
