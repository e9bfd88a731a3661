"""``epicrisis assess PATH...``: one patient's files to an assessment."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agent.assess import Outcome, assess_paths
from agent.assessment import Status
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import InvalidValueError
from knowledge.settings import load_settings
from serving.cli import IDENTITY_CONFLICT, UNUSABLE_INPUT
from serving.report import terminal
from serving.report.files import write_report


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("assess")(assess)


def assess(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Folders or files of one patient")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the assessment as JSON on standard output")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write JSON, Markdown, HTML and pictures here"),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="Moment of assessment, with its zone"),
    ] = None,
    same_patient: Annotated[
        list[str] | None,
        typer.Option(
            "--same-patient",
            metavar="FILE",
            help="State that a file is of the same patient although its identity differs; recorded",
        ),
    ] = None,
    device_functions: Annotated[
        bool | None,
        typer.Option(
            "--device-functions/--no-device-functions",
            help="Signal analysis (ECG); off gives 'not assessed: switched off'",
        ),
    ] = None,
) -> None:
    """Assess acute chest pain from the files of one patient.

    Exit codes: 0 assessed, also when the result is "not assessable"; 3 the files are not of one
    patient; 4 nothing usable was given.
    """
    settings = load_settings()
    if device_functions is not None:
        settings = settings.model_copy(update={"device_functions": device_functions})
    outcome = assess_paths(
        paths,
        at=moment(at),
        now=utc_now(),
        settings=settings,
        same_patient=tuple(same_patient or ()),
    )
    present(outcome, as_json=as_json, out=out)
    code = exit_code(outcome)
    if code:
        raise typer.Exit(code)


def present(outcome: Outcome, *, as_json: bool, out: Path | None) -> None:
    """Write the report files where asked for, then print the assessment.

    Raises:
        InvalidValueError: The folder cannot be written.
    """
    written: tuple[Path, ...] = ()
    if out is not None:
        try:
            written = write_report(outcome, out)
        except OSError as error:
            raise InvalidValueError(
                "--out", f"cannot write there: {error.strerror}", "name another folder"
            ) from error
    if as_json:
        text = orjson.dumps(outcome.assessment.to_json(), option=orjson.OPT_INDENT_2)
        typer.echo(text.decode())
    else:
        terminal.show(outcome.assessment, Console())
    for path in written:
        typer.echo(f"wrote {path}", err=as_json)


def exit_code(outcome: Outcome) -> int:
    """Return the exit code: 0, or 3 refused, or 4 where nothing usable was given.

    Usable is a fact, a recording, or at least a patient from a file other than the case file.
    """
    if outcome.assessment.status is Status.REFUSED:
        return IDENTITY_CONFLICT
    case = outcome.case
    if case is None:
        return UNUSABLE_INPUT
    read = [item for item in case.inputs if item.status == "read" and item.kind != "case file"]
    return 0 if read or case.timeline.facts or case.recordings else UNUSABLE_INPUT


def utc_now() -> ClinicalTime:
    """Return the current moment; only commands read the clock."""
    return ClinicalTime(at=datetime.now(UTC))


def moment(text: str | None) -> ClinicalTime | None:
    """Return the moment of assessment that was asked for.

    Raises:
        InvalidValueError: It has no time of day or no zone, or is not a time.
    """
    if text is None:
        return None
    time = parse_fhir(text, clock="--at")
    if time.zone == "unknown" or time.precision not in ("minute", "second"):
        raise InvalidValueError(
            "--at",
            "needs a date, a time of day and a zone",
            "for example 2026-11-20T10:00:00+01:00",
        )
    return time
