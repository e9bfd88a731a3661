"""The table of laboratory tests: complete, consistent, named in both languages."""

import pytest
from pydantic import ValidationError

from knowledge.analytes import analytes
from knowledge.laboratory_tests import Bounds, IntervalRow, LabTest, laboratory_tests
from knowledge.quantity import Interval
from knowledge.reference import Review

TABLE = laboratory_tests()


def test_every_laboratory_analyte_has_a_row() -> None:
    keys = {key for key, row in analytes().analytes.items() if row.group == "laboratory"}
    assert keys - set(TABLE.tests) == set()


@pytest.mark.parametrize("key", sorted(TABLE.tests))
def test_a_test_has_a_chinese_name_and_rows_or_a_reason(key: str) -> None:
    row = TABLE.tests[key]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in row.chinese)
    assert bool(row.intervals) != bool(row.no_interval)


def test_no_two_tests_have_one_name() -> None:
    names = [row.chinese for row in TABLE.tests.values()]
    assert sorted(names) == sorted(set(names))


def test_rows_on_which_sources_differ_are_marked_so() -> None:
    sodium = TABLE.tests["sodium"].intervals
    assert [row.source for row in sodium] == ["sophiewell", "abim"]
    assert all(Review(tag=row.review).disputed for row in sodium)
    assert not Review(tag=TABLE.tests["potassium"].intervals[0].review).disputed


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"low": 5, "high": 3}, "above the upper"),
        ({}, "lower or an upper bound"),
        ({"low": 1, "from_age": 50, "to_age": 18}, "of nobody"),
        ({"low": 1, "sex": "male", "pregnant": True}, "of nobody"),
        ({"low": 1, "sexes": "male"}, "Extra inputs"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(row: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        IntervalRow.model_validate({"source": "usual", "review": "R90", **row})


def test_a_test_without_rows_needs_the_reason() -> None:
    with pytest.raises(ValidationError, match="give intervals, or the reason"):
        LabTest(panel="renal", chinese="钾")


@pytest.mark.parametrize(
    ("bounds", "value", "below", "above"),
    [
        (Bounds(low=3.5, high=5), Interval.exact(3.5), False, False),
        (Bounds(low=3.5, high=5), Interval.exact(3.4), True, False),
        (Bounds(low=3.5, low_open=True), Interval.exact(3.5), True, False),
        (Bounds(high=5, high_open=True), Interval.exact(5), False, True),
        (Bounds(low=3.5, high=5), Interval(low=0, high=4, high_closed=False), None, False),
        (Bounds(low=3.5, high=5), Interval(low=6, low_closed=False), False, True),
        (Bounds(low=3.5, high=5), Interval(low=0), None, None),
    ],
)
def test_bounds_compare_a_whole_interval(
    bounds: Bounds, value: Interval, below: bool | None, above: bool | None
) -> None:
    assert bounds.is_below(value) is below
    assert bounds.is_above(value) is above
