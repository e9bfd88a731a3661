"""Hybrid search: BM25 and vectors, each asked for 50 statements, fused by rank.

A search says how it was made. Where no vectors can be had it is lexical alone, and the reason is
part of what it returns.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from knowledge.errors import InvalidValueError, TooLargeError
from knowledge.model import Frozen
from knowledge.passages import Filter, Hit, Language, Passage
from knowledge.retrieval.collection import Collection, meaning, search_tokens
from knowledge.retrieval.dense import DenseIndex
from knowledge.retrieval.encoders import Encoder, Reranker
from knowledge.retrieval.errors import (
    EncoderUnavailableError,
    IndexMismatchError,
    RerankerUnavailableError,
)
from knowledge.retrieval.fusion import Fused, fuse
from knowledge.retrieval.lexical import Allowed, LexicalIndex
from knowledge.retrieval.selection import Columns
from knowledge.retrieval.terms import Thesaurus
from knowledge.retrieval.words import has_chinese

DEPTH = 50
"""Statements taken from each list before they are fused."""

RERANKED = 20
"""Statements whose order a reranker may change: what a reader would look through."""

MAX_QUERY = 2000
"""Characters of a query; a whole note is not one."""

PROBE = "A probe sentence: is this still the encoder that the index was made with?"
"""Embedded at build time and again before the first search with an encoder."""

_SAME = 0.999  # cosine; an int8 form of the same model has 0.87
_LOG = logging.getLogger(__name__)


class Found(Frozen):
    """What a search returned, and how it was made.

    Args:
        hits: Best first; none is an empty tuple.
        mode: `lexical` where no vectors were used.
        notices: What the reader must know about this search; empty where all parts worked.
        index_sha256: Hash of the build that was searched.
        reranker: Id of the reranker that ordered the first hits, where one did.
    """

    hits: tuple[Hit, ...]
    mode: Literal["hybrid", "lexical"]
    notices: tuple[str, ...] = ()
    index_sha256: str
    reranker: str | None = None


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """The dense half of an index.

    Args:
        index: The vectors.
        encoder: Turns a query into one.
        probe: The vector of `PROBE` when the index was built.
    """

    index: DenseIndex
    encoder: Encoder
    probe: NDArray[np.float32]


class HybridSearcher:
    """A `Searcher` over one collection.

    Args:
        collection: The passages.
        lexical: Its lexical index.
        vectors: Its vectors, or the reason why there are none.
        thesaurus: The same as the lexical index was made with.
        sha256: Hash of the build.
        reranker: Optional.
        notices: What is to be said of every search of this index.
    """

    def __init__(
        self,
        collection: Collection,
        lexical: LexicalIndex,
        vectors: Vectors | EncoderUnavailableError,
        *,
        thesaurus: Thesaurus,
        sha256: str,
        reranker: Reranker | None = None,
        notices: Sequence[str] = (),
    ) -> None:
        self.sha256 = sha256
        self._collection = collection
        self._lexical = lexical
        self._vectors = vectors
        self._thesaurus = thesaurus
        self._reranker = reranker
        self._notices = tuple(notices)
        self._columns = Columns(collection.passages)
        self._widest = max(map(len, collection.meanings.values()), default=1)
        self._probed = False

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that can be asked for, sorted."""
        return self._columns.topics

    @property
    def notice(self) -> str | None:
        """Why every search of this index is lexical alone; None where vectors are at hand."""
        if isinstance(self._vectors, EncoderUnavailableError):
            return _lexical_only(self._vectors)
        return None

    def search(self, query: str, *, k: int = 5, only: Filter | None = None) -> tuple[Hit, ...]:
        """Return the best passages; `find` also says how they were found.

        Raises:
            InvalidValueError: There is nothing to search for, or `k` is below 1.
            TooLargeError: The query is a text, not a question.
            UnavailableError: The index cannot be used.
        """
        found = self.find(query, k=k, only=only)
        for notice in found.notices:
            _LOG.info("%s", notice)
        return found.hits

    def find(self, query: str, *, k: PositiveInt = 5, only: Filter | None = None) -> Found:
        """Return the best passages, at most one wording of each statement, and how they were found.

        Where the filter leaves both languages of a statement, the one of the query is returned.

        Raises:
            InvalidValueError: There is nothing to search for, or `k` is below 1.
            TooLargeError: The query is a text, not a question.
            IndexMismatchError: The encoder is not the one the index was made with.
        """
        words = self._query_tokens(query, k)
        allowed = self._columns.allowed(only or Filter())
        notices = list(self._notices)
        depth = max(DEPTH, k)
        per_statement = depth * self._widest
        lists = {"lexical": self._lexical.search(words, count=per_statement, allowed=allowed)}
        try:
            lists["dense"] = self._dense(query, allowed, per_statement)
        except EncoderUnavailableError as error:
            notices.append(_lexical_only(error))
        ranked = fuse({name: self._statements(places)[:depth] for name, places in lists.items()})
        shown = [(fused, self._wording(fused.key, allowed, query)) for fused in ranked]
        shown, reranker = self._reranked(query, shown, notices)
        return Found(
            hits=tuple(_hit(rank, *pair) for rank, pair in enumerate(shown[:k], start=1)),
            mode="hybrid" if "dense" in lists else "lexical",
            notices=tuple(notices),
            index_sha256=self.sha256,
            reranker=reranker,
        )

    def passage(self, passage_id: str) -> Passage:
        """Return one passage by its id.

        Raises:
            InvalidValueError: There is no such passage.
        """
        place = self._collection.places.get(passage_id)
        if place is None:
            raise InvalidValueError(
                "passage", "there is none of this id", "search for it: `epicrisis knowledge search`"
            )
        return self._collection.passages[place]

    def _query_tokens(self, query: str, k: int) -> list[str]:
        if k < 1:
            raise InvalidValueError("k", f"{k} results cannot be asked for", "ask for 1 or more")
        if len(query) > MAX_QUERY:
            raise TooLargeError("query", f"longer than {MAX_QUERY} characters", "ask shorter")
        words = search_tokens(query, self._thesaurus)
        if not words:
            raise InvalidValueError("query", "holds no word to search for", "name a condition")
        return words

    def _dense(self, query: str, allowed: Allowed | None, count: int) -> NDArray[np.int64]:
        if isinstance(self._vectors, EncoderUnavailableError):
            raise self._vectors
        encoder, index = self._vectors.encoder, self._vectors.index
        if encoder.id != index.embedder_id:
            raise IndexMismatchError(
                "vector index", f"made with {index.embedder_id}, asked with {encoder.id}"
            )
        text = self._asked(query, encoder.languages)
        self._probe(self._vectors)
        vector: NDArray[np.float32] = encoder.embed([text])[0]
        return index.search(
            vector,
            embedder_id=encoder.id,
            count=count,
            allowed=allowed,
            above=encoder.min_cosine,
        )

    def _asked(self, query: str, languages: Sequence[Language]) -> str:
        """Return the query in a language the encoder reads."""
        if not has_chinese(query) or "zh" in languages:
            return query
        english = self._thesaurus.in_english(query)
        if not english:
            raise EncoderUnavailableError(
                "query", "the encoder reads English only and no term of the query is known in it"
            )
        return english

    def _probe(self, vectors: Vectors) -> None:
        """Make sure, once, that the encoder still gives the vectors of the build."""
        if self._probed:
            return
        now = vectors.encoder.embed([PROBE])[0]
        if now.shape != vectors.probe.shape or float(now @ vectors.probe) < _SAME:
            raise IndexMismatchError(
                "vector index",
                f"{vectors.encoder.id} no longer gives the vectors the index was made with",
                "run `epicrisis knowledge build`",
            )
        self._probed = True

    def _statements(self, places: NDArray[np.int64]) -> list[str]:
        """Return the statements of passages, each at its best place."""
        passages = self._collection.passages
        return list(dict.fromkeys(meaning(passages[place]) for place in places))

    def _wording(self, key: str, allowed: Allowed | None, query: str) -> Passage:
        language: Language = "zh" if has_chinese(query) else "en"
        passages = [
            self._collection.passages[place]
            for place in self._collection.meanings[key]
            if allowed is None or allowed[place]
        ]
        return min(passages, key=lambda passage: (passage.language != language, passage.id))

    def _reranked(
        self, query: str, shown: list[tuple[Fused, Passage]], notices: list[str]
    ) -> tuple[list[tuple[Fused, Passage]], str | None]:
        if self._reranker is None or len(shown) < 2:
            return shown, None
        head, tail = shown[:RERANKED], shown[RERANKED:]
        try:
            scores = self._reranker.scores(query, [f"{p.title}. {p.text}" for _, p in head])
        except RerankerUnavailableError as error:
            notices.append(f"Order by rank fusion alone, the reranker is not available: {error}")
            return shown, None
        order = sorted(range(len(head)), key=lambda i: (-scores[i], i))
        return [*(head[i] for i in order), *tail], self._reranker.id


def _hit(rank: int, fused: Fused, passage: Passage) -> Hit:
    return Hit(
        passage=passage,
        rank=rank,
        score=fused.score,
        lexical_rank=fused.ranks.get("lexical"),
        dense_rank=fused.ranks.get("dense"),
    )


def _lexical_only(error: EncoderUnavailableError) -> str:
    return f"Search by words alone, no vectors: {error}"


def lexical_index(collection: Collection, thesaurus: Thesaurus) -> LexicalIndex:
    """Return the lexical index of a collection of at least one passage."""
    return LexicalIndex.build(
        [search_tokens(collection.lexical_text(p), thesaurus) for p in collection.passages]
    )
