"""What a threshold does: sensitivity, specificity and predictive values with their intervals."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.model import Frozen
from knowledge.wilson import wilson
from tools.models.measure.clusters import repeats, share_interval

Aim = Literal["sensitivity", "npv"]


class Proportion(Frozen):
    """A share with its 95 % interval (Wilson 1927; by drawing patients where one has several).

    Args:
        value: None where there was no case to count: then nothing is known of it.
        ci: None likewise.
        count, of: What was counted.
    """

    value: float | None
    ci: tuple[float, float] | None
    count: int
    of: int


class OperatingPoint(Frozen):
    """Counts at one threshold.

    Args:
        sensitivity, specificity, ppv, npv: Predictive values hold for a share of cases like that
            of the sample alone.
        prevalence: That share.
    """

    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion
    prevalence: Proportion


def proportion(count: int, of: int) -> Proportion:
    """Return a share of independent cases, or one without a value where there are none."""
    if of == 0:
        return Proportion(value=None, ci=None, count=0, of=0)
    return Proportion(value=count / of, ci=wilson(count, of), count=count, of=of)


def proportion_of(hits: NDArray[np.bool_], patients: Sequence[str]) -> Proportion:
    """Return a share of cases; whole patients are drawn where one has several.

    Args:
        hits: (cases,).
        patients: Whose each is; empty where every case is of another patient.
    """
    plain = proportion(int(hits.sum()), len(hits))
    if plain.of == 0 or not repeats(patients):
        return plain
    return plain.model_copy(update={"ci": share_interval(hits, patients)})


def operating_point(
    truth: NDArray[np.bool_], called: NDArray[np.bool_], patients: Sequence[str] = ()
) -> OperatingPoint:
    """Return what calls do against the truth.

    Args:
        truth: (cases,) whether the label is present.
        called: (cases,) whether the model says so.
        patients: Whose each case is; where one has several, whole patients are drawn for the
            intervals. Empty where every case is of another patient.
    """
    owner = np.array(patients, dtype=object)

    def share(hits: NDArray[np.bool_], among: NDArray[np.bool_]) -> Proportion:
        return proportion_of(hits[among], [str(p) for p in owner[among]] if len(owner) else ())

    return OperatingPoint(
        sensitivity=share(called, truth),
        specificity=share(~called, ~truth),
        ppv=share(truth, called),
        npv=share(~truth, ~called),
        prevalence=share(truth, np.ones(len(truth), bool)),
    )


def choose_threshold(
    truth: NDArray[np.bool_], values: NDArray[np.float64], *, fix: Aim, target: float
) -> float:
    """Return the highest threshold that reaches the aim on these cases.

    Args:
        truth: (cases,).
        values: (cases,); a case counts from the threshold on.
        fix: Which share is fixed first.
        target: At least this, above 0 and at most 1.

    Raises:
        ContractError: No threshold reaches it, or there is no case with the label.

    Examples:
        >>> choose_threshold(
        ...     np.array([0, 0, 1, 1], bool), np.array([0.1, 0.4, 0.35, 0.8]),
        ...     fix="sensitivity", target=1.0,
        ... )
        0.35
    """
    high = np.sort(values[truth])[::-1]
    if not len(high) or not 0 < target <= 1:
        raise ContractError(fix, "no case with the label, or no share to reach", "from 0 to 1")
    if fix == "sensitivity":
        return float(high[max(0, math.ceil(target * len(high) - 1e-9) - 1)])
    order = np.argsort(values, kind="stable")
    ranked, present = values[order], truth[order]
    cuts = np.flatnonzero(np.diff(ranked) > 0) + 1  # cases before the cut are called negative
    missed = np.cumsum(present)[cuts - 1]
    reached = np.flatnonzero(1.0 - missed / cuts >= target - 1e-12)
    if not len(reached):
        raise ContractError(
            "npv", f"no threshold reaches {target:g} on these cases", "aim lower or give more cases"
        )
    return float(ranked[cuts[reached[-1]]])
