"""Intervals where cases are not independent: whole patients are drawn, never single cases.

Percentiles of 1000 draws of as many patients with replacement (Field and Welsh 2007, doi
10.1111/j.1467-9868.2007.00593.x), always the same for the same cases. Drawing so few that they
hardly vary says little: then an interval is that of so many patients, or there is none.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.wilson import wilson

DRAWS = 1000
FEWEST = 5
"""Patients below which drawing them gives no interval."""
FEW = 30
"""Patients below which intervals by drawing tend to be too tight: few are five to thirty (Cameron,
Gelbach and Miller 2008, doi 10.1162/rest.90.3.414)."""
_SEED = 20_070_301  # any, but always the same


def repeats(patients: Sequence[str]) -> bool:
    """Return whether some patient has several cases."""
    return len(set(patients)) < len(patients)


def share_interval(hits: NDArray[np.bool_], patients: Sequence[str]) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Args:
        hits: (cases,) at least one.
        patients: Whose each is. Of fewer than `FEWEST`, or where all cases are alike, it is
            Wilson's for as many cases as there are patients.
    """
    code, of = _codes(patients)
    if of < FEWEST:
        return wilson(float(hits.mean()) * of, of)
    count = np.bincount(code, hits, minlength=of)
    size = np.bincount(code, minlength=of).astype(np.float64)
    drawn = _draws(of)
    shares = (drawn @ count) / (drawn @ size)
    low, high = np.percentile(shares, [2.5, 97.5])
    if low == high:  # all alike: as sure as so many patients allow
        return wilson(float(hits.mean()) * of, of)
    return float(low), float(high)


def area_interval(
    truth: NDArray[np.bool_], values: NDArray[np.float64], patients: Sequence[str]
) -> tuple[float, float] | None:
    """Return the 95 % interval of an area under the ROC curve.

    Args:
        truth: (cases,).
        values: (cases,).
        patients: Whose each is.

    Returns:
        None where fewer than `FEWEST` patients have cases with the label, or without it, or most
        draws lack one of them. Where all cases are told apart, that of Wilson for the smaller
        group of patients.
    """
    code, of = _codes(patients)
    least = fewest(truth, patients)
    if least < FEWEST:
        return None
    order = np.argsort(values, kind="stable")
    present, ranked, owner = truth[order], values[order], code[order]
    first = np.flatnonzero(np.concatenate([[True], np.diff(ranked) > 0]))
    areas = []
    for draw in _draws(of):
        weight = draw[owner]
        high = np.add.reduceat(np.where(present, weight, 0.0), first)
        low = np.add.reduceat(np.where(present, 0.0, weight), first)
        both = high.sum() * low.sum()
        if both > 0:
            areas.append(float((high * (np.cumsum(low) - low / 2)).sum() / both))
    if len(areas) < DRAWS / 2:
        return None
    if min(areas) == max(areas):
        mean = float(np.mean(areas))
        return wilson(mean * least, least)
    lower, upper = np.percentile(areas, [2.5, 97.5])
    return float(lower), float(upper)


def fewest(truth: NDArray[np.bool_], patients: Sequence[str]) -> int:
    """Return how many patients the smaller group has: those with the label, or those without.

    A patient with both is in both.
    """
    owner = np.array(patients, dtype=object)
    return min(len(set(owner[truth])), len(set(owner[~truth])))


def _codes(patients: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    names, code = np.unique(np.array(patients), return_inverse=True)
    return code.astype(np.int64), len(names)


def _draws(of: int) -> NDArray[np.float64]:
    """Return (draws, patients): how often each is drawn."""
    draw = np.random.default_rng(_SEED)
    return draw.multinomial(of, np.full(of, 1.0 / of), size=DRAWS).astype(np.float64)
