"""``epicrisis tool list|show|run``: the tools, their contracts, and one tool on one case."""

import inspect
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.episode import episode
from agent.runner import call
from agent.state import State
from agent.troponin_step import run_troponin
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from knowledge.finding import Finding
from knowledge.pathways import pathway
from knowledge.settings import Settings
from serving.commands.assess import moment, utc_now
from tools.chart.answers import resolve
from tools.ecg.model import EcgRecording
from tools.intake.case_file import stated_finding
from tools.intake.folder import read_case
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
    """List every tool by group."""
    tools = sorted(discover().values(), key=lambda t: (t.card.group, t.name))
    if as_json:
        rows = [{"name": t.name, "version": t.version, **t.card.to_json()} for t in tools]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table("group", "tool", "version", "what it returns", "tag")
    for found in tools:
        card = found.card
        table.add_row(card.group, found.name, found.version, found.summary, card.regulatory)
    Console().print(table)


def show(name: str) -> None:
    """Show one tool's card: what it needs, refuses, its limits, sources and measured accuracy."""
    found = _tool(name)
    console = Console()
    console.print(Text(f"{found.card.title} ({found.name} {found.version})", style="bold"))
    console.print(Text(inspect.getdoc(found.function) or ""))
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
        typer.Option("--set", metavar="INPUT=ANSWER", help="An answer given here, for example age_years='60 a'"),
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME")] = None,
) -> None:
    """Run one tool and print its result as JSON; inputs not given are "not assessed"."""
    found = _tool(name)
    settings = Settings()
    if found.card.regulatory == "device-function" and not settings.device_functions:
        raise UnavailableError(found.name, "device functions are switched off", "set EPICRISIS_DEVICE_FUNCTIONS=true")
    now = utc_now()
    when = moment(at)
    read = read_case(case or [], at=when, now=now, settings=settings) if case else None
    moment_ = when or (read.at if read and read.at else now)
    findings: dict[str, Finding] = {}
    if read is not None:
        findings.update(resolve(read.timeline, at=moment_).findings)
    findings.update(dict(_stated(text) for text in values or ()))
    result = _result(found, findings, read, moment_)
    text = orjson.dumps(result.model_dump(mode="json", exclude_none=True), option=orjson.OPT_INDENT_2)
    typer.echo(text.decode())


def _result(
    found: Tool[..., Any], findings: dict[str, Finding], read: Any, at: ClinicalTime
) -> BaseModel:
    arguments: dict[str, Any] = {**findings, "at": at}
    parameters = inspect.signature(found.function).parameters
    if "samples" in parameters or "recording" in parameters:
        if read is None:
            raise ContractError(found.name, "needs a case with its recordings or samples", "give --case PATH")
        seen = episode(read.timeline, read.recordings.values(), at=at, pathway=pathway("chest_pain"))
        arguments["samples"] = seen.samples
        if "recording" in parameters:
            arguments["recording"] = _recording(found, seen.recordings)
    for missing in set(parameters) - set(arguments):
        if missing in catalogue().inputs:
            arguments[missing] = resolve_missing(missing)
    called = call(found, arguments)
    if called.problem is not None:
        raise ContractError(found.name, called.problem.detail)
    result: BaseModel = called.result
    return result
