"""Whether experts specialise by modality: mutual information of modality and expert.

With a permutation test. A gate that was never trained separates some words too, so it is the
comparison.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.model import Frozen

Counts = NDArray[np.float64]
PERMUTATIONS = 1000


class Specialisation(Frozen):
    """What was found over some traces.

    Args:
        traces: How many.
        modalities: Kinds of them, sorted.
        bits: Mutual information of modality and chosen expert, mean over layers.
        bits_by_layer: In each layer.
        expected_bits: Its mean where the modalities are dealt to the traces by chance.
        p: Share of permutations that reach the mean that was found, the found one counted.
        shares: Part of the tokens of each modality that each expert gets, mean over layers.
    """

    traces: int
    modalities: tuple[str, ...]
    bits: float
    bits_by_layer: tuple[float, ...]
    expected_bits: float
    p: float
    shares: dict[str, tuple[float, ...]]

    @property
    def beyond_chance(self) -> float:
        """Bits beyond what chance gives: the estimate is never below zero by itself."""
        return self.bits - self.expected_bits


def specialisation(
    counts: Counts, labels: Sequence[str], *, seed: int, permutations: int = PERMUTATIONS
) -> Specialisation:
    """Return how much the modality of a trace says about the experts of its tokens.

    Traces, not tokens, are permuted: tokens of one trace are not independent.

    Args:
        counts: Choices ``(traces, layers, experts)``.
        labels: Modality of each trace.
        seed: Of the permutations.
        permutations: How many.
    """
    kinds = tuple(sorted(set(labels)))
    place = {kind: number for number, kind in enumerate(kinds)}
    member = np.array([place[label] for label in labels])
    found = _bits(_joint(counts, member, len(kinds)))
    chance = np.random.default_rng(seed)
    means = np.array(
        [
            _bits(_joint(counts, chance.permutation(member), len(kinds))).mean()
            for _ in range(permutations)
        ]
    )
    reached = int((means >= found.mean() - 1e-12).sum())
    by_kind = _joint(counts, member, len(kinds))
    shares = by_kind / by_kind.sum(axis=2, keepdims=True)
    return Specialisation(
        traces=len(labels),
        modalities=kinds,
        bits=float(found.mean()),
        bits_by_layer=tuple(float(value) for value in found),
        expected_bits=float(means.mean()),
        p=(reached + 1) / (permutations + 1),
        shares={
            kind: tuple(float(v) for v in shares[:, number].mean(axis=0))
            for kind, number in place.items()
        },
    )


def _joint(counts: Counts, member: NDArray[np.int64], kinds: int) -> Counts:
    """Return counts ``(layers, kinds, experts)``."""
    joint = np.zeros((kinds, *counts.shape[1:]))
    np.add.at(joint, member, counts)
    return joint.swapaxes(0, 1)


def _bits(joint: Counts) -> Counts:
    """Return the mutual information of each layer, bits (Shannon 1948)."""
    p = joint / joint.sum(axis=(1, 2), keepdims=True)
    rows, columns = p.sum(axis=2, keepdims=True), p.sum(axis=1, keepdims=True)
    ratio = np.divide(p, rows * columns, out=np.ones_like(p), where=p > 0)
    bits: Counts = (p * np.log2(ratio)).sum(axis=(1, 2))
    return bits
