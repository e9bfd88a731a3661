"""``epicrisis eval list|run|report``: how well it works, with intervals and baselines."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args

import orjson
import typer

from knowledge.errors import InvalidValueError
from knowledge.settings import Settings, load_settings

if TYPE_CHECKING:
    from evals.models import WhichLLM
    from evals.results import TaskResult
    from evals.runner import Plan
    from evals.scoring import Trial


T = TypeVar("T", bound=str)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Evaluate the agent and its baselines.", no_args_is_help=True)
    group.command("list")(list_tasks)
    group.command("run")(run)
    group.command("report")(report)
    group.command("approve")(approve)
    app.add_typer(group, name="eval")


def list_tasks() -> None:
    """List the tasks: what each asks, how many cases, whether it can run here."""
    from evals.discovery import task, task_names

    for name in task_names():
        found = task(name)
        missing = found.missing()
        count = f"not here: {missing}" if missing else f"{len(found.cases())} cases"
        typer.echo(f"{name}: {found.title} ({count})")


def run(
    tasks: Annotated[list[str] | None, typer.Argument(metavar="[TASK]...", help="All if none")] = (
        None
    ),
    llm: Annotated[str, typer.Option("--llm", help="none, fake or configured")] = "none",
    repeats: Annotated[int, typer.Option("--repeats", min=1, help="Times each case is tried")] = 1,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Most cases of each task, evenly taken")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="Only cases in en or in zh")
    ] = None,
    system: Annotated[
        list[str] | None, typer.Option("--system", help="Only this system; repeat for more")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the results go")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Only this model of the pool, approved or not; configured"),
    ] = None,
) -> None:
    """Run tasks, write their results as JSON and Markdown, and show the report.

    A manifest beside them names each file by its hash, for `epicrisis eval approve`.

    Exit codes: 0 done; 1 something that must hold does not, for example a canary that got through;
    4 a wrong argument.
    """
    from evals.manifest import keep_report
    from evals.models import WhichLLM
    from evals.report import markdown
    from evals.runner import Plan
    from evals.scoring import System

    which: WhichLLM = _one_of("--llm", llm, get_args(WhichLLM))
    which = "configured" if model is not None else which
    if language is not None:
        _one_of("--language", language, ("en", "zh"))
    chosen = tuple(_one_of("--system", one, get_args(System)) for one in system or ())
    plan = Plan.model_validate(
        {"repeats": repeats, "limit": limit, "language": language, "systems": chosen}
    )
    settings = load_settings()
    folder = out or settings.data_dir / "evals" / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    results = asyncio.run(_run(tasks or [], which, settings, plan, folder, model))
    text = markdown(results)
    keep_report(text, folder)
    typer.echo(text)
    typer.echo(f"wrote {folder}", err=True)
    if any(result.defects() for result in results):
        raise typer.Exit(1)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run")],
    as_json: Annotated[bool, typer.Option("--json", help="Print numbers as JSON")] = False,
) -> None:
    """Show the report of a run again."""
    from evals.report import markdown, summary
    from evals.results import load

    results = load(folder)
    if as_json:
        typer.echo(orjson.dumps(summary(results), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(markdown(results))


def approve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run")],
    model: Annotated[str, typer.Option("--model", help="Which model of the pool it was run with")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON")] = False,
    accept_end: Annotated[
        str | None,
        typer.Option(
            "--accept-end",
            metavar="SHA256",
            help="Last record that is right although the audit names another",
        ),
    ] = None,
) -> None:
    """Let a model of the pool answer with the prompts of this version, if its evaluation passes.

    What must have been run, and how well, is in the file of the pool. A result that was changed
    after its run is refused. The decision is recorded with the numbers and is an event of the
    audit; so is a refusal. A service that runs takes it up at its next start. Results, a manifest
    or a record of switches that cannot be read decide nothing: that is no event.

    Exit codes: 0 recorded; 1 refused, with the numbers that fail; 4 a wrong argument, or what is
    there cannot be used.
    """
    from evals.approving import approved

    record, failing = approved(folder, load_settings(), model=model, by=by, accept_end=accept_end)
    if record is None:
        for line in failing:
            typer.echo(f"refused: {line}", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(orjson.dumps(record.to_json(), option=orjson.OPT_INDENT_2).decode())
        return
    weights = record.setup.revision or record.setup.sha256
    typer.echo(f"{record.setup.model} ({weights}) may answer; record {record.number}")
    typer.echo(f"evaluation SHA-256 {record.report_sha256}, record SHA-256 {record.sha256}")
    for absent in record.not_assessed:
        typer.echo(
            f"not assessed: {len(absent.cases)} cases of {absent.task}, "
            "whose recordings are not here"
        )


async def _run(
    names: Sequence[str],
    which: "WhichLLM",
    settings: Settings,
    plan: "Plan",
    folder: Path,
    model: str | None,
) -> "list[TaskResult]":
    from evals.discovery import task, task_names
    from evals.manifest import keep_result, read_manifest
    from evals.models import evaluated_llm
    from evals.runner import run_task
    from evals.setup import setup_of

    tasks = [task(name) for name in names or task_names()]
    read_manifest(folder)  # one that cannot be added to is told now, not after hours
    results: list[TaskResult] = []
    async with evaluated_llm(which, settings, model=model) as choice:
        if which == "configured" and choice.llm is None:
            raise InvalidValueError(
                "--llm configured",
                f"there is no model: {choice.reason}",
                "see epicrisis llm status",
            )
        for one in tasks:
            result = await run_task(one, choice, settings, plan, on_trial=_tell)
            result = result.model_copy(update={"setup": setup_of(choice, settings)})
            keep_result(result, folder)
            results.append(result)
    return results


def _tell(task: str, trial: "Trial") -> None:
    state = f"failed: {trial.failure[:100]}" if trial.failure else "done"
    typer.echo(f"{task} {trial.case} {trial.system} {trial.seconds:.1f} s {state}", err=True)


def _one_of(option: str, value: str, choices: Sequence[T]) -> T:
    for choice in choices:
        if choice == value:
            return choice
    raise InvalidValueError(f"{option} {value!r}", "is not known", f"one of {', '.join(choices)}")
