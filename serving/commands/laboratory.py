"""``epicrisis laboratory PATH...``: the laboratory's report on one patient's results."""

from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer
from rich.console import Console

from agent.assess import assess_paths
from agent.assessment import RESEARCH_USE
from agent.laboratory.beside import not_read
from agent.laboratory.model import NotRead
from agent.laboratory.view import LaboratoryView, laboratory_view
from knowledge.laboratory_words import saying
from knowledge.passages import Language
from knowledge.plain_text import visible
from knowledge.settings import load_settings
from serving.cases.patient import patient_line, report_words
from serving.cli import UNUSABLE_INPUT
from serving.commands.assess import exit_code, moment, utc_now
from serving.report.laboratory_terminal import show_laboratory
from serving.report.render import laboratory_html, laboratory_markdown


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("laboratory")(laboratory)


def laboratory(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Folders or files of one patient")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the laboratory's part as JSON")
    ] = False,
    lang: Annotated[Language, typer.Option("--lang", help="Language")] = "en",
    form: Annotated[
        Literal["terminal", "md", "html"], typer.Option("--format", help="Form of the report")
    ] = "terminal",
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Moment of assessment, with its zone"),
    ] = None,
) -> None:
    """Report every laboratory result: urgent, changed, doubtful, derived, and what to add.

    Exit codes: 0 reported, also when there is no result; 3 the files are not of one patient; 4
    nothing usable was given.
    """
    outcome = assess_paths(paths, at=moment(at), now=utc_now(), settings=load_settings())
    code = exit_code(outcome)
    assessment = outcome.assessment
    say = saying(lang)
    unread = not_read(outcome.case.inputs) if outcome.case is not None else ()
    if code:
        said = say("Nothing usable was read.") if code == UNUSABLE_INPUT else ""
        typer.echo(said or assessment.reason or assessment.narrative.headline, err=True)
        for item in unread:
            typer.echo(f"{say('Not read')}: {_plain(item)}", err=True)
        raise typer.Exit(code)
    report = assessment.laboratory
    if as_json:
        body = None if report is None else report.to_json()
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
        return
    if report is None:
        for item in unread:
            typer.echo(f"{say('Not read')}: {_plain(item)}")
        typer.echo(say("No laboratory result in the files."))
        return
    view = laboratory_view(report, lang, time_zone=assessment.time_zone)
    heading = f"{assessment.case} · {assessment.provenance.at.show(assessment.time_zone)}"
    line = None if outcome.case is None else patient_line(outcome.case.timeline.patient)
    _show(view, form, (heading, report_words(line, say)), say(RESEARCH_USE), lang)


def _plain(item: NotRead) -> str:
    return visible(f"{item.file} ({item.kind}): {item.reason}")


def _show(
    view: LaboratoryView, form: str, head: tuple[str, str], notice: str, lang: Language
) -> None:
    """Print the report under its heading and the line of the patient."""
    heading, patient = head
    if form == "md":
        typer.echo(laboratory_markdown(view, heading=heading, patient=patient, notice=notice))
    elif form == "html":
        said = laboratory_html(view, heading=heading, patient=patient, notice=notice, language=lang)
        typer.echo(said)
    else:
        console = Console()
        console.print(f"{heading}\n{visible(patient)}\n{notice}\n", markup=False, highlight=False)
        show_laboratory(view, console)
