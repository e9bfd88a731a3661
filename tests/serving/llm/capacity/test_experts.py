"""The share of experts that a batch reads, against every possible routing of small cases."""

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.llm.capacity.experts import touched_share


@pytest.mark.parametrize(("experts", "top_k", "tokens"), [(4, 1, 3), (4, 2, 2), (5, 2, 3)])
def test_it_is_the_mean_over_every_routing(experts: int, top_k: int, tokens: int) -> None:
    choices = list(combinations(range(experts), top_k))
    read = [len(set().union(*routing)) for routing in product(choices, repeat=tokens)]
    assert touched_share(experts, top_k, tokens) == pytest.approx(sum(read) / len(read) / experts)


def test_a_batch_of_64_reads_87_percent_of_256_experts() -> None:
    # 1 - (31/32)^64, by logarithms: ln(31/32) = -0.031749, x 64 = -2.03192, e^ = 0.13108
    assert touched_share(256, 8, 64) == pytest.approx(1 - 0.13108, abs=1e-4)


def test_a_dense_model_is_read_whole() -> None:
    assert touched_share(0, 0, 1) == 1.0


def test_no_token_reads_nothing() -> None:
    assert touched_share(64, 4, 0) == 0.0


@given(st.integers(1, 300), st.data(), st.floats(1, 1e4), st.floats(0, 1e4))
def test_more_tokens_never_read_less(
    experts: int, data: st.DataObject, tokens: float, more: float
) -> None:
    top_k = data.draw(st.integers(1, experts))
    one = touched_share(experts, top_k, tokens)
    assert top_k / experts - 1e-12 <= one <= touched_share(experts, top_k, tokens + more) <= 1
