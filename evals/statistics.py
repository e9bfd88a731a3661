"""Intervals for shares: Wilson's for independent trials, a seeded bootstrap for clustered ones."""

import random
from collections.abc import Sequence
from math import sqrt
from typing import Literal

from knowledge.model import Frozen

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

RESAMPLES = 2000
SEED = 20261122

Kind = Literal["Wilson", "bootstrap over cases", "Wilson over cases", "none"]


class Share(Frozen):
    """A share with its 95 % interval.

    Args:
        hits, of: Numerator and denominator over all trials.
        share: Their ratio; None where there was nothing to count.
        low, high: The interval.
        interval: How it was made.
        cases: Independent cases behind it.
    """

    hits: float
    of: float
    share: float | None = None
    low: float | None = None
    high: float | None = None
    interval: Kind = "none"
    cases: int = 0


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion (Wilson 1927), 95 %.

    Examples:
        >>> low, high = wilson(10, 10)
        >>> round(low, 3), high
        (0.722, 1.0)
    """
    if n <= 0:
        raise ValueError("no trials")
    p = hits / n
    z2 = Z95 * Z95
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == n else min(1.0, centre + half)
    return low, high


def bootstrap(
    clusters: Sequence[tuple[float, float]], *, seed: int = SEED, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a ratio of sums, resampling whole cases.

    Args:
        clusters: (hits, of) of each case, its repeats together.
        seed: Equal seeds give equal intervals.
        resamples: How many.
    """
    chance = random.Random(seed)  # noqa: S311  resampling, no secret
    ratios: list[float] = []
    for _ in range(resamples):
        drawn = chance.choices(clusters, k=len(clusters))
        of = sum(c[1] for c in drawn)
        if of:
            ratios.append(sum(c[0] for c in drawn) / of)
    ratios.sort()
    return quantile(ratios, 0.025), quantile(ratios, 0.975)


def quantile(ordered: Sequence[float], q: float) -> float:
    """Return a quantile of sorted numbers by linear interpolation.

    Examples:
        >>> quantile([1, 2, 3, 4], 0.5)
        2.5
    """
    place = q * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


_FEW = 10
"""Cases below which resampling them says too little about cases that were not seen."""


def share(clusters: Sequence[tuple[float, float]]) -> Share:
    """Return a share with the interval that fits.

    One yes or no for each case: Wilson. Else a bootstrap over cases; where there are few cases, or
    all have one ratio, which a bootstrap would call certain, Wilson with the number of cases.

    Examples:
        >>> share([(1, 1), (0, 1), (1, 1)]).interval
        'Wilson'
        >>> share([(6, 6), (6, 6)]).interval
        'Wilson over cases'
    """
    counted = [c for c in clusters if c[1] > 0]
    hits, of = sum(c[0] for c in counted), sum(c[1] for c in counted)
    if not counted:
        return Share(hits=0, of=0)
    kind: Kind
    if all(one == 1 for _, one in counted) and all(hit in (0, 1) for hit, _ in counted):
        kind, (low, high) = "Wilson", wilson(hits, of)
    elif len(counted) < _FEW or len({hit / one for hit, one in counted}) == 1:
        n = len(counted)
        kind, (low, high) = "Wilson over cases", wilson(hits / of * n, n)
    else:
        kind, (low, high) = "bootstrap over cases", bootstrap(counted)
    return Share(
        hits=hits, of=of, share=hits / of, low=low, high=high, interval=kind, cases=len(counted)
    )
