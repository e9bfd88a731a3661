"""Area under the ROC curve with its interval (DeLong 1988, doi 10.2307/2531595)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.model import Frozen
from knowledge.wilson import wilson
from tools.models.measure.clusters import FEWEST, area_interval, fewest, repeats

_Z_95 = 1.959964  # two-sided 95 % of the normal distribution


class Area(Frozen):
    """An area under the ROC curve.

    Args:
        value: From 0 to 1; 0.5 is chance.
        se: Standard error for independent cases; 0 where all cases are told apart, which says
            little of a small sample.
        ci: 95 % interval, cut off at 0 and 1. Where the standard error is 0, that of Wilson for the
            smaller group instead: an interval without width would claim to be certain. None where
            the cases are of too few patients.
        fewest_patients: Of the smaller group, where some have several cases; else None.
        present, absent: Cases with and without the label.
    """

    value: float
    se: float
    ci: tuple[float, float] | None
    fewest_patients: int | None = None
    present: int
    absent: int

    @property
    def interval(self) -> str:
        """The interval in words, or why there is none."""
        if self.ci is None:
            return f"no interval: {self.fewest_patients} of {FEWEST} patients with, or without, it"
        return f"{self.ci[0]:.3f} to {self.ci[1]:.3f}"


def auroc(
    truth: NDArray[np.bool_], values: NDArray[np.float64], patients: Sequence[str] = ()
) -> Area:
    """Return the area with DeLong's standard error; equal values count half.

    Args:
        truth: (cases,) whether the label is present.
        values: (cases,) the higher the more likely.
        patients: Whose each case is; where one has several, whole patients are drawn for the
            interval, and of fewer than five on either side there is none. Empty where every case is
            of another patient.

    Raises:
        ContractError: Fewer than two cases with or without the label.

    Examples:
        >>> auroc(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])).value
        0.75
    """
    high, low = values[truth], values[~truth]
    m, n = len(high), len(low)
    if min(m, n) < 2:
        raise ContractError(
            "AUROC", f"{m} cases with the label and {n} without", "two of each at least"
        )
    ranks = _ranks(np.concatenate([high, low]))
    above = (ranks[:m] - _ranks(high)) / n
    below = 1.0 - (ranks[m:] - _ranks(low)) / m
    area = float(above.mean())
    variance = float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / n
    se = variance**0.5
    if repeats(patients):
        ci, few = area_interval(truth, values, patients), fewest(truth, patients)
        return Area(value=area, se=se, ci=ci, fewest_patients=few, present=m, absent=n)
    return Area(value=area, se=se, ci=_independent(area, se, min(m, n)), present=m, absent=n)


def _independent(area: float, se: float, smaller: int) -> tuple[float, float]:
    """Return the 95 % interval for independent cases, of which the smaller group has so many."""
    if se == 0:
        # Nothing varies where all are told apart, or none: as sure as the smaller group's size.
        return wilson(area * smaller, smaller)
    return max(0.0, area - _Z_95 * se), min(1.0, area + _Z_95 * se)


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1; equal values have the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: NDArray[np.float64] = (last - (count - 1) / 2.0)[place]
    return ranks
