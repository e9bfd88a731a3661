"""Sets of points along a line: what belongs to them, and what does not."""

import pytest

from knowledge.quantity import Interval
from knowledge.rules import Answer
from knowledge.score_rows import Line, ScoreBand
from tools.risk.spread import added, ends, image, meets, merged

PRESSURE = Line(input="systolic_bp", knots=((80, 40), (100, 34), (110, 31)))


def _open(low: float, high: float) -> Interval:
    return Interval(low=low, high=high, low_closed=False, high_closed=False)


@pytest.mark.parametrize(
    ("number", "points"), [(60, 40), (80, 40), (90, 37), (100, 34), (105, 32.5), (150, 31)]
)
def test_points_lie_on_the_line_and_are_level_beyond(number: float, points: float) -> None:
    """Between 80 and 100 the line falls by 6 in 20, between 100 and 110 by 3 in 10."""
    assert PRESSURE.at(number) == points


def test_open_gap_leaves_its_ends_out() -> None:
    values: list[Answer] = [_open(80, 100)]
    assert image(PRESSURE, values) == (_open(34, 40),)


def test_gaps_and_knots_together_are_one_interval() -> None:
    values: list[Answer] = [_open(80, 100), Interval.exact(100), _open(100, 110)]
    assert image(PRESSURE, values) == (_open(31, 40),)


def test_open_neighbours_without_the_number_between_stay_apart() -> None:
    assert merged([_open(0, 1), _open(1, 2)]) == (_open(0, 1), _open(1, 2))


def test_numbers_inside_an_interval_are_swallowed() -> None:
    spans = [Interval(low=0, high=5), Interval.exact(3), Interval.exact(7)]
    assert merged(spans) == (Interval(low=0, high=5), Interval.exact(7))


def test_sum_of_a_number_and_an_interval_is_shifted() -> None:
    shifted = added([Interval.exact(10)], [_open(0, 3), Interval.exact(8)])
    assert shifted == (_open(10, 13), Interval.exact(18))
    assert ends(shifted) == (10, 18)


def test_band_is_not_met_by_an_interval_that_only_comes_close() -> None:
    low = ScoreBand(name="low", meaning="", le=88, source="s", review="R90")
    assert not meets(low, _open(88, 90))
    assert meets(low, Interval(low=88, high=90))
