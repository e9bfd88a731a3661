"""A run that is killed anywhere goes on: same assessment, every tool once, the model not twice."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

NODES = (
    "intake",
    "triage",
    "notes",
    "plan",
    "act",
    "coverage",
    "retrieve",
    "assess",
    "write",
    "verify",
    "revise",
    "sign_off",
)
POINTS = (*(f"node:{name}" for name in NODES), "tool done:heart", "tool:perc")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-m", "tests.agent.graph.killed_run", str(folder), *POINTS],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def calls(run: Any, what: str) -> Counter[str]:
    """Return what was done over both processes, by name."""
    named = (line.partition(":") for line in run["log"])
    return Counter(name for kind, _, name in named if kind == what)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_run_ends_as_the_undisturbed_one(runs: dict[str, Any], point: str) -> None:
    whole, cut = runs[""], runs[point]
    assert (whole["ends"], cut["ends"]) == ([0], [-9, 0])
    before, after = whole["result"], cut["result"]
    assert after["provenance"]["result_sha256"] == before["provenance"]["result_sha256"]
    for field in ("risks", "recommendations", "narrative", "missing"):
        assert after[field] == before[field], field
    # All that may differ is the clock of the model's calls.
    assert {**after["agent"], "use": None} == {**before["agent"], "use": None}


@pytest.mark.parametrize("point", POINTS)
def test_no_tool_runs_twice_and_the_model_is_not_asked_twice(
    runs: dict[str, Any], point: str
) -> None:
    whole, cut = runs[""], runs[point]
    # A call that was under way at the kill is made again; one that was finished never is.
    assert all(n <= calls(whole, "tool done")[tool] for tool, n in calls(cut, "tool done").items())
    if point.startswith("node:"):
        assert calls(cut, "tool") == calls(whole, "tool")
    if point == "tool done:heart":
        assert calls(cut, "tool")["heart"] == 1
    assert calls(cut, "model") == {"plan": 1, "coverage": 1, "write": 1, "revise": 1}


def test_the_lie_was_revised_and_is_not_shown(runs: dict[str, Any]) -> None:
    result = runs[""]["result"]
    assert result["agent"]["writing"]["revised"] == 1
    assert "discharge" not in json.dumps(result["narrative"]).lower()
