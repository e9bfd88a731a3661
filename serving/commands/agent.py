"""``epicrisis agent PATH...``: the assessment with the language model around it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from knowledge.errors import InvalidValueError
from knowledge.settings import load_settings
from serving.cli import fail
from serving.commands.assess import exit_code, moment, present, utc_now

NOT_AVAILABLE = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("agent")(agent)


def agent(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Folders or files of one patient"),
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run cut off")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="en or zh")] = "en",
    no_llm: Annotated[
        bool, typer.Option("--no-llm", help="Run the graph without a language model")
    ] = False,
    planner: Annotated[
        str,
        typer.Option(
            "--planner", help="Who asks for tools: llm (the language model) or router-moe"
        ),
    ] = "llm",
    time_limit: Annotated[
        float, typer.Option("--time-limit", metavar="SECONDS", help="Of all calls to the model")
    ] = 300.0,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Moment of assessment with its zone")
    ] = None,
    same_patient: Annotated[
        list[str] | None, typer.Option("--same-patient", metavar="FILE", help="As in assess")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the report goes")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Do not show the steps")] = False,
) -> None:
    """Assess with the agent: plan, tools, guideline passages, verified words.

    The risks, verdicts and recommendations are the pathway's, whatever the model says: those of
    `epicrisis assess`, with what was entered by `epicrisis answer`. Without a model, or when it
    fails, the result says so and is otherwise the same. `--planner router-moe` lets a small model
    of our own ask for the tools; it was never validated, and the pathway's floor runs whatever it
    asks for.
    Exit codes as for `epicrisis assess`; 5 where the router was asked for and is not here.
    """
    from agent.router_planner.weights import NoRouterError
    from serving.agent_runs import Ask, run_agent

    if language not in ("en", "zh"):
        raise InvalidValueError("--language", "is neither en nor zh", "choose one of them")
    if planner not in ("llm", "router-moe"):
        raise InvalidValueError("--planner", "is neither llm nor router-moe", "choose one of them")
    if not paths and resume is None:
        raise InvalidValueError("PATH", "neither a case nor --resume was given", "name one")
    console = Console(stderr=True)
    ask = Ask(
        paths=tuple(paths or ()),
        at=moment(at),
        now=utc_now(),
        same_patient=tuple(same_patient or ()),
        language="zh" if language == "zh" else "en",
        use_llm=not no_llm,
        by_router=planner == "router-moe",
        llm_seconds=time_limit,
        resume=resume,
    )
    try:
        done = asyncio.run(run_agent(ask, load_settings(), None if quiet else console))
    except NoRouterError as error:
        fail(error, NOT_AVAILABLE)
    present(done.outcome, as_json=as_json, out=out)
    if not as_json:
        typer.echo(f"run {done.run}")
    code = exit_code(done.outcome)
    if code:
        raise typer.Exit(code)
