"""Each input of each score left out in turn: what the rest can still mean, and no number."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from knowledge.clinical_inputs import catalogue
from knowledge.quantity import Interval
from knowledge.risk import Risk
from knowledge.scores import score, score_ids
from tests.tools.risk import naive
from tests.tools.risk.given import given
from tests.tools.risk.golden import golden, plain
from tools.risk.score import evaluate, inputs_of

Answers = Mapping[str, Any]
PATIENTS = 2
"""Golden patients of each score that every input is taken from in turn."""


@cache
def patients(score_id: str) -> tuple[Answers, ...]:
    """Return patients of which all is known, spread over the golden cases of a score."""
    file = golden(score_id)
    asked = {c.when.input or "": True for c in score(score_id).population.requires}
    every = [
        {**asked, **file.clear, **case.set}
        for case in file.cases
        if not case.error and not case.missing
    ]
    whole = [p for p in every if not any(v is None or isinstance(v, list) for v in p.values())]
    whole = [p for p in whole if _evaluate(score_id, p).not_assessed is None]
    step = max(1, len(whole) // PATIENTS)
    return tuple(whole[::step][:PATIENTS])


def values(score_id: str, input_id: str) -> tuple[Any, ...]:
    """Return answers on both sides of every limit that the score or its parts set on an input."""
    entry = catalogue().get(input_id)
    if entry.kind == "boolean":
        return (False, True)
    if entry.kind == "choice":
        return tuple(entry.choices)
    if entry.unit == "a":
        if any(line.input == input_id for line in score(score_id).lines()):
            return tuple(range(126))
        near = {int(limit) for limit in naive.limits(score_id, input_id)}
        ages = {0, 17, 18, 75, 125, *(a + d for a in near for d in (-1, 0, 1))}
        return tuple(sorted(age for age in ages if 0 <= age <= 125))
    if input_id in naive.inputs(score_id):
        return naive.grid(score_id, input_id)
    return (entry.low, entry.high)


def answered(score_id: str, patient: Answers, input_id: str) -> Iterator[tuple[Any, Risk]]:
    """Yield the result with every admissible answer of one input."""
    for value in values(score_id, input_id):
        risk = _evaluate(score_id, {**patient, input_id: value})
        if risk.not_assessed is None:
            yield value, risk


def _evaluate(score_id: str, answers: Answers) -> Risk:
    return evaluate(score_id, given(**{i: plain(v) for i, v in answers.items()}))


def _number(risk: Risk) -> tuple[float, float] | None:
    if risk.range is not None:
        return risk.range
    return None if risk.value is None else (risk.value, risk.value)


@pytest.mark.parametrize("score_id", score_ids())
def test_every_score_has_patients_of_whom_all_is_known(score_id: str) -> None:
    assert patients(score_id)
    for patient in patients(score_id):
        assert _evaluate(score_id, patient).missing == ()


@pytest.mark.parametrize("score_id", score_ids())
def test_without_an_input_the_result_holds_that_of_every_answer(score_id: str) -> None:
    """The range spans the totals of all answers, the bands are theirs, and the input is asked for.

    A number known only within bounds (below a limit of detection) spans the answers inside.

    The reference is the engine itself on patients of whom all is known, which the golden cases
    check against the publications.
    """
    for patient in patients(score_id):
        for input_id in inputs_of(score_id):
            results = dict(answered(score_id, patient, input_id))
            _bounded(score_id, patient, input_id, results)
            without = _evaluate(score_id, {i: v for i, v in patient.items() if i != input_id})
            if without.not_assessed is not None:
                assert without.value is None
                assert without.range is None
                assert [m.input for m in without.missing] == [input_id]
                continue
            _holds_all(
                without, list(results.values()), input_id, exact=not score(score_id).is_spread
            )


def _holds_all(without: Risk, results: list[Risk], input_id: str, *, exact: bool) -> None:
    assert results, input_id
    bands = {band.name for risk in results for band in risk.bands}
    numbers = {number for risk in results if (number := _number(risk)) is not None}
    found = {band.name for band in without.bands}
    assert found == bands if exact else found >= bands, (input_id, found, bands)
    whole = {risk.value for risk in results if risk.value is not None}
    changes = len(bands) > 1 or len(whole) > 1
    if changes:
        assert without.value is None, input_id
        assert input_id in {m.input for m in without.missing}, input_id
    if not numbers:
        assert _number(without) is None
        return
    span = _number(without)
    assert span is not None
    low, high = min(n[0] for n in numbers), max(n[1] for n in numbers)
    assert span[0] <= low <= high <= span[1], (input_id, span, low, high)
    if exact and without.unit == "":
        assert span == (low, high), (input_id, span, low, high)
    if not changes and exact:
        assert without.category == results[0].category
        assert without.missing == ()


def _bounded(score_id: str, patient: Answers, input_id: str, results: Mapping[Any, Risk]) -> None:
    numbers = [v for v in results if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 3:
        return
    span = Interval(low=numbers[0], high=numbers[len(numbers) // 2])
    bounded = _evaluate(score_id, {**patient, input_id: [span.low, span.high]})
    inside = [risk for v, risk in results.items() if span.contains(v)]
    assert {b.name for b in bounded.bands} >= {b.name for r in inside for b in r.bands}
    totals = {r.value for r in inside if r.value is not None}
    if len(totals) > 1:
        assert bounded.value is None, input_id
        assert bounded.range is not None
        assert bounded.range[0] <= min(totals) <= max(totals) <= bounded.range[1]
