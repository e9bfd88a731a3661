"""Failed trials are wrong answers, and repeats of a case are no new cases."""

import re
from pathlib import Path

import pytest

from evals.case import read_cases
from evals.discovery import task, task_names
from evals.scoring import Count, Measured, Metric, Trial, added, failed
from evals.task import Task
from knowledge.errors import InvalidValueError

METRICS = (Metric(id="right", title="right"), Metric(id="harm", title="harm", better="lower"))


def test_a_failed_trial_owes_everything_and_got_it_wrong() -> None:
    counts = failed({"right": 6, "harm": 1}, METRICS)
    assert counts == {"right": Count(hits=0, of=6), "harm": Count(hits=1, of=1)}


def trial(case: str, hits: float, of: float, repeat: int = 0) -> Trial:
    return Trial(
        case=case,
        system="agent",
        repeat=repeat,
        measured=Measured(counts={"right": Count(hits=hits, of=of)}),
    )


def test_repeats_of_one_case_are_one_cluster() -> None:
    found = added([trial("a", 1, 1), trial("a", 0, 1, 1), trial("b", 1, 1)], "right")
    assert (found.hits, found.of, found.cases) == (2, 3, 2)


@pytest.mark.parametrize("name", task_names())
def test_a_task_says_its_source_its_licence_and_what_a_score_means(name: str) -> None:
    found: Task = task(name)
    for what in (r"source|et al\.", r"licen[cs]e|\bMIT\b", r"score means|counts|counted"):
        assert re.search(what, found.about, re.IGNORECASE), f"{name}/README.md: no {what}"
    if found.missing():
        pytest.skip(found.missing())
    cases = found.cases()
    assert cases
    assert len({case.id for case in cases}) == len(cases)


def test_tool_selection_has_cases_of_every_kind() -> None:
    cases = task("tool_selection").cases()
    assert len(cases) >= 30
    tags = {tag for case in cases for tag in case.tags}
    assert {"en", "zh", "missing ids", "several tools", "outside a contract"} <= tags


def test_a_line_that_is_no_case_is_refused_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "a", "source": "me"}\n{"id": "b"}\n', "utf-8")
    with pytest.raises(InvalidValueError, match="line 2"):
        read_cases(file)
