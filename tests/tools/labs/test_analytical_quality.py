"""Desirable specifications from biological variation, by hand from the rules of the sheet."""

import pytest

from tools.labs.analytical_quality import desirable_quality


def test_the_specifications_of_potassium() -> None:
    found = desirable_quality("potassium")
    assert found is not None
    assert found.imprecision == pytest.approx(1.95)  # 0.5 x 3.9
    # 0.25 x sqrt(3.9^2 + 4.1^2) = 0.25 x 5.659 = 1.415; 1.65 x 1.95 + 1.415 = 4.632
    assert found.bias == pytest.approx(1.415, abs=0.001)
    assert found.total_error == pytest.approx(4.632, abs=0.001)


def test_without_the_between_subject_variation_there_is_no_bias() -> None:
    found = desirable_quality("chloride")
    assert found is not None
    assert (found.bias, found.total_error) == (None, None)
    assert found.imprecision == pytest.approx(0.485)


def test_without_any_variation_there_is_nothing() -> None:
    assert desirable_quality("hs_ctnt") is None
