"""``epicrisis llm check`` prints the table, ends with its code, and keeps keys to itself."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import typer
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from knowledge.errors import InvalidValueError, UnreadableError
from knowledge.settings import Settings
from serving.commands.llm import register
from serving.commands.llm_check import target
from serving.llm.launch.key import ensure_key
from tests.serving.llm.check.served import KEY, MODEL, Served, served


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    for name in ("LLM", "LLM_URL", "LLM_GGUF", "LLM_MODEL", "LLM_API_KEY"):
        monkeypatch.delenv(f"EPICRISIS_{name}", raising=False)


@contextmanager
def running(*wrong: str) -> Iterator[Served]:
    """Give a server that runs in another thread."""
    ready, over = threading.Event(), threading.Event()
    made: list[Served] = []

    async def main() -> None:
        async with served(*wrong) as server:
            made.append(server)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert ready.wait(10)
    try:
        yield made[0]
    finally:
        over.set()
        thread.join()


@pytest.fixture
def run() -> Callable[..., Result]:
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return lambda *arguments: CliRunner().invoke(app, ["llm", "check", *arguments])


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n")
    return path


def test_the_table_shows_evidence_and_ends_with_what_works(
    run: Callable[..., Result], key_file: Path
) -> None:
    with running() as server:
        result = run(server.url, "--api-key-file", str(key_file))
    assert result.exit_code == 0, result.output
    assert "Usable: plan, notes, writing, chat work with this server." in result.stdout
    assert "a wrong key: status 401; no key: status 401" in result.stdout
    assert KEY not in result.output


def test_the_file_of_the_key_that_launch_makes_is_read(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "llm.env"
    ensure_key(file)
    file.write_text(file.read_text().partition("=")[0] + f"={KEY}\n")
    with running() as server:
        result = run(server.url, "--api-key-file", str(file))
    assert result.exit_code == 0, result.output


def test_json_has_every_row_and_the_same_exit_code(
    run: Callable[..., Result], key_file: Path
) -> None:
    with running("counts too few") as server:
        result = run(server.url, "--api-key-file", str(key_file), "--json")
    assert result.exit_code == 6
    found = orjson.loads(result.stdout)
    assert (found["model"], found["usable"], found["exit_code"]) == (MODEL, "plainer", 6)
    row = next(row for row in found["rows"] if row["id"] == "usage")
    assert row["verdict"] == "no"
    assert row["ms"] > 0


def test_nobody_there_is_not_available(run: Callable[..., Result]) -> None:
    result = run("http://127.0.0.1:9", "--timeout-s", "2")
    assert result.exit_code == 5
    assert "cannot be reached" in result.stdout


def test_the_exit_codes_are_in_the_help(run: Callable[..., Result]) -> None:
    words = " ".join(run("--help").stdout.split())
    assert "6 usable, only plainer" in words
    assert "5 not available" in words


def test_the_configured_key_goes_to_the_configured_address_only(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path, llm_url="http://127.0.0.1:8000/v1", llm_api_key=SecretStr("sk")
    )
    own, key = target(None, None, settings)
    assert (own, key) == ("http://127.0.0.1:8000/v1", SecretStr("sk"))
    assert target("http://127.0.0.1:8000", None, settings)[1] == SecretStr("sk")
    assert target("http://127.0.0.1:8001/v1", None, settings)[1] is None


def test_without_any_address_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="give an address"):
        target(None, None, Settings(data_dir=tmp_path))


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", "schlüssel".encode()])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(UnreadableError):
        target("http://127.0.0.1:8000", path, Settings(data_dir=tmp_path))
