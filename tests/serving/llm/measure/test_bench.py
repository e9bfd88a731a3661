"""Measurements of a server that answers, one that fails, and one that is not there."""

import asyncio
import os
from collections.abc import Callable

import pytest
import typer
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from agent.llm.errors import LLMDownError
from knowledge.errors import InvalidValueError
from serving.commands.llm import register
from serving.commands.llm_bench import NOT_AVAILABLE, SOME_FAILED
from serving.llm.measure.bench import Load, Measurement, measured
from serving.llm.measure.figures import Target
from serving.llm.measure.prompts import text_of, texts
from serving.llm.measure.reference import reference_command
from tests.serving.llm.check.served import KEY, served

SMALL = Load(concurrency=(1, 3), prompts=6, tokens_in=40, tokens_out=4)


def run(load: Load, *wrong: str, target: Target | None = None) -> tuple[Measurement, list[str]]:
    async def main() -> tuple[Measurement, list[str]]:
        async with served(*wrong) as server:
            found = await measured(
                server.url,
                load,
                target=target or Target(),
                api_key=SecretStr(KEY),
                timeout_s=5.0,
            )
            asked = [one.body["messages"][0]["content"] for one in server.chats]
            return found, asked

    return asyncio.run(main())


def test_every_prompt_is_sent_once_with_a_beginning_of_its_own() -> None:
    found, asked = run(SMALL)
    counted = 2 + (1 + 6) + (3 + 6)  # two to fit the length, then warm-up and run, twice
    assert len(asked) == counted
    assert len({prompt[:8] for prompt in asked}) == counted
    assert [run.answered for run in found.runs] == [6, 6]
    assert found.warmed_up == {1: 1, 3: 3}


def test_prompts_have_the_wanted_tokens_by_the_servers_own_count() -> None:
    found, _ = run(SMALL)
    assert [run.prompt_tokens for run in found.runs] == [
        (40, 40, 40)
    ] * 2  # a token is a word there


def test_a_second_measurement_shares_no_prompt_with_the_first() -> None:
    first, second = run(SMALL), run(SMALL)
    assert first[0].seed != second[0].seed
    assert not set(first[1]) & set(second[1])


def test_one_seed_gives_the_same_prompts() -> None:
    assert texts(3, 5, run="7.1") == texts(3, 5, run="7.1")
    assert text_of(5, "7.1.0") != text_of(5, "7.1.1")


def test_failed_requests_are_counted_with_their_reason() -> None:
    found, _ = run(SMALL, "breaks off")
    assert found.failed == 12
    assert found.runs[0].errors == {"the stream broke off without an end": 6}
    assert found.runs[0].first.count == 0
    assert found.warmup_errors == 4


def test_goodput_of_a_target_that_nothing_keeps_is_none_of_them() -> None:
    found, _ = run(SMALL, target=Target(first_ms=1e-6))
    assert [run.good for run in found.runs] == [0, 0]


def test_a_prompt_shorter_than_the_template_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="the shortest prompt has"):
        run(SMALL.model_copy(update={"tokens_in": 3}))


def test_a_server_that_does_not_count_cannot_be_given_prompts_of_a_length() -> None:
    with pytest.raises(LLMDownError, match="does not say how many tokens"):
        run(SMALL, "counts nothing")


@pytest.mark.parametrize("load", [Load(concurrency=(0,)), Load(concurrency=(10_000,))])
def test_an_impossible_load_is_refused_before_anything_is_sent(load: Load) -> None:
    with pytest.raises(InvalidValueError, match="--concurrency"):
        asyncio.run(measured("http://127.0.0.1:9", load, target=Target()))


def test_the_reference_names_the_same_load_and_no_key() -> None:
    target = Target(first_ms=2000, per_token_ms=150)
    command = reference_command("http://h:1", "m", SMALL, target, 3)
    assert "--max-concurrency 3" in command
    assert "--random-input-len 40 --random-output-len 4 --num-prompts 6" in command
    assert command.endswith("--goodput ttft:2000 tpot:150")
    assert "key" not in command.lower()


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]) -> Callable[..., Result]:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path))
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    register(app)
    return lambda *arguments: CliRunner().invoke(app, ["llm", "bench", *arguments])


def test_no_server_is_not_available(command: Callable[..., Result]) -> None:
    result = command("http://127.0.0.1:9")
    assert result.exit_code == NOT_AVAILABLE
    assert "cannot be reached" in result.stderr


def test_a_list_that_is_none_is_refused(command: Callable[..., Result]) -> None:
    result = command("http://127.0.0.1:9", "--concurrency", "1,many")
    assert isinstance(result.exception, InvalidValueError)


def test_the_exit_codes_are_in_the_help(command: Callable[..., Result]) -> None:
    words = " ".join(command("--help").stdout.split())
    assert f"{SOME_FAILED} some were not" in words
