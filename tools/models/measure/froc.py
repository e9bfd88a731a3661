"""Detection per lesion: sensitivity against false positives per scan, by size of the lesion."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.model import Frozen
from tools.models.detection import overlap_of
from tools.models.measure.operating_point import Proportion, proportion

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per scan at which sensitivity is read (LUNA16, 2017,
doi 10.1016/j.media.2017.06.015)."""

Corners = tuple[float, float, float, float]


class Lesion(Frozen):
    """One lesion of the truth.

    Args:
        corners: First row, first column, last row, last column, in pixels.
        size_mm: Its largest side; None where the spacing is not known.
    """

    corners: Corners
    size_mm: float | None


class Mark(Frozen):
    """One box of the model with its score."""

    corners: Corners
    value: float


class Scan(Frozen):
    """What one scan holds and what was marked on it."""

    lesions: tuple[Lesion, ...]
    marks: tuple[Mark, ...]


class FrocPoint(Frozen):
    """Sensitivity at a rate of false positives.

    Args:
        false_positives: Per scan, at most.
        threshold: The lowest that keeps to it; None where no threshold does.
        sensitivity: Of all lesions.
    """

    false_positives: float
    threshold: float | None
    sensitivity: Proportion


class SizeGroup(Frozen):
    """Lesions of one range of sizes.

    Args:
        name: For example ``4-6 mm``.
        points: At the same thresholds as for all lesions.
    """

    name: str
    points: tuple[FrocPoint, ...]


class Froc(Frozen):
    """Detection as a whole.

    Args:
        scans, lesions: How many.
        points: At `RATES`.
        mean_sensitivity: Over `RATES`, as LUNA16 scores it.
        by_size: Per range of sizes.
        overlap: Share of their union from which a mark meets a lesion.
    """

    scans: int
    lesions: int
    points: tuple[FrocPoint, ...]
    mean_sensitivity: float
    by_size: tuple[SizeGroup, ...]
    overlap: float


def froc(
    scans: Sequence[Scan], *, overlap: float = 0.1, sizes_mm: Sequence[float] = (4, 6, 8, 15)
) -> Froc:
    """Return how lesions are found and at what cost.

    A mark meets the lesion it overlaps most, from `overlap` on; of several on one lesion the
    strongest counts and the others are neither hits nor false.

    Args:
        scans: Those without a lesion too: their marks are false positives.
        overlap: See `Froc`.
        sizes_mm: Borders of the ranges of size.

    Raises:
        ContractError: No scan, or no lesion in any of them.
    """
    lesions = [lesion for scan in scans for lesion in scan.lesions]
    if not lesions:
        raise ContractError("FROC", "no lesion in the truth", "give boxes of lesions")
    found: list[float] = []
    false: list[float] = []
    for scan in scans:
        hits, misses = _met(scan, overlap)
        found += hits
        false += misses
    value = np.array(found)
    wrong = np.sort(np.array(false))[::-1]
    cuts = [_threshold(wrong, value, rate * len(scans)) for rate in RATES]
    return Froc(
        scans=len(scans),
        lesions=len(lesions),
        points=_points(cuts, value),
        mean_sensitivity=float(np.mean([_seen(value, cut) / len(lesions) for cut in cuts])),
        by_size=tuple(_by_size(lesions, value, cuts, sizes_mm)),
        overlap=overlap,
    )


def _met(scan: Scan, least: float) -> tuple[list[float], list[float]]:
    """Return the best value on each lesion (-inf where none), and the values of false marks."""
    best = [-np.inf] * len(scan.lesions)
    false = []
    truth = np.array([lesion.corners for lesion in scan.lesions], np.float64).reshape(-1, 4)
    for mark in scan.marks:
        shares = overlap_of(np.array(mark.corners, np.float64), truth)
        at = int(np.argmax(shares)) if len(truth) else -1
        if at >= 0 and shares[at] >= least:
            best[at] = max(best[at], mark.value)
        else:
            false.append(mark.value)
    return best, false


def _threshold(wrong: NDArray[np.float64], value: NDArray[np.float64], most: float) -> float | None:
    """Return the lowest value of a hit above which at most so many marks are false."""
    hits = np.unique(value[np.isfinite(value)])
    kept = [float(v) for v in hits if int((wrong >= v).sum()) <= most]
    return min(kept) if kept else None


def _seen(value: NDArray[np.float64], cut: float | None) -> int:
    return 0 if cut is None else int((value >= cut).sum())


def _points(cuts: Sequence[float | None], value: NDArray[np.float64]) -> tuple[FrocPoint, ...]:
    return tuple(
        FrocPoint(
            false_positives=rate,
            threshold=cut,
            sensitivity=proportion(_seen(value, cut), len(value)),
        )
        for rate, cut in zip(RATES, cuts, strict=True)
    )


def _by_size(
    lesions: Sequence[Lesion],
    value: NDArray[np.float64],
    cuts: Sequence[float | None],
    sizes_mm: Sequence[float],
) -> list[SizeGroup]:
    ends = [0.0, *sizes_mm, np.inf]
    groups = []
    for low, high in itertools.pairwise(ends):
        here = [
            at
            for at, lesion in enumerate(lesions)
            if lesion.size_mm is not None and low <= lesion.size_mm < high
        ]
        if here:
            name = f"from {low:g} mm" if np.isinf(high) else f"{low:g} to below {high:g} mm"
            groups.append(SizeGroup(name=name, points=_points(cuts, value[here])))
    unknown = [at for at, lesion in enumerate(lesions) if lesion.size_mm is None]
    if unknown:
        groups.append(SizeGroup(name="size not known", points=_points(cuts, value[unknown])))
    return groups
