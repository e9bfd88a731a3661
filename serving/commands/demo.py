"""``epicrisis demo [NAME]``: the bundled synthetic examples."""

import asyncio
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.assess import assess_paths
from knowledge.errors import InvalidValueError
from knowledge.settings import load_settings
from serving.commands.assess import present, utc_now
from serving.report import terminal
from serving.report.files import write_report

DEFAULT = "nstemi"

TIME_LIMIT = 240.0
"""Seconds: twice what the calls of one case take on two free cores."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def names() -> tuple[str, ...]:
    """Return the names of the bundled examples, sorted."""
    root = files("serving").joinpath("examples")
    return tuple(sorted(e.name for e in root.iterdir() if e.joinpath("case.yaml").is_file()))


def demo(
    name: Annotated[
        str | None, typer.Argument(help="stemi, nstemi, early_presenter, half_missing, laboratory")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the report and pictures go")
    ] = Path("out"),
    agent: Annotated[
        bool, typer.Option("--agent", help="Then run the agent with the language model, if any")
    ] = False,
    agent_only: Annotated[
        bool, typer.Option("--agent-only", help="Only the agent: the other answer was shown")
    ] = False,
    time_limit: Annotated[
        float, typer.Option("--time-limit", metavar="SECONDS", help="Of the model's calls")
    ] = TIME_LIMIT,
) -> None:
    """Assess a bundled synthetic patient and say where the report and the pictures are.

    With --agent the deterministic answer is shown first; the agent's follows within the time limit,
    or the reason why there is no model.
    """
    chosen = name or DEFAULT
    if chosen not in names():
        raise InvalidValueError(
            f"example {chosen!r}", "there is none of that name", f"one of {', '.join(names())}"
        )
    with as_file(files("serving").joinpath("examples", chosen)) as folder:
        outcome = assess_paths([folder], at=None, now=utc_now(), settings=load_settings())
        target = out / chosen
        if not agent_only and not (agent and as_json):
            present(outcome, as_json=as_json, out=target)
        if agent or agent_only:
            _agent(folder, target, as_json=as_json, time_limit=time_limit)
    if not as_json:
        console = Console()
        console.print(f"\nReport: {target / 'report.html'}", markup=False, soft_wrap=True)
        others = [other for other in names() if other != chosen]
        console.print(f"Other examples: epicrisis demo {' | '.join(others)}", markup=False)


def _agent(folder: Path, target: Path, *, as_json: bool, time_limit: float) -> None:
    """Run the agent on the example, show its steps and its words, and write its report."""
    from serving.agent_runs import Ask, run_agent

    console = Console(stderr=as_json)
    console.print(
        f"\nThe agent: plan, tools, guideline passages, verified words. "
        f"The model's calls may take {time_limit:g} s together.",
        markup=False,
        soft_wrap=True,
    )
    ask = Ask(paths=(folder,), at=None, now=utc_now(), llm_seconds=time_limit)
    # One limit here, that of the whole demonstration: a busy laptop may spend it on one call.
    settings = load_settings().model_copy(update={"llm_timeout_s": time_limit})
    done = asyncio.run(run_agent(ask, settings, console))
    if as_json:
        present(done.outcome, as_json=True, out=target)
        return
    write_report(done.outcome, target)
    terminal.show_agent(done.outcome.assessment, console)
