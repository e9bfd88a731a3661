"""The commands ``epicrisis eval``."""

import hashlib
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from evals.commands import register
from evals.discovery import task_names
from evals.manifest import Manifest, read_manifest
from knowledge.errors import InvalidValueError


def app() -> typer.Typer:
    made = typer.Typer()
    made.command("other")(lambda: None)
    register(made)
    return made


def test_list_names_every_task() -> None:
    shown = CliRunner().invoke(app(), ["eval", "list"])
    assert shown.exit_code == 0
    for name in task_names():
        assert f"{name}: " in shown.output


def test_run_writes_what_report_reads_again(tmp_path: Path) -> None:
    words = ["eval", "run", "consistency", "--llm", "fake", "--limit", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(app(), words)
    assert done.exit_code == 0, done.output
    assert "honest fake" in (tmp_path / "report.md").read_text("utf-8")
    again = CliRunner().invoke(app(), ["eval", "report", str(tmp_path), "--json"])
    found = json.loads(again.output)["consistency"]
    assert found["cases"] == 1
    assert found["systems"]["agent"]["metrics"]["same"]["share"] == 1.0
    assert found["systems"]["agent"]["llm_calls_mean"] > 0
    noted = {one.name: one for one in (read_manifest(tmp_path) or Manifest()).files}
    assert sorted(noted) == ["consistency.json", "report.md"]
    setup = noted["consistency.json"].setup
    assert setup is not None
    assert setup.model == "honest fake"
    for name, row in noted.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == row.sha256


@pytest.mark.parametrize(
    "words",
    [
        ["eval", "run", "no_such_task"],
        ["eval", "run", "consistency", "--llm", "magic"],
        ["eval", "run", "consistency", "--language", "fr"],
        ["eval", "report", "/nonexistent"],
    ],
    ids=["task", "llm", "language", "folder"],
)
def test_a_wrong_argument_is_named(words: list[str]) -> None:
    result = CliRunner().invoke(app(), words)
    assert isinstance(result.exception, InvalidValueError)


def test_a_configured_model_that_is_not_there_is_an_error_and_not_a_run_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPICRISIS_LLM", "none")
    words = ["eval", "run", "consistency", "--llm", "configured", "--out", str(tmp_path)]
    result = CliRunner().invoke(app(), words)
    assert isinstance(result.exception, InvalidValueError)
    assert not list(tmp_path.iterdir())
