"""A saturation taken on oxygen says only what room air would give at most."""

from typing import Any

import pytest

from knowledge.quantity import Interval
from tests.tools.intake.samples import chart, observation
from tools.intake.oxygen import without_oxygen

SPO2, FLOW, FRACTION = "59408-5", "3151-8", "3150-0"  # LOINC, as in the US Core pulse oximetry


def saturation(*others: dict[str, Any]) -> Interval | None:
    """Return the numbers that a charted 97 % leaves possible beside other results."""
    facts = without_oxygen(chart(observation(97, "%", SPO2), *others).facts)
    fact = next(f for f in facts if f.finding.concept.has("http://loinc.org", SPO2))
    return fact.finding.interval


@pytest.mark.parametrize(
    ("loinc", "value", "unit"), [(FLOW, 2, "L/min"), (FRACTION, 28, "%"), (FRACTION, 0.4, "1")]
)
def test_on_oxygen_it_is_an_upper_bound(loinc: str, value: float, unit: str) -> None:
    assert saturation(observation(value, unit, loinc, id="o2")) == Interval(high=97)


@pytest.mark.parametrize(
    ("loinc", "value", "unit"), [(FLOW, 0, "L/min"), (FRACTION, 21, "%"), (FRACTION, 0.21, "1")]
)
def test_on_room_air_it_is_the_value(loinc: str, value: float, unit: str) -> None:
    assert saturation(observation(value, unit, loinc, id="o2")) == Interval.exact(97)


def test_oxygen_of_another_time_is_not_of_this_saturation() -> None:
    later = {"id": "o2", "effectiveDateTime": "2026-11-20T12:30:00+01:00"}
    assert saturation(observation(2, "L/min", FLOW, **later)) == Interval.exact(97)
