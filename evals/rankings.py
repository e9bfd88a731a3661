"""Three searches out of one: words alone, vectors alone, and both fused, over the same passages.

A hybrid hit says where it stood in each list, so one search gives all three orders.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from evals.scoring import Count
from knowledge.passages import Hit, Passage
from knowledge.retrieval.build import build, load_lexical, load_vectors
from knowledge.retrieval.collection import Collection
from knowledge.retrieval.encoders import Encoder
from knowledge.retrieval.errors import EncoderUnavailableError
from knowledge.retrieval.quality import Judged
from knowledge.retrieval.searcher import DEPTH, HybridSearcher
from knowledge.retrieval.terms import thesaurus

Mode = Literal["words", "vectors", "hybrid"]
MODES: tuple[Mode, ...] = get_args(Mode)
KS = (1, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Rankings:
    """The keys found by each search, best first, none twice.

    Args:
        keys: By search; words alone where the index has no vectors.
        notices: What the searcher said about this search.
    """

    keys: Mapping[Mode, tuple[str, ...]]
    notices: tuple[str, ...] = ()


def in_memory(collection: Collection, encoder: Encoder | EncoderUnavailableError) -> HybridSearcher:
    """Return a searcher over a collection as the product would build it, kept in memory.

    Args:
        collection: What is searched.
        encoder: Or the reason why there are no vectors.
    """
    made_with = None if isinstance(encoder, EncoderUnavailableError) else encoder
    with tempfile.TemporaryDirectory(prefix="epicrisis-rankings-") as name:
        root = Path(name)
        manifest = build(collection, made_with, root, thesaurus=thesaurus())
        folder = root / manifest.sha256
        return HybridSearcher(
            collection,
            load_lexical(folder),
            encoder
            if isinstance(encoder, EncoderUnavailableError)
            else load_vectors(folder, manifest, encoder),
            thesaurus=thesaurus(),
            sha256=manifest.sha256,
        )


def rankings(searcher: HybridSearcher, query: str, key: Callable[[Passage], str]) -> Rankings:
    """Return what each search finds.

    A query that the encoder cannot be asked (Chinese without a known term) has no vectors: vectors
    alone then find nothing, which is a miss, and the fused search is that of words.

    Args:
        searcher: Over passages.
        query: As typed.
        key: What of a passage is judged, for example its card.
    """
    found = searcher.find(query, k=2 * DEPTH)
    orders: dict[Mode, tuple[str, ...]] = {"words": _order(found.hits, key, "lexical_rank")}
    if searcher.notice is None:
        orders["vectors"] = _order(found.hits, key, "dense_rank")
        orders["hybrid"] = _order(found.hits, key, "rank")
    return Rankings(keys=orders, notices=found.notices)


def recall_counts(
    found: Rankings, relevant: frozenset[str], *, group: str = ""
) -> dict[str, Count]:
    """Return recall at each k and the reciprocal rank of each search as counts of one query.

    Args:
        found: What each search found.
        relevant: At least one key.
        group: Appended to the ids of the metrics, for example a language.
    """
    counts: dict[str, Count] = {}
    for mode, keys in found.keys.items():
        judged = Judged(query="", relevant=relevant, found=keys)
        for k in KS:
            counts[f"{mode}_recall{k}{group}"] = Count(hits=judged.recall(k), of=1)
        counts[f"{mode}_mrr{group}"] = Count(hits=judged.reciprocal_rank, of=1)
    return counts


def _order(
    hits: tuple[Hit, ...],
    key: Callable[[Passage], str],
    by: Literal["rank", "lexical_rank", "dense_rank"],
) -> tuple[str, ...]:
    ranked = [(rank, hit.passage) for hit in hits if (rank := getattr(hit, by)) is not None]
    ranked.sort(key=lambda pair: pair[0])
    return tuple(dict.fromkeys(key(passage) for _, passage in ranked))
