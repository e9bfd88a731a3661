"""Every score: range, bands and missing list equal brute force over its own file."""

import itertools
import random
from collections.abc import Mapping
from typing import Any

import pytest

from knowledge.quantity import Interval
from knowledge.scores import score
from tests.tools.risk import naive
from tests.tools.risk.given import given as findings
from tests.tools.risk.golden import ids
from tools.risk.score import evaluate

LIMIT = 300
"""Completions that brute force walks."""


def partial(score_id: str, chance: random.Random) -> dict[str, Any]:
    """Return answers of which few enough are unknown for brute force."""
    fixed = naive.excluded(score_id)
    grids = {i: _grid(score_id, i, fixed) for i in naive.inputs(score_id)}
    answers = {i: chance.choice(grid) for i, grid in grids.items()}
    size = 1
    for input_id in chance.sample(sorted(answers), len(answers)):
        if size * len(grids[input_id]) <= LIMIT and chance.random() < 0.5:
            answers[input_id] = None
            size *= len(grids[input_id])
    return answers


def _grid(score_id: str, input_id: str, fixed: Mapping[str, Any]) -> tuple[Any, ...]:
    if input_id in fixed:
        return (fixed[input_id],)
    grid = naive.grid(score_id, input_id)
    return tuple(value for value in grid if not naive.outside(score_id, input_id, value))


def _brute(score_id: str, answers: Mapping[str, Any]) -> dict[tuple[Any, ...], Any]:
    fixed = naive.excluded(score_id)
    spaces = [
        _grid(score_id, i, fixed) if answer is None else (answer,) for i, answer in answers.items()
    ]
    return {
        picked: naive.outcome(score_id, dict(zip(answers, picked, strict=True)))
        for picked in itertools.product(*spaces)
    }


def _deciding(answers: Mapping[str, Any], outcomes: Mapping[tuple[Any, ...], Any]) -> set[str]:
    found = set()
    for at, input_id in enumerate(answers):
        beside: dict[tuple[Any, ...], set[Any]] = {}
        for picked, (points, category) in outcomes.items():
            rest = picked[:at] + picked[at + 1 :]
            beside.setdefault(rest, set()).add((points, category))
        if any(len(results) > 1 for results in beside.values()):
            found.add(input_id)
    return found


@pytest.mark.parametrize("score_id", ids())
@pytest.mark.parametrize("seed", range(10))
def test_result_equals_brute_force(score_id: str, seed: int) -> None:
    answers = partial(score_id, random.Random(f"{score_id} {seed}"))  # noqa: S311 - no secret
    outcomes = _brute(score_id, answers)
    known = {i: v for i, v in answers.items() if v is not None}
    ages = {"age_years": Interval(low=18, high=74)} if answers.get("age_years", 0) is None else {}
    risk = evaluate(score_id, findings(**{**naive.excluded(score_id), **known, **ages}))
    totals = {points for points, _ in outcomes.values() if points is not None}
    if totals and not ages:
        low, high = risk.range if risk.range is not None else (risk.value, risk.value)
        assert (low, high) == naive.shown(score_id, totals)
    reached = {category for _, category in outcomes.values()}
    bands = {band.name for band in risk.bands}
    if score(score_id).is_spread or ages:
        assert bands >= reached  # between the numbers walked here there are more
    else:
        assert bands == reached
    assert {m.input for m in risk.missing} == _deciding(answers, outcomes)
