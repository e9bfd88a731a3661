"""Approximate probabilities: the points table between its rows, and the regression's slopes."""

import math

import pytest

from knowledge.quantity import Interval
from knowledge.rules import Answer
from knowledge.scores import score
from tools.risk.probability import approximate, between, probability

GRACE = score("grace_in_hospital")
ANSWERS: dict[str, Answer] = {
    "age_years": Interval.exact(60),
    "heart_rate": Interval.exact(80),
    "systolic_bp": Interval.exact(130),
    "creatinine": Interval.exact(1),
    "killip_class": "I",
    "cardiac_arrest": False,
    "st_deviation": False,
    "troponin_times_limit": Interval.exact(0),
}


@pytest.mark.parametrize(
    ("total", "words"),
    [
        (1, "about 0.2 %"),
        (60, "about 0.2 %"),
        (61, "0.2 to 0.3 %"),
        (140, "about 2.9 %"),
        (196, "13 to 18 %"),
        (250, "at least 52 %"),
        (372, "at least 52 %"),
    ],
)
def test_table_never_interpolates(total: float, words: str) -> None:
    assert GRACE.table is not None
    assert between(GRACE.table, total) == words


@pytest.mark.parametrize(
    ("changed", "odds_ratio"),
    [
        pytest.param({"st_deviation": True}, 2.4, id="ST deviation"),
        pytest.param({"troponin_times_limit": Interval.exact(2)}, 1.6, id="raised marker"),
        pytest.param({"cardiac_arrest": True}, 4.3, id="cardiac arrest"),
        pytest.param({"killip_class": "II"}, 2.0, id="one Killip class"),
        pytest.param({"age_years": Interval.exact(70)}, 1.7, id="10 years"),
        pytest.param({"systolic_bp": Interval.exact(110)}, 1.4, id="20 mmHg less"),
        pytest.param({"creatinine": Interval.exact(2)}, 1.2, id="1 mg/dL"),
        pytest.param({"heart_rate": Interval.exact(110)}, 1.3, id="30 beats"),
    ],
)
def test_regression_slopes_are_the_odds_ratios_of_the_abstract(
    changed: dict[str, Answer], odds_ratio: float
) -> None:
    """Granger 2003, abstract: the odds ratios; ST deviation 2.4 and enzymes 1.6, not swapped."""
    assert GRACE.regression is not None
    before = probability(GRACE.regression, ANSWERS)
    after = probability(GRACE.regression, {**ANSWERS, **changed})
    assert before is not None
    assert after is not None
    ratio = (after / (1 - after)) / (before / (1 - before))
    assert math.isclose(ratio, odds_ratio, rel_tol=0.01)


def test_regression_needs_exact_numbers() -> None:
    assert GRACE.regression is not None
    unsure = {**ANSWERS, "heart_rate": Interval(low=70, high=80)}
    assert probability(GRACE.regression, unsure) is None
    assert len(list(approximate(GRACE, 105, unsure))) == 1


def test_scores_without_a_table_give_no_probability() -> None:
    assert list(approximate(score("heart"), 3, {})) == []
