"""The nearest of the phrases that the router is trained on: what the same data does without it.

Every phrase, name and refusal of the training data is kept with what it is for; a request is for
what its nearest phrase is for, by MiniLM (English) and BM25 (both languages), ranks fused.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.router_planner.compact import ASK, NONE, Reply
from agent.router_planner.evidence import RouterItem, readable
from knowledge.passages import Language
from knowledge.retrieval.encoders import Encoder
from knowledge.retrieval.lexical import LexicalIndex
from knowledge.retrieval.words import has_chinese, tokens
from serving.llm.train_router.wording import names, requests, words
from tools.toolbox import discover

_RRF = 60.0
"""Constant of reciprocal rank fusion (Cormack 2009, doi 10.1145/1571941.1572114)."""

_EACH = 24
_BOTH: tuple[Language, ...] = ("en", "zh")


class PhraseIndex:
    """Finds what the nearest phrases are for.

    Args:
        encoder: For English; None for words alone.
    """

    def __init__(self, encoder: Encoder | None) -> None:
        rows = tuple(_rows())
        self._for = tuple(meant for meant, _ in rows)
        self._lexical = LexicalIndex.build([tokens(text) for _, text in rows])
        self._encoder = encoder
        english = [(n, text) for n, (_, text) in enumerate(rows) if not has_chinese(text)]
        self._english = tuple(n for n, _ in english)
        self._vectors: NDArray[Any] | None = None
        if encoder is not None:
            self._vectors = encoder.embed([text for _, text in english])

    def nearest(self, request: str, *, count: int = 3) -> tuple[str, ...]:
        """Return what is meant, best first: tools, ``ask_user`` or ``no_tool``; none if nothing."""
        score: dict[str, float] = {}
        for ranking in (self._by_meaning(request), self._by_words(request)):
            meant = dict.fromkeys(self._for[place] for place in ranking)
            for rank, name in enumerate(list(meant)[:_EACH]):
                score[name] = score.get(name, 0.0) + 1.0 / (_RRF + rank + 1)
        return tuple(sorted(score, key=lambda name: (-score[name], name))[:count])

    def _by_meaning(self, request: str) -> Sequence[int]:
        if self._encoder is None or self._vectors is None or has_chinese(request):
            return ()
        order = np.argsort(-(self._vectors @ self._encoder.embed([request])[0]), kind="stable")
        return [self._english[place] for place in order.tolist()]

    def _by_words(self, request: str) -> Sequence[int]:
        found: list[int] = self._lexical.search(tokens(request), count=len(self._for)).tolist()
        return found


def by_phrase(
    index: PhraseIndex, request: str, items: Sequence[RouterItem]
) -> tuple[Reply, tuple[str, ...]]:
    """Return the nearest meaning as a reply, and the tools among the first three."""
    near = index.nearest(request)
    known = tuple(name for name in near if name in discover())
    if not near or near[0] == NONE:
        return Reply(none=True), known
    if near[0] == ASK:
        return Reply(unclear=True), known
    ids = tuple(item.id for item in readable(near[0], items))
    return Reply(calls={near[0]: ids}), known


def _rows() -> Iterator[tuple[str, str]]:
    """Yield what each phrase is for, and the phrase."""
    for language in _BOTH:
        for tool in discover():
            for text in dict.fromkeys((*names(tool, language), *requests(tool, language))):
                yield tool, text
        for text in words(language).unclear:
            yield ASK, text
        for text in words(language).none:
            yield NONE, text
