"""Range, bands and missing list are exact: brute force over arithmetic by hand agrees."""

import itertools
import math
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.quantity import Interval
from knowledge.risk import NOT_DETERMINED, Risk
from knowledge.scores import score, score_ids
from tests.tools.risk import by_hand
from tests.tools.risk.given import Plain
from tests.tools.risk.given import given as findings
from tools.risk.score import evaluate

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
ALL = pytest.mark.parametrize("score_id", sorted(by_hand.SCORES))


def _grid(input_id: str) -> tuple[Any, ...]:
    return by_hand.GRID.get(input_id, by_hand.YES_NO)


def _possible(input_id: str, known: Plain | None) -> tuple[Any, ...]:
    if known is None:
        return _grid(input_id)
    if isinstance(known, Interval):
        return tuple(v for v in _grid(input_id) if known.contains(v))
    return (known,)


@st.composite
def partial_answers(draw: st.DrawFn, score_id: str) -> dict[str, Plain | None]:
    """Return answers of which few enough are unknown or imprecise for brute force."""
    answers: dict[str, Plain | None] = {
        i: draw(st.sampled_from(_grid(i))) for i in by_hand.INPUTS[score_id]
    }
    size = 1
    for input_id in draw(st.permutations(sorted(answers))):
        if size * len(_grid(input_id)) > 3000 or not draw(st.booleans()):
            continue
        answers[input_id] = draw(_imprecise(input_id))
        size *= len(_possible(input_id, answers[input_id]))
    return answers


def _imprecise(input_id: str) -> st.SearchStrategy[Plain | None]:
    values = _grid(input_id)
    if not isinstance(values[-1], int | float) or isinstance(values[-1], bool):
        return st.none()
    pairs = st.lists(st.sampled_from(values), min_size=2, max_size=2, unique=True).map(sorted)
    closed = pairs.map(lambda p: Interval(low=p[0], high=p[1]))
    return st.one_of(st.none(), closed)


def _brute(score_id: str, answers: Mapping[str, Plain | None]) -> dict[tuple[Any, ...], Any]:
    ids = by_hand.INPUTS[score_id]
    function = by_hand.SCORES[score_id]
    spaces = [_possible(i, answers[i]) for i in ids]
    return {
        picked: function(dict(zip(ids, picked, strict=True)))
        for picked in itertools.product(*spaces)
    }


def _deciding(score_id: str, outcomes: Mapping[tuple[Any, ...], Any]) -> set[str]:
    found = set()
    for position, input_id in enumerate(by_hand.INPUTS[score_id]):
        beside: dict[tuple[Any, ...], set[Any]] = {}
        for picked, (points, category) in outcomes.items():
            rest = picked[:position] + picked[position + 1 :]
            beside.setdefault(rest, set()).add((points, category))
        if any(len(results) > 1 for results in beside.values()):
            found.add(input_id)
    return found


def _evaluate(score_id: str, answers: Mapping[str, Plain | None]) -> Risk:
    return evaluate(score_id, findings(**answers, **_required(score_id)))


def _required(score_id: str) -> dict[str, Plain]:
    return {"pe_gestalt_below_15": True} if score_id == "perc" else {}


def test_every_score_that_may_be_offered_is_written_by_hand_too() -> None:
    assert {s for s in score_ids() if not score(s).on_request} == set(by_hand.SCORES)


@ALL
@SETTINGS
@given(data=st.data())
def test_result_equals_brute_force_over_all_completions(score_id: str, data: st.DataObject) -> None:
    answers = data.draw(partial_answers(score_id))
    outcomes = _brute(score_id, answers)
    risk = _evaluate(score_id, answers)
    totals = {points for points, _ in outcomes.values() if points is not None}
    categories = {category for _, category in outcomes.values()}
    if totals:
        low, high = (risk.value, risk.value) if risk.range is None else risk.range
        assert (low, high) == (min(totals), max(totals))
    assert {band.name for band in risk.bands} == categories
    assert risk.category == (categories.pop() if len(categories) == 1 else NOT_DETERMINED)
    assert {m.input for m in risk.missing} == _deciding(score_id, outcomes)


@ALL
@SETTINGS
@given(data=st.data())
def test_no_number_with_a_deciding_input_unknown_and_range_contains_every_completion(
    score_id: str, data: st.DataObject
) -> None:
    ids = by_hand.INPUTS[score_id]
    complete = {i: data.draw(st.sampled_from(_grid(i))) for i in ids}
    known = {i: complete[i] if data.draw(st.booleans()) else None for i in ids}
    risk = _evaluate(score_id, known)
    points, category = by_hand.SCORES[score_id](complete)
    assert category in {band.name for band in risk.bands}
    if points is None:
        assert risk.value is None
        assert risk.range is None
        return
    low, high = risk.range if risk.range is not None else (risk.value, risk.value)
    assert low is not None
    assert high is not None
    assert low <= points <= high
    assert (risk.value is None) == bool(risk.missing) == (low < high)


@ALL
@SETTINGS
@given(data=st.data(), seed=st.integers(0, 1000))
def test_order_of_findings_changes_nothing(score_id: str, data: st.DataObject, seed: int) -> None:
    answers = data.draw(partial_answers(score_id))
    ordered = findings(**answers, **_required(score_id))
    shuffled = list(ordered.items())
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, not a secret
    assert evaluate(score_id, dict(shuffled)) == evaluate(score_id, ordered)


@SETTINGS
@given(
    dimer=st.floats(0, 3000), width=st.floats(0, 400), age=st.floats(18, 100), span=st.floats(0, 30)
)
def test_age_adjusted_limit_is_exact_for_uncertain_age_and_d_dimer(
    dimer: float, width: float, age: float, span: float
) -> None:
    low_wells = {i: False for i in by_hand.INPUTS["wells_pe"]} | {"heart_rate": 60}
    ages = range(math.floor(age), math.floor(age + span) + 1)
    limits = [max(500, 10 * years) for years in ages]
    reached = set()
    if dimer < max(limits):
        reached.add("rule-out")
    if dimer + width >= min(limits):
        reached.add("imaging")
    risk = evaluate(
        "wells_d_dimer",
        findings(
            **low_wells,
            d_dimer_feu=Interval(low=dimer, high=dimer + width),
            age_years=Interval(low=age, high=age + span),
        ),
    )
    assert {band.name for band in risk.bands} == reached
