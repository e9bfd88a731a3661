"""Score files: what a row must have, and which mistakes are refused when a file is loaded."""

import copy
from collections.abc import Callable
from typing import Any

# ruff: noqa: E501 - one row of a table on one line
import pytest
from pydantic import ValidationError

from knowledge.errors import InvalidValueError
from knowledge.reference import Review, raw
from knowledge.scores import Score, score, score_ids


def _heart() -> dict[str, Any]:
    return copy.deepcopy(raw("scores/heart"))


@pytest.mark.parametrize("score_id", score_ids())
def test_every_row_has_a_listed_source_and_a_review_state(score_id: str) -> None:
    found = score(score_id)
    assert found.id == score_id
    for row in found.rows():
        assert row.source in found.sources
        assert "not reviewed by a clinician" in Review(tag=row.review).words


@pytest.mark.parametrize("score_id", score_ids())
def test_every_total_falls_into_exactly_one_band(score_id: str) -> None:
    found = score(score_id)
    if found.decision:
        assert {row.category for row in found.decision} == {band.name for band in found.bands}
        return
    totals = {0.0}
    for item in found.items:
        totals = {total + points for total in totals for points in set(item.steps())}
    for total in totals:
        assert sum(band.holds(total) for band in found.bands) == 1, total


@pytest.mark.parametrize(
    ("score_id", "lowest", "highest"),
    [
        ("heart", 0, 10),
        ("add_rs", 0, 3),
        ("wells_pe", 0, 12.5),
        ("perc", 0, 8),
        ("grace_in_hospital", 1, 372),
    ],
)
def test_points_span_the_published_range(score_id: str, lowest: float, highest: float) -> None:
    items = score(score_id).items
    assert sum(min(item.steps()) for item in items) == lowest
    assert sum(max(item.steps()) for item in items) == highest


def _set(path: tuple[str | int, ...], value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        node: Any = data
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set(("items", 0, "source"), "nobody"), "not among the file's sources"),
        (_set(("items", 0, "review"), "sure"), "not a review tag"),
        (_set(("items", 0, "rules", 0, "when"), {"input": "mood", "is": "present"}), "catalogue"),
        (_set(("items", 0, "rules", 0, "when"), {"input": "age_years", "known": True}), "known"),
        (_set(("bands", 1, "name"), "low"), "given twice"),
        (_set(("items", 1, "id"), "history"), "given twice"),
        (_set(("low_categories",), ["mild"]), "not there"),
        (_set(("bands", 0), {"name": "low", "meaning": "x", "source": "six-2008", "review": "R90"}), "limits"),
        (_set(("population", "outside_if", 0, "when"), {"all": [{"input": "age_years", "lt": 18}, {"input": "sex", "is": "male"}]}), "one input"),
        (_set(("decision",), [{"when": {"score": "heart", "le": 3}, "category": "low", "statement": "x", "source": "six-2008", "review": "R90"}]), "no condition"),
        (_set(("decision",), [{"category": "mild", "statement": "x", "source": "six-2008", "review": "R90"}]), "not there"),
    ],
)  # fmt: skip
def test_mistake_in_a_score_file_is_refused(
    change: Callable[[dict[str, Any]], None], says: str
) -> None:
    data = _heart()
    change(data)
    with pytest.raises(ValidationError, match=says):
        Score.model_validate(data)


_LINE = {"input": "creatinine", "knots": [[0, 0], [4, 28]]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set(("items", 0, "line"), _LINE), "rules or a line"),
        (_set(("items", 0, "line", "knots"), [[1, 0], [1, 5]]), "ascend"),
        (_set(("items", 0, "line", "input"), "diabetes"), "both limits"),
        (_set(("items", 0, "line", "input"), "troponin_times_limit"), "no other item"),
        (_set(("population", "requires"), [{"when": {"input": "creatinine", "lt": 9}, "reason": "x", "source": "six-2008", "review": "R90"}]), "nothing else may test it"),
    ],
)  # fmt: skip
def test_mistake_in_a_line_is_refused(change: Callable[[dict[str, Any]], None], says: str) -> None:
    data = _heart()
    if says != "rules or a line":
        data["items"][0].pop("rules")
        data["items"][0]["line"] = copy.deepcopy(_LINE)
    change(data)
    with pytest.raises(ValidationError, match=says):
        Score.model_validate(data)


def test_unchanged_file_is_valid() -> None:
    assert Score.model_validate(_heart()).id == "heart"


def test_unknown_score_names_the_known_ones() -> None:
    with pytest.raises(InvalidValueError, match="wells_pe"):
        score("wells")
