"""``epicrisis llm bench``: how fast a language model's server is, by real calls."""

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agent.llm.address import address
from agent.llm.errors import LLMError
from knowledge.errors import InvalidValueError
from knowledge.settings import load_settings
from serving.cli import fail
from serving.commands.llm_check import target

SOME_FAILED, NOT_AVAILABLE = 6, 5
EXIT = (
    "Exit code: 0 every request was answered; 6 some were not (counted in the table); 5 none was, "
    "or there is no server; 4 a wrong argument; 2 an option that is unknown or not of its type or "
    "range."
)


def bench(
    url: Annotated[
        str | None,
        typer.Argument(help="For example http://127.0.0.1:8000/v1; none for the configured one"),
    ] = None,
    concurrency: Annotated[
        str, typer.Option(help="Requests in flight, one run each, with commas between")
    ] = "1,4,8",
    prompts: Annotated[int, typer.Option(min=1, help="Requests of each run")] = 32,
    tokens_in: Annotated[int, typer.Option(min=1, help="Tokens of a prompt, about")] = 256,
    tokens_out: Annotated[int, typer.Option(min=1, help="Tokens of a reply")] = 32,
    warmup: Annotated[
        int | None,
        typer.Option(min=0, help="Uncounted requests before each run; as many as in flight"),
    ] = None,
    slo_first_ms: Annotated[
        float | None, typer.Option(min=0.001, help="Target: first token (TTFT)")
    ] = None,
    slo_token_ms: Annotated[
        float | None, typer.Option(min=0.001, help="Target: a token after the first (TPOT)")
    ] = None,
    slo_whole_ms: Annotated[
        float | None, typer.Option(min=0.001, help="Target: the whole reply")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the prompts; another one each time")
    ] = None,
    model: Annotated[str | None, typer.Option(help="As the server names it")] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(help="File with the key and nothing else")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option(min=1, max=3600, help="Most seconds of one request")
    ] = 300.0,
    reference: Annotated[
        bool, typer.Option("--reference", help="Also print the same as `vllm bench serve`")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Measure first token, gaps, tokens per second and goodput at several loads.

    Prompts are invented words, so nothing of a patient is sent and no cache shortens them. Failed
    requests are counted, never left out.
    """
    from serving.llm.measure.bench import Load, measured
    from serving.llm.measure.figures import Target
    from serving.llm.measure.reference import reference_command
    from serving.llm.measure.table import show

    where, key = target(url, api_key_file, load_settings())
    load = Load(
        concurrency=_numbers(concurrency),
        prompts=prompts,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        warmup=warmup,
        seed=seed,
    )
    goal = Target(first_ms=slo_first_ms, per_token_ms=slo_token_ms, whole_ms=slo_whole_ms)
    try:
        with Console(stderr=True).status("measuring") as status:
            found = asyncio.run(
                measured(
                    where,
                    load,
                    target=goal,
                    model=model,
                    api_key=key,
                    timeout_s=timeout_s,
                    told=status.update,
                )
            )
    except LLMError as error:
        fail(error, NOT_AVAILABLE)
    if as_json:
        typer.echo(orjson.dumps(found.to_json(), option=_JSON).decode())
    else:
        show(found, Console())
        if reference:
            root = address(where).root or where
            for one in load.concurrency:
                typer.echo(reference_command(root, found.model, load, goal, one))
    if not found.answered:
        raise typer.Exit(NOT_AVAILABLE)
    raise typer.Exit(SOME_FAILED if found.failed else 0)


_JSON = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise InvalidValueError(
            f"--concurrency {text!r}", "is no list of numbers", "for example 1,4,8"
        ) from error
