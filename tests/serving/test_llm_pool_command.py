"""``epicrisis llm pool`` says which servers answer, by a completion of each."""

import asyncio
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from agent.llm.fake_server import Scripted, completion, fake_server, refusal
from agent.llm.pool.shadow import Comparison, ShadowFile
from agent.llm.seam import ModelIdentity
from knowledge.errors import InvalidValueError
from serving.commands.llm import register

POOL = """
schema: epicrisis/llm-pool/1
models: {{fake-model: {{revision: r1}}, small: {{revision: r2}}}}
approval: {{required: {required}}}
backends:
  - {{name: moe, url: "{url}", model: fake-model, patient_data: allowed}}
  - {{name: cpu, local: true, model: small, priority: 9, patient_data: not allowed}}
"""


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EPICRISIS_LLM_POOL", str(tmp_path / "pool.yaml"))
    for name in ("LLM", "LLM_URL", "LLM_GGUF", "LLM_MODEL", "LLM_API_KEY"):
        monkeypatch.delenv(f"EPICRISIS_{name}", raising=False)


def run(*arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["llm", "pool", *arguments])


@contextmanager
def pool(folder: Path, *script: Scripted, required: bool = False) -> Iterator[None]:
    """Write the file of a pool whose first server follows a script, in another thread."""
    ready, over = threading.Event(), threading.Event()
    urls: list[str] = []

    async def main() -> None:
        async with fake_server(*script, kind="vllm") as server:
            urls.append(server.url)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(10)
    text = POOL.format(url=urls[0], required=str(required).lower())
    (folder / "pool.yaml").write_text(text)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_server_that_answers_is_told_with_what_was_not_looked_at(tmp_path: Path) -> None:
    with pool(tmp_path, completion("OK")):
        result = run("--json")
    assert result.exit_code == 0, result.output
    found = orjson.loads(result.stdout)
    moe, cpu = found["pool"]["backends"]
    assert (moe["usable"], moe["server"]) == (True, "vllm 0.32.0")
    assert found["problems"] == {}
    assert list(found["not_looked_at"]) == ["cpu"]
    assert cpu["why_not"] == "patient data may not be sent to it"
    content = (tmp_path / "pool.yaml").read_bytes()
    assert found["file_sha256"] == hashlib.sha256(content).hexdigest()


def test_a_server_whose_completions_fail_is_not_available_however_healthy(tmp_path: Path) -> None:
    with pool(tmp_path, refusal(500)):
        result = run()
    assert result.exit_code == 5
    assert "answered with status 500" in result.stdout
    assert "status 500" in result.stderr


def test_a_model_without_a_recorded_evaluation_is_not_available(tmp_path: Path) -> None:
    with pool(tmp_path, completion("OK"), required=True):
        result = run()
    assert result.exit_code == 5
    assert "model fake-model (r1): not approved: no evaluation of it is recorded" in result.stdout


def test_without_a_file_it_says_which_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EPICRISIS_LLM_POOL")
    result = run()
    assert isinstance(result.exception, InvalidValueError)
    assert "EPICRISIS_LLM_POOL" in str(result.exception)


def test_recorded_shadow_requests_are_added_up(tmp_path: Path) -> None:
    row = {
        "at": "2026-11-20T12:00:00Z",
        "request": "k",
        "purpose": "plan",
        "model": ModelIdentity(name="fake-model"),
        "candidate": ModelIdentity(name="next"),
        "seconds": 1.0,
        "candidate_seconds": 3.0,
    }
    for verdict, same in (("same", 4), ("differs", 1), ("failed", None)):
        ShadowFile(tmp_path / "llm-shadow.jsonl").keep(
            Comparison.model_validate(
                {**row, "verdict": verdict, "fields_same": same, "fields": same and 4}
            )
        )
    with pool(tmp_path, completion("OK")):
        result = run()
    assert "shadow next: 1 same, 1 differ, 1 failed, 5 of 8 fields equal" in result.stdout
