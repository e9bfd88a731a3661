"""Lactate: its height, and a clearance only between samples that may be compared."""

import pytest

from knowledge.finding import Finding, Why
from tests.tools.labs.markers.samples import AT, sample
from tools.labs.markers.lactate import lactate_clearance
from tools.labs.markers.report import MarkerReport


def read(*samples: Finding) -> MarkerReport:
    return lactate_clearance(samples, at=AT)


@pytest.mark.parametrize(
    ("value", "over_2", "at_least_4"),
    [(2.0, False, False), (2.1, True, False), (4.0, True, True)],
)
def test_height(value: float, over_2: bool, at_least_4: bool) -> None:
    # Sepsis-3: above 2; Surviving Sepsis Campaign: 4 or more
    found = read(sample("lactate", value))
    assert (found.holds("over_2"), found.holds("at_least_4")) == (over_2, at_least_4)


@pytest.mark.parametrize(
    ("first", "hours", "second", "cleared_10", "cleared_20_2h"),
    [
        (6.0, 6, 3.0, True, False),  # 50 % in 6 h is 16.7 % for each 2 h
        (6.0, 2, 4.8, True, True),  # 20 % in 2 h
        (6.0, 2, 5.5, False, False),  # 8.3 %
        (6.0, 1, 5.0, False, True),  # 16.7 % in 1 h: under 2 h; 33 % for each 2 h
        (4.0, 2, 6.0, False, False),
    ],
)
def test_clearance(
    first: float, hours: float, second: float, cleared_10: bool, cleared_20_2h: bool
) -> None:
    # Nguyen 2004: (first - later) / first x 100, 10 % or more; Jansen 2010: 20 % for each 2 h
    found = read(sample("lactate", first, -1 - hours), sample("lactate", second, -1))
    assert found.holds("cleared_10") is cleared_10
    assert found.holds("cleared_20_2h") is cleared_20_2h
    assert found.holds("rising") is (second > first)


def test_arterial_and_venous_are_not_compared() -> None:
    # LOINC 2518-9 is arterial, 2524-7 serum or plasma
    found = read(
        sample("lactate", 6.0, -4, loinc="2518-9"), sample("lactate", 3.0, -1, loinc="2524-7")
    )
    assert found.holds("cleared_10") is None
    assert found.changes[0].not_assessed is not None
    assert "specimen" in found.changes[0].not_assessed.detail


def test_bedside_and_laboratory_are_not_compared() -> None:
    found = read(sample("lactate", 6.0, -4), sample("lactate", 3.0, -1, kind="point-of-care"))
    assert found.holds("cleared_10") is None
    assert "method" in str(found.changes[0].not_assessed)


def test_what_is_not_stated_is_not_taken_as_equal() -> None:
    found = read(sample("lactate", 6.0, -4, kind=None), sample("lactate", 3.0, -1, kind=None))
    assert found.holds("cleared_10") is None
    assert found.changes[0].not_assessed is not None
    assert found.changes[0].not_assessed.why is Why.MISSING


def test_one_sample_has_no_clearance() -> None:
    found = read(sample("lactate", 5.0))
    assert found.holds("cleared_10") is None
    assert found.holds("at_least_4") is True


def test_a_sample_without_a_time_or_of_the_future_is_set_aside() -> None:
    undated = sample("lactate", 6.0).model_copy(update={"time": None})
    future = sample("lactate", 6.0, 3)
    found = read(undated, future)
    whys = {one.reason.why for one in found.set_aside}
    assert whys == {Why.TIME_NOT_GIVEN, Why.FUTURE_TIME}
    assert found.not_assessed is not None
    assert found.statements == ()
