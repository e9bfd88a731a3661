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

from agent.assess import PATHWAY, assess_case
from agent.episode import Episode, episode
from agent.narrative import score_sentence
from agent.on_request import known
from agent.on_request import run as run_scores
from agent.runner import Log
from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime
from knowledge.errors import ContractError, InvalidValueError, UnavailableError
from knowledge.finding import Finding
from knowledge.pathways import pathway
from knowledge.patient import Patient
from knowledge.plain_text import visible
from knowledge.risk import Risk
from knowledge.scores import score_ids
from knowledge.scores_left_out import scores_left_out
from knowledge.settings import load_settings
from knowledge.timeline import Timeline
from serving.commands.assess import moment, utc_now
from serving.commands.index_run import index_of_answers, index_of_case
from tools.chart.answers import resolve
from tools.ecg.model import EcgRecording
from tools.intake.case_file import stated_finding
from tools.intake.folder import read_case
from tools.intake.result import CaseFiles
from tools.labs.indices.as_tools import GROUP as INDEX
from tools.toolbox import Tool, discover


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tool = typer.Typer(help="Tools and their contracts.", no_args_is_help=True)
    tool.command("list")(list_tools)
    tool.command("show")(show)
    tool.command("run")(run)
    tool.command("scores")(scores)
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
    console.print(Text("\nPublished, and not offered", style="bold"))
    for row in scores_left_out().scores.values():
        console.print(Padding(Text(f"{row.name}: {row.because}"), (0, 0, 0, 2)))
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
    result: BaseModel
    if found.card.group == INDEX:
        said = asked or (read.at if read is not None else None) or now
        result = _index(found.name, read, values or (), at=said)
    elif read is not None and found.name in score_ids():
        held = known(assess_case(read, at=asked or read.at or now, settings=settings))
        result = _result(found, {**held, **dict(_stated(text) for text in values or ())})
    else:
        result = _result(found, _arguments(found, read, values or (), asked, now))
    body = result.model_dump(mode="json", exclude_none=True)
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())


def scores(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files of one patient")],
    names: Annotated[
        list[str] | None, typer.Option("--name", metavar="SCORE", help="These alone, by id")
    ] = None,
    most_missing: Annotated[
        int, typer.Option("--most-missing", help="Leave out scores that miss more inputs")
    ] = 3,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Run every score on one case and list those that are computed, or nearly, by topic."""
    settings, asked, now = load_settings(), moment(at), utc_now()
    read = read_case(paths, at=asked, now=now, settings=settings)
    held = known(assess_case(read, at=asked or read.at or now, settings=settings))
    for name in names or ():
        _tool(name)
    ran = run_scores(names or score_ids(), held)
    shown = [r for r in ran if names or (r.not_assessed is None and len(r.missing) <= most_missing)]
    if as_json:
        rows = [risk.to_json() for risk in shown]
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    _print_scores(shown, ran)


def _print_scores(shown: Sequence[Risk], ran: Sequence[Risk]) -> None:
    console = Console()
    topics = {risk.tool: discover()[risk.tool].card.topic for risk in shown}
    for topic in sorted(set(topics.values())):
        console.print(Text(f"\n{topic}", style="bold"))
        of_topic = [risk for risk in shown if topics[risk.tool] == topic]
        for risk in sorted(of_topic, key=lambda r: (len(r.missing), r.tool)):
            console.print(Text(f"  {risk.tool}", style="cyan"), highlight=False)
            lines = [score_sentence(risk)]
            if risk.missing:
                lines.append(f"missing: {', '.join(item.label for item in risk.missing)}")
            lines += risk.caveats
            for line in lines:
                console.print(Padding(Text(visible(line)), (0, 0, 0, 6)))
    listed = {risk.tool for risk in shown}
    refused = sum(risk.not_assessed is not None and risk.tool not in listed for risk in ran)
    left = len(ran) - len(shown) - refused
    console.print(
        Text(
            f"\n{len(shown)} of {len(ran)} scores; {refused} do not apply or need something first, "
            f"{left} miss more inputs. One of them: epicrisis tool scores PATH --name ID."
        )
    )


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


def _index(
    name: str, read: CaseFiles | None, values: Sequence[str], *, at: ClinicalTime
) -> BaseModel:
    if read is None:
        return index_of_answers(name, values)
    if values:
        raise InvalidValueError("--set", "an index is read from a case or given, not both")
    return index_of_case(name, read.timeline, at=at)


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
