"""A number that changes: its latest value, its extremes, and values that contradict each other."""

import pytest

from knowledge.evidence import FhirEvidence
from knowledge.finding import State
from knowledge.timeline import Fact
from tests.tools.chart.test_answers import answers, stated, vital

EARLY, LATE = "2026-11-20T08:00:00Z", "2026-11-20T09:55:00Z"
CODES = {"systolic_bp": ("8480-6", "mm[Hg]"), "heart_rate": ("8867-4", "/min")}


def pressure(value: float, at: str, site: str | None = None) -> Fact:
    fact = vital("8480-6", value, "mm[Hg]", at)
    place = FhirEvidence(file="chart.json", resource=f"Observation/{value}", path="value")
    changed = {"body_site": site, "evidence": (place,)}
    return fact.model_copy(update={"finding": fact.finding.model_copy(update=changed)})


def test_first_lowest_and_highest_stand_beside_the_latest() -> None:
    found = answers(pressure(84, EARLY), pressure(150, "2026-11-20T09:00:00Z"), pressure(130, LATE))
    assert str(found.findings["systolic_bp"].value) == "130 mm[Hg]"
    assert str(found.series["first.systolic_bp"].value) == "84 mm[Hg]"
    assert str(found.series["lowest.systolic_bp"].value) == "84 mm[Hg]"
    assert str(found.series["highest.systolic_bp"].value) == "150 mm[Hg]"


def test_without_a_value_there_are_no_extremes() -> None:
    assert answers().series == {}


def test_a_pressure_below_90_before_is_hypotension_of_this_presentation() -> None:
    found = answers(pressure(84, EARLY), pressure(130, LATE))
    assert found.findings["hypotension_shock"].state is State.PRESENT


def test_values_of_one_minute_that_differ_are_a_span_and_a_conflict() -> None:
    found = answers(pressure(85, LATE), pressure(131, LATE))
    assert str(found.findings["systolic_bp"].interval) == "[85, 131]"
    (conflict,) = [c for c in found.conflicts if c.input == "systolic_bp"]
    assert {side.says for side in conflict.sides} == {"85 mm[Hg]", "131 mm[Hg]"}


@pytest.mark.parametrize(("second", "conflict"), [(140, False), (141.5, True)])
def test_a_difference_within_the_tolerance_is_none(second: float, conflict: bool) -> None:
    found = answers(pressure(131, LATE), pressure(second, LATE))
    assert bool(found.conflicts) is conflict  # the catalogue allows 10 mmHg


def test_values_of_different_minutes_are_no_conflict() -> None:
    assert answers(pressure(85, EARLY), pressure(131, LATE)).findings["systolic_bp"].flags == ()


@pytest.mark.parametrize(
    ("left", "right", "sites", "state"),
    [
        (131, 95, ("left arm", "Right arm"), State.PRESENT),
        (131, 111, ("left arm", "right arm"), State.NOT_ASSESSED),  # 20 is not more than 20
        (131, 110, ("左上臂", "右上臂"), State.PRESENT),
        (131, 95, ("left arm", "left arm"), State.NOT_ASSESSED),
        (131, 95, ("left arm", "right ankle"), State.NOT_ASSESSED),
        (131, 95, (None, None), State.NOT_ASSESSED),
    ],
)
def test_more_than_20_mmhg_between_the_arms_answers_the_question(
    left: float, right: float, sites: tuple[str | None, str | None], state: State
) -> None:
    found = answers(pressure(left, LATE, sites[0]), pressure(right, LATE, sites[1]))
    assert found.findings["pulse_deficit"].state is state


def test_arms_measured_an_hour_apart_are_not_compared() -> None:
    found = answers(
        pressure(131, "2026-11-20T08:55:00Z", "left arm"), pressure(95, LATE, "right arm")
    )
    assert found.findings["pulse_deficit"].state is State.NOT_ASSESSED


def test_a_denied_deficit_beside_a_difference_of_the_arms_is_a_conflict() -> None:
    found = answers(
        pressure(131, LATE, "left arm"),
        pressure(95, LATE, "right arm"),
        stated("pulse_deficit", State.ABSENT),
    )
    assert "pulse_deficit" in [c.input for c in found.conflicts]


def test_an_unusable_latest_value_does_not_bring_back_an_older_one() -> None:
    found = answers(vital("8480-6", 130, "mm[Hg]", EARLY), vital("8480-6", 12, "kPa", LATE))
    assert found.findings["systolic_bp"].state is State.NOT_ASSESSED
