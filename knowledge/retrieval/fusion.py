"""Reciprocal-rank fusion of ranked lists (Cormack 2009, doi 10.1145/1571941.1572114)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

K = 60
"""The constant of the paper: how much less the first places count than 1, 1/2, 1/3 would give."""


@dataclass(frozen=True, kw_only=True)
class Fused:
    """One key of the lists.

    Args:
        key: What was ranked.
        score: Sum of ``1 / (60 + rank)``.
        ranks: Its rank, from 1, by the name of each list it is in.
    """

    key: str
    score: float
    ranks: Mapping[str, int]


def fuse(lists: Mapping[str, Sequence[str]]) -> tuple[Fused, ...]:
    """Return every key of the lists, best first; equal scores in order of the key.

    Args:
        lists: Keys by name of the list, best first, none twice in a list.

    Examples:
        >>> [f.key for f in fuse({"words": ["a", "b"], "vectors": ["b", "c"]})]
        ['b', 'a', 'c']
    """
    ranks: dict[str, dict[str, int]] = {}
    for name, keys in lists.items():
        for rank, key in enumerate(keys, start=1):
            ranks.setdefault(key, {})[name] = rank
    fused = (
        Fused(key=key, score=sum(1 / (K + rank) for rank in found.values()), ranks=found)
        for key, found in ranks.items()
    )
    return tuple(sorted(fused, key=lambda f: (-f.score, f.key)))
