"""``epicrisis tool list|show|run``: the tools, their contracts, and one tool on one case."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from agent.assess import PATHWAY
from agent.episode import Episode, episode
from agent.runner import Log
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from knowledge.finding import Finding
from knowledge.pathways import pathway
from knowledge.patient import Patient
from knowledge.settings import load_settings
from knowledge.timeline import Timeline
from serving.commands.assess import moment, utc_now
from tools.chart.answers import resolve
from tools.ecg.model import EcgRecording
from tools.intake.case_file import stated_finding
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles
from tools.toolbox import Tool, discover


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tool = typer.Typer(help="Tools and their contracts.", no_args_is_help=True)
    tool.command("list")(list_tools)
    tool.command("show")(show)
    tool.command("run")(run)
    app.add_typer(tool, name="tool")


def list_tools(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """List every tool by group and topic."""
    tools = sorted(discover().values(), key=lambda t: (t.card.group, t.card.topic, t.name))
    if as_json:
        rows = [{"name": t.name, "version": t.version, **t.card.to_json()} for t in tools]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    console = Console()
    place = ""
    for found in tools:
        card = found.card
        here = ": ".join(part for part in (card.group, card.topic) if part)
        if here != place:
            console.print(Text(f"\n{here}", style="bold"))
            place = here
        when = " (on request)" if card.on_request else ""
        console.print(Text(f"  {found.name}{when}"), style="cyan", highlight=False)
        console.print(Padding(Text(found.summary), (0, 0, 0, 6)))
    console.print(Text("\nEach tool's contract and sources: epicrisis tool show NAME."))


def show(name: str) -> None:
    """Show one tool's card: what it needs, refuses, its limits, sources and measured accuracy."""
    found = _tool(name)
    console = Console()
    console.print(Text(f"{found.card.title} ({found.name} {found.version})", style="bold"))
    console.print(Text(found.summary))
    for field in ("needs", "refuses", "limits", "accuracy", "sources"):
        rows = getattr(found.card, field)
        if rows:
            console.print(Text(f"\n{field.capitalize()}:", style="bold"))
            for row in rows:
                console.print(Text(f"  - {row}"))
    console.print(Text(f"\nRegulatory tag: {found.card.regulatory}; research use only."))


def run(
    name: str,
    case: Annotated[
        list[Path] | None,
        typer.Option("--case", metavar="PATH", help="A case whose answers the tool is given"),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="INPUT=ANSWER", help="One answer, for example age_years='60 a'"
        ),
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME")] = None,
) -> None:
    """Run one tool and print its result as JSON; inputs that are not given are not assessed."""
    found = _tool(name)
    settings = load_settings()
    if found.card.regulatory == "device-function" and not settings.device_functions:
        raise UnavailableError(
            found.name, "switched off", "set EPICRISIS_DEVICE_FUNCTIONS=true to switch it on"
        )
    asked, now = moment(at), utc_now()
    read = read_case(case, at=asked, now=now, settings=settings) if case else None
    result = _result(found, _arguments(found, read, values or (), asked, now))
    body = result.model_dump(mode="json", exclude_none=True)
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())


def _tool(name: str) -> Tool[..., Any]:
    found = discover().get(name)
    if found is None:
        raise InvalidValueError(
            f"tool {name!r}", "there is none of that name", "see `epicrisis tool list`"
        )
    return found


def _arguments(
    found: Tool[..., Any],
    read: CaseFiles | None,
    values: Sequence[str],
    asked: ClinicalTime | None,
    now: ClinicalTime,
) -> dict[str, Any]:
    """Return everything at hand by parameter name."""
    at = asked or (read.at if read is not None and read.at is not None else now)
    timeline = read.timeline if read is not None else Timeline.of(Patient(), ())
    known = resolve(timeline, at=at, entries=catalogue().every)
    findings: dict[str, Finding] = dict(known.findings)
    findings.update(_stated(text) for text in values)
    arguments: dict[str, Any] = {**findings, "assay": findings["troponin_assay"], "at": at}
    wanted = set(inspect.signature(found.function).parameters) & {"samples", "recording"}
    if wanted and read is None:
        raise ContractError(found.name, "needs recordings or samples", "give a case by --case PATH")
    if wanted and read is not None:
        seen = episode(timeline, read.recordings.values(), at=at, pathway=pathway(PATHWAY))
        arguments["samples"] = seen.samples
        if "recording" in wanted:
            arguments["recording"] = _latest(found, seen)
    return arguments


def _result(found: Tool[..., Any], arguments: dict[str, Any]) -> BaseModel:
    called = Log().call(found, arguments)
    if called.problem is not None:
        raise ContractError(found.name, called.problem.detail)
    result: BaseModel = called.result
    return result


def _latest(found: Tool[..., Any], seen: Episode) -> EcgRecording:
    if not seen.recordings:
        raise ContractError(found.name, "the case has no recording of this presentation")
    return seen.recordings[-1]


def _stated(text: str) -> tuple[str, Finding]:
    key, equals, answer = text.partition("=")
    if not equals:
        raise InvalidValueError(
            f"--set {text!r}", "is not INPUT=ANSWER", "for example known_cad=no"
        )
    return key, stated_finding(key, answer, file="command line", record=f"--set {key}")
