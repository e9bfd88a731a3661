"""The imaging evaluations count what is wrong, and hold on a few quick cases."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.llm.choice import Choice
from evals.discovery import task
from evals.results import TaskResult
from evals.runner import Plan, run_task
from evals.tasks.imaging_measurements import task as measurements
from evals.tasks.imaging_measurements.found import Found
from evals.tasks.imaging_refusals import task as refusals
from evals.tasks.imaging_refusals.probes.answer import Answer, Recipe
from knowledge.settings import Settings

QUICK = (
    "film-drawn-lateral",
    "film-drawn-dog",
    "ct-gap",
    "ct-plain",
    "ct-agatston-100-kv",
    "ct-agatston",
    "model-wrong-hash",
    "model-no-performance",
    "model-asked-child",
    "model-good",
)


def ran(name: str, only: Sequence[str]) -> TaskResult:
    found = task(name)
    if found.missing():
        pytest.skip(found.missing())
    choice = Choice(llm=None, reason="none in this test")
    result = asyncio.run(run_task(found, choice, Settings(), Plan(only=tuple(only))))
    assert len(result.trials) == len(only)
    return result


def share(result: TaskResult, metric: str) -> float | None:
    return result.share("rules", metric).share


def test_bad_images_are_refused_with_the_right_reason_and_good_ones_taken() -> None:
    result = ran("imaging_refusals", QUICK)
    assert (share(result, "refused"), share(result, "accepted")) == (1.0, 1.0)
    assert (share(result, "accepted_wrongly"), share(result, "crashed")) == (0.0, 0.0)
    assert result.defects() == ()


def _always(answer: Answer) -> dict[str, object]:
    def probe(recipe: Recipe, folder: Path) -> Answer:
        return answer

    return dict.fromkeys(refusals.PROBES, probe)


def test_a_tool_that_takes_everything_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "PROBES", _always(Answer()))
    result = ran("imaging_refusals", QUICK)
    assert (share(result, "refused"), share(result, "accepted_wrongly")) == (0.0, 1.0)
    assert any("bad inputs taken" in text for text in result.defects())


def test_refusing_everything_is_no_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "PROBES", _always(Answer(refused="no")))
    result = ran("imaging_refusals", QUICK)
    assert share(result, "accepted") == 0.0
    assert share(result, "other_reason") == 1.0
    assert any("good inputs taken" in text for text in result.defects())


def test_a_crash_is_counted_as_one_and_as_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(recipe: Recipe, folder: Path) -> Answer:
        raise ZeroDivisionError

    monkeypatch.setattr(refusals, "PROBES", dict.fromkeys(refusals.PROBES, broken))
    result = ran("imaging_refusals", QUICK)
    assert (share(result, "crashed"), share(result, "refused"), share(result, "accepted")) == (
        1.0, 0.0, 0.0,
    )  # fmt: skip
    assert any("broke the tool" in text for text in result.defects())


def test_every_case_names_a_tool_and_what_is_expected() -> None:
    kinds = {"accept", "reason", "says"}
    cases = [case for case in task("imaging_refusals").cases() if set(case.expected) <= kinds]
    assert len(cases) == len(task("imaging_refusals").cases())
    for case in cases:
        assert case.given["probe"] in refusals.PROBES
        assert ("reason" in case.expected) is not case.expected["accept"], case.id
    taken = [case for case in cases if case.expected["accept"]]
    drawn = sum("drawn" in case.tags for case in taken)
    assert drawn >= 30  # these are there on every machine, real records only beside their data
    if len(taken) > drawn:
        assert len(taken) >= 40


def test_measurements_within_the_stated_error_are_no_defect() -> None:
    result = ran("imaging_measurements", ("lungs", "agatston"))
    assert result.defects() == ()
    found = result.agreement("rules", "agatston")
    assert found is not None
    assert (found.n, found.largest) == (4, 0.0)


def test_a_measurement_beyond_its_card_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def off(given: object) -> Found:
        found = Found()
        found.add("agatston", 3.0)
        found.refuse("too noisy")
        return found

    monkeypatch.setattr(measurements, "MEASURES", {"agatston": off})
    result = ran("imaging_measurements", ("agatston",))
    assert result.defects() == (
        "imaging_measurements: rules: Agatston score, rods: largest error 3 %, stated 0",
    )
    assert share(result, "measured") == 0.5


def test_forms_give_the_published_category_and_keep_it_possible_with_less() -> None:
    result = ran("reading_forms", ("thyroid_tirads-2", "bone_age-1"))
    for metric in ("exact", "possible", "numbers", "trips"):
        assert share(result, metric) == 1.0, metric
    assert result.defects() == ()
