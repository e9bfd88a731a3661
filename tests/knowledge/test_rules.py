"""Conditions as data, in three-valued logic."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knowledge.quantity import Interval
from knowledge.rule_check import condition_faults
from knowledge.rules import Answer, Condition, holds

ADJUSTED = {"input": "d_dimer_feu", "below": {"input": "age_years", "times": 10, "at_least": 500}}


def _condition(data: dict[str, Any]) -> Condition:
    return Condition.model_validate(data)


def _two(answer_a: Answer, answer_b: Answer) -> dict[str, Answer]:
    return {"a": answer_a, "b": answer_b}


A, B = {"input": "a", "is": "present"}, {"input": "b", "is": "present"}


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (True, None, None, True),
        (False, None, False, None),
        (False, False, False, False),
        (None, None, None, None),
    ],
)
def test_all_and_any_follow_the_strong_logic_of_kleene(
    a: Answer, b: Answer, both: bool | None, either: bool | None
) -> None:
    assert holds(_condition({"all": [A, B]}), _two(a, b)) is both
    assert holds(_condition({"any": [A, B]}), _two(a, b)) is either
    assert holds(_condition({"all": [B, A]}), _two(a, b)) is both


@pytest.mark.parametrize(("a", "negated"), [(True, False), (False, True), (None, None)])
def test_negation_of_unknown_is_unknown(a: Answer, negated: bool | None) -> None:
    assert holds(_condition({"not": A}), {"a": a}) is negated


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((True, True, True), True),
        ((True, True, None), None),
        ((True, False, None), False),
        ((True, True, False), False),
        ((None, None, None), None),
    ],
)
def test_count_is_unknown_only_where_the_unknown_could_change_it(
    answers: tuple[Answer, ...], expected: bool | None
) -> None:
    three = {"count": [{"input": i, "is": "present"} for i in "abc"], "ge": 3}
    assert holds(_condition(three), dict(zip("abc", answers, strict=True))) is expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(45, 64, True), (44, 50, None), (65, 70, False), (60, 65, None), (10, 44, False)],
)
def test_band_of_numbers_against_an_interval(
    low: float, high: float, expected: bool | None
) -> None:
    band = _condition({"input": "age_years", "ge": 45, "lt": 65})
    assert holds(band, {"age_years": Interval(low=low, high=high)}) is expected


@pytest.mark.parametrize(
    ("dimer", "age", "expected"),
    [
        pytest.param(499, 30, True, id="floor, young"),
        pytest.param(500, 50, False, id="500 is not below 500"),
        pytest.param(779, 78, True, id="below age x 10"),
        pytest.param(780, 78, False, id="at age x 10"),
        pytest.param(499, None, True, id="below the floor whatever the age"),
        pytest.param(600, None, None, id="above the floor, age unknown"),
        pytest.param(None, 78, None, id="no D-dimer"),
        pytest.param(650, (60, 70), None, id="age decides"),
        pytest.param(599, (60, 70), True, id="below at every age"),
        pytest.param(700, (60, 70), False, id="not below at any age"),
        pytest.param((0, 510), (51, 60), None, id="upper end not below the lowest limit"),
    ],
)
def test_limit_that_moves_with_age(dimer: Any, age: Any, expected: bool | None) -> None:
    answers = {"d_dimer_feu": _interval(dimer), "age_years": _interval(age)}
    assert holds(_condition(ADJUSTED), answers) is expected


def _interval(value: Any) -> Interval | None:
    if isinstance(value, tuple):
        return Interval(low=value[0], high=value[1])
    return None if value is None else Interval.exact(value)


def test_open_upper_end_at_the_moving_limit_is_below_it() -> None:
    answers: dict[str, Answer] = {
        "d_dimer_feu": Interval(low=0, high=600, high_closed=False),
        "age_years": Interval.exact(60),
    }
    assert holds(_condition(ADJUSTED), answers) is True


@given(
    dimer=st.tuples(st.floats(0, 2000), st.floats(0, 500)),
    age=st.tuples(st.floats(18, 100), st.floats(0, 20)),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_moving_limit_is_never_decided_against_a_number_inside(
    dimer: tuple[float, float], age: tuple[float, float], at: tuple[float, float]
) -> None:
    answers: dict[str, Answer] = {
        "d_dimer_feu": Interval(low=dimer[0], high=dimer[0] + dimer[1]),
        "age_years": Interval(low=age[0], high=age[0] + age[1]),
    }
    one_dimer = min(dimer[0] + at[0] * dimer[1], dimer[0] + dimer[1])
    one_age = min(age[0] + at[1] * age[1], age[0] + age[1])
    truth = one_dimer < max(500.0, 10 * one_age)
    near = abs(one_dimer - 10 * one_age) < 1e-6  # the last bits of a product
    assert holds(_condition(ADJUSTED), answers) in (None, truth) or near


def test_score_total_is_read_from_points() -> None:
    low = _condition({"score": "heart", "le": 3})
    assert holds(low, {"points.heart": Interval.exact(3)}) is True
    assert holds(low, {"points.heart": Interval(low=3, high=5)}) is None
    assert holds(low, {}) is None


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"input": "a"},
        {"input": "a", "is": "present", "ge": 3},
        {"input": "a", "score": "b", "ge": 3},
        {"score": "b"},
        {"score": "b", "is": "present"},
        {"count": [A]},
        {"all": [A], "ge": 1},
        {"all": [A], "any": [A]},
        {"all": [A], "known": True},
        {"input": "a", "below": {"input": "b", "times": 0}},
    ],
)
def test_malformed_condition_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _condition(data)


def test_inputs_scores_and_limits_are_listed_through_every_level() -> None:
    nested = _condition({"not": {"all": [{"input": "x", "ge": 1, "lt": 2}, ADJUSTED]}})
    with_score = _condition(
        {"any": [{"score": "heart", "ge": 7}, nested.model_dump(by_alias=True)]}
    )
    assert list(with_score.inputs()) == ["x", "d_dimer_feu", "age_years"]
    assert list(with_score.scores()) == ["heart"]
    assert sorted(with_score.breakpoints("x")) == [1, 2]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"input": "known_cadd", "is": "present"}, "not in the catalogue"),
        ({"input": "known_cad", "is": "yes"}, "no answer 'yes'"),
        ({"input": "killip_class", "is": ["I", "V"]}, "no answer 'V'"),
        ({"input": "known_cad", "ge": 1}, "not a number"),
        ({"input": "age_years", "is": "present"}, "no answer 'present'"),
        ({"input": "d_dimer_feu", "below": {"input": "sex", "times": 10}}, "moves no limit"),
    ],
)
def test_condition_no_answer_could_decide_is_found(data: dict[str, Any], says: str) -> None:
    faults = list(condition_faults(_condition(data)))
    assert len(faults) == 1
    assert says in faults[0]


def test_sound_condition_has_no_fault() -> None:
    assert (
        list(condition_faults(_condition({"any": [ADJUSTED, {"score": "heart", "le": 3}]}))) == []
    )
