"""Whether probabilities are true: of those called 20 %, do 20 % have it?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.model import Frozen
from tools.models.measure.operating_point import Proportion, proportion_of

_BINS = 10


class Bin(Frozen):
    """Cases of about one probability.

    Args:
        mean: Their mean probability.
        observed: The share that has the label.
    """

    mean: float
    observed: Proportion


class Reliability(Frozen):
    """How probabilities compare with what was.

    Args:
        brier: Mean squared difference (Brier 1950); 0 is best.
        expected_error: Mean distance of probability and observed share over the bins, weighted by
            their cases.
        bins: Ten of equal width; empty ones are left out.
    """

    brier: float
    expected_error: float
    bins: tuple[Bin, ...]


def reliability(
    truth: NDArray[np.bool_], likely: NDArray[np.float64], patients: Sequence[str] = ()
) -> Reliability:
    """Return how true probabilities are.

    Args:
        truth: (cases,) at least one.
        likely: (cases,) probabilities.
        patients: Whose each is; empty where every case is of another patient.

    Examples:
        >>> found = reliability(np.array([True, False]), np.array([0.75, 0.25]))
        >>> found.brier, found.expected_error
        (0.0625, 0.25)
    """
    place = np.minimum((likely * _BINS).astype(int), _BINS - 1)
    owner = np.array(patients, dtype=object)
    bins, error = [], 0.0
    for at in range(_BINS):
        here = place == at
        if not here.any():
            continue
        mean = float(likely[here].mean())
        whose = [str(p) for p in owner[here]] if len(owner) else ()
        observed = proportion_of(truth[here], whose)
        bins.append(Bin(mean=mean, observed=observed))
        error += abs(mean - float(truth[here].mean())) * float(here.mean())
    brier = float(((likely - truth) ** 2).mean())
    return Reliability(brier=brier, expected_error=error, bins=tuple(bins))
