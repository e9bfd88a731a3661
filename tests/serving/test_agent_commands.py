"""The agent's commands as a person and a script use them; no model is needed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.agent.cases import EXAMPLES


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


def epicrisis(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "serving", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "EPICRISIS_DATA_DIR": str(home), "EPICRISIS_LLM": "none"},
    )


def printed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_agent_without_a_model_gives_the_result_of_assess(home: Path) -> None:
    folder = str(EXAMPLES / "nstemi")
    alone = printed(epicrisis(home, "assess", folder, "--json"))
    agent = printed(epicrisis(home, "agent", folder, "--json"))
    assert agent["provenance"]["result_sha256"] == alone["provenance"]["result_sha256"]
    assert agent["agent"]["mode"] == "without language model"
    assert "EPICRISIS_LLM=none" in agent["agent"]["reason"]


def test_the_agents_report_says_what_it_did(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = epicrisis(home, "agent", str(EXAMPLES / "stemi"), "--out", str(out))
    assert done.returncode == 0, done.stderr
    for text in (done.stdout, (out / "report.md").read_text(), (out / "report.html").read_text()):
        assert "How the agent worked" in text
        assert "not signed" in text
    assert "triage:" in done.stderr


def test_an_unknown_run_is_not_resumed(home: Path) -> None:
    done = epicrisis(home, "agent", "--resume", "run-0")
    assert done.returncode == 4
    assert "not known here" in done.stderr


def test_neither_a_case_nor_a_run_is_an_error(home: Path) -> None:
    assert epicrisis(home, "agent").returncode == 4


def test_an_answer_is_used_at_once_and_by_the_next_run(home: Path) -> None:
    folder = str(EXAMPLES / "half_missing")
    before = printed(epicrisis(home, "agent", folder, "--json"))
    wanted = {item["input"] for item in before["missing"]}
    assert "diaphoresis" in wanted
    done = epicrisis(home, "answer", folder, "--set", "diaphoresis=yes", "--by", "Dr A", "--json")
    assert "diaphoresis" not in {item["input"] for item in printed(done)["missing"]}
    after = printed(epicrisis(home, "agent", folder, "--json"))
    assert "diaphoresis" not in {item["input"] for item in after["missing"]}
    assert any("entered by Dr A" in line for line in after["agent"]["answers"])


@pytest.mark.parametrize("wrong", ["diaphoresis", "diaphoresis=perhaps", "nothing=yes"])
def test_an_answer_that_is_none_is_refused_with_the_way_out(home: Path, wrong: str) -> None:
    done = epicrisis(home, "answer", str(EXAMPLES / "half_missing"), "--set", wrong, "--by", "Dr A")
    assert done.returncode == 4
    assert not (home / "answers.sqlite3").exists() or "Traceback" not in done.stderr


def test_chat_answers_from_the_record_and_says_what_is_not_in_it(home: Path) -> None:
    done = epicrisis(
        home,
        "chat",
        str(EXAMPLES / "nstemi"),
        "--json",
        "--ask",
        "What is the GRACE score?",
        "--ask",
        "What is the bilirubin?",
        "--ask",
        "血钾是多少",
    )
    assert done.returncode == 0, done.stderr
    known, unknown, chinese = (json.loads(line) for line in done.stdout.splitlines())
    assert "157" in " ".join(sentence["text"] for sentence in known["sentences"])
    assert unknown["outside_record"] is True
    assert "钾 4.4 mmol/L" in chinese["sentences"][0]["text"]


def test_two_patients_are_refused_by_agent_and_chat(home: Path, tmp_path: Path) -> None:
    for name in ("stemi", "nstemi"):
        shutil.copy(EXAMPLES / name / "chart.json", tmp_path / f"{name}.json")
    assert epicrisis(home, "agent", str(tmp_path)).returncode == 3
    assert epicrisis(home, "chat", str(tmp_path), "--ask", "GRACE?").returncode == 3


def test_the_demo_says_plainly_that_there_is_no_model(home: Path, tmp_path: Path) -> None:
    done = epicrisis(home, "demo", "nstemi", "--agent", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert text.index("What to do") < text.index("The agent:")
    assert "may take 240 s together" in text
    assert "without language model" in text
