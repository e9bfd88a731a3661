"""Reciprocal-rank fusion as its paper defines it."""

import pytest

from knowledge.retrieval.fusion import fuse


def test_the_score_is_the_sum_of_one_over_sixty_plus_rank() -> None:
    first, second, third = fuse({"lexical": ["a", "b"], "dense": ["b", "c"]})
    assert (first.key, second.key, third.key) == ("b", "a", "c")
    assert first.score == pytest.approx(1 / 62 + 1 / 61)
    assert second.score == pytest.approx(1 / 61)
    assert third.score == pytest.approx(1 / 62)
    assert first.ranks == {"lexical": 2, "dense": 1}


def test_equal_scores_come_in_order_of_the_key() -> None:
    assert [f.key for f in fuse({"lexical": ["b"], "dense": ["a"]})] == ["a", "b"]


def test_empty_lists_fuse_to_nothing() -> None:
    assert fuse({"lexical": [], "dense": []}) == ()
