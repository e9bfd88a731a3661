"""How well a search finds what it should: recall at k and the mean reciprocal rank.

A query has one or more relevant keys and a list of keys found, best first. A query that failed is
given as an empty list and counts as a miss.
"""

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean

from pydantic import PositiveInt

from knowledge.model import Frozen


class Judged(Frozen):
    """One query with its answer.

    Args:
        query: Its id or text.
        relevant: Keys that should be found, at least one.
        found: Keys found, best first, none twice.
    """

    query: str
    relevant: frozenset[str]
    found: tuple[str, ...]

    @property
    def reciprocal_rank(self) -> float:
        """1 / rank of the first relevant key; 0 where none was found."""
        for rank, key in enumerate(self.found, start=1):
            if key in self.relevant:
                return 1 / rank
        return 0.0

    def recall(self, k: int) -> float:
        """Return the share of the relevant keys among the first `k`."""
        return len(self.relevant & set(self.found[:k])) / len(self.relevant)


class Quality(Frozen):
    """A search over many queries.

    Args:
        queries: How many.
        recall: Mean share of the relevant keys among the first k, by k.
        mrr: Mean reciprocal rank.
    """

    queries: PositiveInt
    recall: Mapping[int, float]
    mrr: float


def quality(judged: Sequence[Judged], *, ks: Sequence[int] = (1, 5, 10)) -> Quality:
    """Return recall at each k and the mean reciprocal rank over at least one query.

    Examples:
        >>> one = Judged(query="a", relevant=frozenset({"x"}), found=("y", "x"))
        >>> two = Judged(query="b", relevant=frozenset({"z"}), found=())
        >>> quality((one, two), ks=(1, 2)).recall
        {1: 0.0, 2: 0.5}
        >>> quality((one, two)).mrr
        0.25
    """
    return Quality(
        queries=len(judged),
        recall={k: fmean(one.recall(k) for one in judged) for k in ks},
        mrr=fmean(one.reciprocal_rank for one in judged),
    )


def overlap(found: Sequence[Collection[int]], exact: Sequence[Collection[int]]) -> float:
    """Return the mean share of the exact nearest that an approximate search found too.

    Examples:
        >>> overlap([{1, 2}], [{2, 3}])
        0.5
    """
    return fmean(
        len(set(one) & set(true)) / len(true) for one, true in zip(found, exact, strict=True)
    )
