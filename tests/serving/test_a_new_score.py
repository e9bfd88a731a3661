"""A new score is one data file and its golden cases: no Python is changed, and nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

HERE = Path(__file__).parents[2]
PACKAGES = ("knowledge", "tools", "agent", "serving", "evals")
TESTS = ("tests/golden/scores", "tests/tools/risk")
SCORE = """\
title: A score dropped in by a test
version: "1"
licence: Apache-2.0
sources:
  invented:
    title: A score invented for a test
    year: 2026

id: dropped_in
name: Dropped-in
purpose: Shows that a score is one data file.
topic: general
on_request: true
terms: ["Dropped-in score", 新放入的评分]
population:
  text: Adults.
  outside_if:
    - when: {input: age_years, lt: 18}
      reason: the dropped-in score holds for adults
      source: invented
      review: R90

items:
  - id: hypertension
    label: Hypertension
    rules:
      - {when: {input: hypertension, is: present}, points: 2}
    source: invented
    review: R90
  - id: heart_rate
    label: Heart rate above 100
    rules:
      - {when: {input: heart_rate, gt: 100}, points: 1}
    source: invented
    review: R90

bands:
  - {name: low, le: 1, meaning: fewer than 2 points, source: invented, review: R90}
  - {name: high, ge: 2, meaning: 2 points and more, source: invented, review: R90}
"""
GOLDEN = """\
score: dropped_in
source: invented for a test
clear: {age_years: 60, hypertension: false, heart_rate: 80}
cases:
  - {name: nothing, set: {}, points: 0, band: low, by: "0"}
  - {name: both, set: {hypertension: true, heart_rate: 101}, points: 3, band: high, by: "2+1"}
  - name: unknown
    set: {hypertension: null}
    range: [0, 2]
    bands: [low, high]
    missing: [hypertension]
    by: "0 or 2"
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the program with two files more."""
    folder = tmp_path_factory.mktemp("with_a_new_score")
    leave = shutil.ignore_patterns("__pycache__")
    for name in (*PACKAGES, *TESTS):
        shutil.copytree(HERE / name, folder / name, ignore=leave)
    shutil.copy(HERE / "pyproject.toml", folder)
    (folder / "knowledge/data/scores/dropped_in.yaml").write_text(SCORE, "utf-8")
    (folder / "tests/golden/scores/dropped_in.yaml").write_text(GOLDEN, "utf-8")
    return folder


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    keep = {key: value for key, value in os.environ.items() if not key.startswith("EPICRISIS_")}
    environment = {**keep, "PYTHONPATH": str(folder), "EPICRISIS_DATA_DIR": str(folder / "data")}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


def _epicrisis(folder: Path, *arguments: str) -> str:
    return _run(folder, "-c", "from serving.cli import main; main()", *arguments).stdout


def test_it_is_listed_among_its_topic(copy: Path) -> None:
    rows = orjson.loads(_epicrisis(copy, "tool", "list", "--json"))
    found = next(row for row in rows if row["name"] == "dropped_in")
    assert (found["group"], found["topic"], found["on_request"]) == ("risk", "general", True)


def test_it_runs_by_name_on_a_case(copy: Path) -> None:
    """The example has hypertension (2) and a heart rate under 100."""
    case = str(copy / "serving/examples/nstemi")
    said = orjson.loads(_epicrisis(copy, "tool", "run", "dropped_in", "--case", case))
    assert (said["value"], said["category"]) == (2.0, "high")


def test_the_chat_runs_it_by_its_names_in_either_language(copy: Path) -> None:
    case = str(copy / "serving/examples/nstemi")
    asked = ("--ask", "What is the dropped-in score?", "--ask", "新放入的评分是多少？")  # noqa: RUF001
    lines = _epicrisis(copy, "chat", case, "--no-llm", "--json", *asked).splitlines()
    for said in map(orjson.loads, lines):
        assert said["sentences"][0]["text"].startswith("Dropped-in 2")
        assert [score["tool"] for score in said["scores"]] == ["dropped_in"]
    assert len(lines) == len(asked) / 2


def test_its_golden_cases_are_tested(copy: Path) -> None:
    tests = "tests/tools/risk/test_golden_scores.py"
    done = _run(
        copy,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        tests,
        "-k",
        "dropped_in or every_score",
    )
    assert "passed" in done.stdout
    assert "6 passed" in done.stdout, done.stdout[-500:]
