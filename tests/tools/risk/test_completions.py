"""A few values stand for every possible one."""

import pytest

from knowledge.quantity import Interval
from knowledge.rules import Condition, MovingLimit, holds
from tests.tools.risk.given import Plain, given
from tools.risk.completions import connected, representatives, walk
from tools.risk.inputs import read_inputs

AGE_STEPS = Condition(
    any=(Condition(input="age_years", ge=45), Condition(input="age_years", ge=65))
)


def _numbers(input_id: str, condition: Condition, value: Plain | None) -> list[float]:
    inputs = read_inputs([input_id], given(**{input_id: value}))
    values = representatives(inputs, [condition])[input_id]
    return [v.low for v in values if isinstance(v, Interval) and v.low is not None]


@pytest.mark.parametrize(
    ("known", "classes"),
    [
        (None, ["below 45", "45 to 64", "65 and more"]),
        (Interval(low=50, high=60), ["45 to 64"]),
        (Interval(low=44, high=45), ["below 45", "45 to 64"]),
        (Interval(low=44, high=45, high_closed=False), ["below 45"]),
        (Interval(low=64, high=66, low_closed=False), ["45 to 64", "65 and more"]),
    ],
)
def test_one_value_of_each_class_that_a_rule_tells_apart(
    known: Interval | None, classes: list[str]
) -> None:
    def name(age: float) -> str:
        return "below 45" if age < 45 else "45 to 64" if age < 65 else "65 and more"

    assert [name(age) for age in _numbers("age_years", AGE_STEPS, known)] == classes


def test_limit_itself_and_both_sides_are_met_for_a_strict_and_a_loose_limit() -> None:
    strict_and_loose = Condition(
        any=(Condition(input="heart_rate", gt=100), Condition(input="heart_rate", ge=100))
    )
    rates = _numbers("heart_rate", strict_and_loose, None)
    assert len(rates) == 3
    assert rates[0] < 100
    assert rates[1] == 100
    assert rates[2] > 100


def test_only_whole_number_between_two_strict_limits_is_met() -> None:
    fifty_one = Condition(input="age_years", gt=50, lt=52)
    assert 51 in _numbers("age_years", fifty_one, Interval(low=40, high=60))


def test_narrow_gap_between_a_fixed_and_a_moving_limit_is_met() -> None:
    """At 56 years the limit is 560, so only a D-dimer between 550 and 560 meets both."""
    moving = MovingLimit(input="age_years", times=10, at_least=500)
    gap = Condition(
        all=(Condition(input="d_dimer_feu", gt=550), Condition(input="d_dimer_feu", below=moving))
    )
    inputs = read_inputs(["d_dimer_feu", "age_years"], given(age_years=56))
    values = representatives(inputs, [gap])
    assert any(
        holds(gap, {"d_dimer_feu": dimer, "age_years": values["age_years"][0]})
        for dimer in values["d_dimer_feu"]
    )


def test_parts_that_share_an_input_through_a_third_are_one_group() -> None:
    groups = {inputs: at for inputs, at in connected([("a",), ("c",), ("b", "c"), (), ("a", "b")])}
    assert groups == {("a", "b", "c"): [0, 1, 2, 4]}


def test_walk_tells_which_input_alone_changes_the_state() -> None:
    group = walk(
        ["x", "y"], {"x": (False, True), "y": (False, True)}, lambda chosen: bool(chosen["x"])
    )
    assert group.states == {False, True}
    assert group.by_input["x"] == {frozenset({False, True})}
    assert group.by_input["y"] == frozenset()
