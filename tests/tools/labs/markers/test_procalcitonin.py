"""Procalcitonin: limits by setting, the stopping rule, the daily fall."""

from typing import Any

import pytest

from tests.tools.labs.markers.samples import AT, sample
from tools.labs.markers.procalcitonin import procalcitonin_course


# ProHOSP (doi 10.1001/jama.2009.1297): < 0.1, < 0.25, >= 0.25; sepsis from 0.5, high over 2
@pytest.mark.parametrize(
    ("value", "true"),
    [
        (0.09, {"bacterial_very_unlikely", "bacterial_unlikely"}),
        (0.1, {"bacterial_unlikely"}),
        (0.25, {"bacterial_likely"}),
        (0.5, {"bacterial_likely", "sepsis_likely"}),
        (2.1, {"bacterial_likely", "sepsis_likely", "high"}),
    ],
)
def test_limits_in_respiratory_infection(value: float, true: set[str]) -> None:
    found = procalcitonin_course((sample("procalcitonin", value),), at=AT, setting="respiratory")
    assert set(found.true) == true


@pytest.mark.parametrize(
    ("first", "second", "stop"),
    [(10.0, 2.0, True), (10.0, 2.1, False), (0.9, 0.4, True), (10.0, 0.49, True)],
    ids=["fallen by 80 %", "fallen by 79 %", "below 0.5", "both"],
)
def test_the_stopping_rule_of_intensive_care(first: float, second: float, stop: bool) -> None:
    pair = (sample("procalcitonin", first, -97), sample("procalcitonin", second, -1))
    found = procalcitonin_course(pair, at=AT, setting="intensive-care")
    assert found.holds("may_stop") is stop


def test_without_the_setting_nothing_is_said_of_antibiotics() -> None:
    found = procalcitonin_course((sample("procalcitonin", 0.05),), at=AT)
    assert found.holds("bacterial_very_unlikely") is None
    assert found.holds("may_stop") is None
    assert found.holds("sepsis_likely") is False


@pytest.mark.parametrize(
    ("hours", "second", "half"),
    [(24, 4.0, True), (24, 6.0, False), (48, 2.5, True), (48, 4.0, False)],
)
def test_the_fall_of_a_day(hours: float, second: float, half: bool) -> None:
    # from 8: 4.0 in a day is 50 %; 2.5 in two days is 1 - sqrt(0.3125) = 44.1 %; from 10 below
    first = 10.0 if (hours, second) == (48, 2.5) else 8.0
    pair = (sample("procalcitonin", first, -1 - hours), sample("procalcitonin", second, -1))
    found = procalcitonin_course(pair, at=AT, setting="intensive-care")
    # 10 to 2.5 in two days: 1 - sqrt(0.25) = 50 % a day; 8 to 4 in two days: 29.3 %
    assert found.holds("falls_by_half_a_day") is half


@pytest.mark.parametrize(
    "change", [{"kind": "point-of-care"}, {"method": "another assay"}, {"specimen": "whole blood"}]
)
def test_two_kinds_of_measurement_give_no_fall(change: dict[str, Any]) -> None:
    first = sample("procalcitonin", 10.0, -25, method="one assay")
    second = sample("procalcitonin", 1.0, -1, **{"method": "one assay", **change})
    found = procalcitonin_course((first, second), at=AT, setting="intensive-care")
    assert found.holds("falls_by_half_a_day") is None
    assert found.holds("may_stop") is None  # 1.0 is not below 0.5, and the fall is not known
