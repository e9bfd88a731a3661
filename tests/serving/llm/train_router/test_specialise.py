"""Mutual information by hand, and its permutation test."""

import numpy as np
import pytest

from serving.llm.train_router.specialise import specialisation


def test_two_modalities_with_an_expert_each_are_one_bit() -> None:
    """H = 1 bit for two equal halves, and the expert tells which half: I = 1."""
    counts = np.array([[[10.0, 0.0]]] * 8 + [[[0.0, 10.0]]] * 8)
    found = specialisation(counts, ["ecg"] * 8 + ["lab"] * 8, seed=1, permutations=200)
    assert found.bits == pytest.approx(1.0)
    assert found.shares == {"ecg": (1.0, 0.0), "lab": (0.0, 1.0)}
    assert found.p == pytest.approx(1 / 201)


def test_equal_use_of_experts_is_no_information() -> None:
    counts = np.full((16, 3, 4), 5.0)
    found = specialisation(counts, ["ecg", "lab"] * 8, seed=1, permutations=50)
    assert found.bits == pytest.approx(0.0, abs=1e-12)
    assert found.p == 1.0
    assert found.beyond_chance == pytest.approx(0.0, abs=1e-12)


def test_chance_alone_is_not_called_specialisation() -> None:
    """Traces that differ from one another, whatever their label: bits, but a large p."""
    chance = np.random.default_rng(3)
    counts = chance.dirichlet([0.3] * 4, size=(60, 2)) * 20
    labels = [("ecg", "lab", "risk")[n] for n in chance.integers(0, 3, 60)]
    found = specialisation(counts, labels, seed=4, permutations=300)
    assert found.bits > 0.01
    assert found.p > 0.05


def test_a_quarter_of_a_bit() -> None:
    """p = ((3/8, 1/8), (1/8, 3/8)): I = 2*3/8*log2(1.5) + 2*1/8*log2(0.5) = 0.18872 bits."""
    counts = np.array([[[3.0, 1.0]], [[1.0, 3.0]]])
    found = specialisation(counts, ["a", "b"], seed=1, permutations=10)
    assert found.bits == pytest.approx(0.75 * np.log2(1.5) - 0.25)
