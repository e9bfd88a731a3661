"""What follows from the counts: by hand, and by formulas from elsewhere."""

import numpy as np
import pytest
from scipy.stats import entropy

from serving.llm.routing.report import routing


def test_one_expert_for_everything_is_no_balance() -> None:
    layer = routing([np.zeros((10, 1), dtype=np.int64)], [0.25], experts=4).layers[0]
    assert layer.load == (1, 0, 0, 0)
    assert (layer.entropy_bits, layer.balance, layer.largest_to_mean) == (0, 0, 4)
    assert layer.unused == 3


def test_all_alike_is_full_balance() -> None:
    chosen = np.array([[0, 1], [2, 3]])
    found = routing([chosen, chosen], [0.25, 0.3], experts=4)
    layer = found.layers[0]
    assert layer.load == (0.25,) * 4
    assert layer.entropy_bits == pytest.approx(2)
    assert layer.balance == found.balance == pytest.approx(1)
    assert layer.largest_to_mean == pytest.approx(1)
    assert (found.top_k, found.tokens) == (2, 2)
    assert [layer.confidence for layer in found.layers] == [0.25, 0.3]


def test_entropy_is_shannons_in_bits() -> None:
    """By scipy, from other counts."""
    chosen = np.repeat([0, 1, 2, 3], [50, 30, 15, 5])[:, None]
    layer = routing([chosen], [0.5], experts=4).layers[0]
    assert layer.entropy_bits == pytest.approx(entropy([50, 30, 15, 5], base=2))


def test_without_preference_a_batch_reads_what_the_formula_says() -> None:
    """1 - (1 - k/N)^B for B tokens that each choose k of N experts at random."""
    chance = np.random.default_rng(3)
    chosen = [
        np.array([chance.choice(16, 2, replace=False) for _ in range(4000)]) for _ in range(6)
    ]
    found = routing(chosen, [0.1] * 6, experts=16)
    assert found.touched[0].share == pytest.approx(2 / 16)
    for one in found.touched:
        assert one.expected == pytest.approx(1 - (14 / 16) ** one.tokens)
        assert one.share == pytest.approx(one.expected, abs=0.01)


def test_with_a_preference_a_batch_reads_less() -> None:
    chosen = np.repeat([0, 1], [990, 10])[:, None]
    found = {t.tokens: t for t in routing([chosen], [0.9], experts=8).touched}
    assert found[16].share < 0.2 < found[16].expected


def test_no_batch_is_larger_than_what_was_counted() -> None:
    found = routing([np.zeros((5, 1), dtype=np.int64)], [0.5], experts=2)
    assert [t.tokens for t in found.touched] == [1, 2, 4]
