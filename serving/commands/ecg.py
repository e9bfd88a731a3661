"""``epicrisis ecg export|compare|trend``: write a tracing in another form; compare tracings."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from knowledge.clinical_inputs import catalogue
from knowledge.clinical_time import ClinicalTime, parse_fhir
from knowledge.errors import InvalidValueError, UnavailableError, UnreadableError
from knowledge.finding import Finding, Why, not_assessed
from knowledge.model import Frozen
from knowledge.settings import load_settings
from tools.ecg.model import EcgRecording
from tools.ecg.readers import read_ecg
from tools.ecg.readers.fhir_sampled import read_fhir_ecg
from tools.ecg.serial.compare import compare as compare_tracings
from tools.ecg.serial.tracing import Tracing
from tools.ecg.serial.trend import trend as trend_of
from tools.ecg.writers import write_ecg
from tools.intake.answer import stated_finding


class Form(StrEnum):
    """What can be written."""

    DICOM = "dicom"
    AECG = "aecg"
    FHIR = "fhir"


Zone = Annotated[str | None, typer.Option("--zone", help="IANA zone of times without an offset")]
Age = Annotated[float | None, typer.Option("--age", help="Age in years")]
Sex = Annotated[str | None, typer.Option("--sex", help="female or male")]
Same = Annotated[
    bool,
    typer.Option("--same-patient", help="State that files which cannot tell are of one patient"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    ecg = typer.Typer(help="ECG files: export, comparison, trend.", no_args_is_help=True)
    ecg.command("export")(export)
    ecg.command("compare")(compare)
    ecg.command("trend")(trend)
    app.add_typer(ecg, name="ecg")


def export(
    path: Annotated[Path, typer.Argument(help="An ECG file (for WFDB the header)")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write")],
    form: Annotated[Form, typer.Option("--format", help="dicom, aecg or fhir")] = Form.DICOM,
    zone: Zone = None,
    time: Annotated[
        str | None,
        typer.Option("--time", help="Start of the recording, with zone, where the file has none"),
    ] = None,
) -> None:
    """Write a recording as DICOM waveform, HL7 aECG or FHIR Observation.

    The samples as recorded, nothing measured; what is read back differs by at most half a step of
    the stored amplitude. The file carries the patient's identity as the source does; FHIR carries
    the identifier only.
    """
    recording = _read(path, zone)
    if time is not None:
        recording = replace(recording, start=_start(recording, time))
    content = write_ecg(recording, form.value)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot write there: {error.strerror}", "name another file"
        ) from error
    typer.echo(f"wrote {out}")


def compare(
    earlier: Annotated[Path, typer.Argument(help="The tracing before")],
    later: Annotated[Path, typer.Argument(help="The tracing now")],
    age: Age = None,
    sex: Sex = None,
    zone: Zone = None,
    same_patient: Same = False,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two tracings of one patient, with the error of each difference."""
    before, after = (_tracing(path, age, sex, zone) for path in (earlier, later))
    found = compare_tracings(before, after, same_patient=same_patient)
    if as_json:
        _print(found)
        return
    typer.echo(found.headline)
    for change in found.st:
        if change.change_mm is None:
            reason = "" if change.not_assessed is None else change.not_assessed.detail
            typer.echo(f"  {change.lead:>4} not compared: {reason}")
        else:
            beyond = "" if change.beyond_error else ", within the error"
            typer.echo(
                f"  {change.lead:>4} ST {change.before_mm:+.2f} to {change.after_mm:+.2f} mm: "
                f"{change.change_mm:+.2f} (error {change.error_mm:.2f}{beyond})"
            )
    for number in found.numbers:
        if number.change is not None:
            typer.echo(
                f"  {number.label} {number.before:.0f} to {number.after:.0f} {number.unit}: "
                f"{number.change:+.0f}"
            )
    for text in found.cautions:
        typer.echo(f"Note: {text}")


def trend(
    paths: Annotated[list[Path], typer.Argument(help="Three or more tracings, oldest first")],
    age: Age = None,
    sex: Sex = None,
    zone: Zone = None,
    same_patient: Same = False,
    as_json: AsJson = False,
) -> None:
    """Show what ST, rate and QTc do over three or more tracings of one patient."""
    tracings = [_tracing(path, age, sex, zone) for path in paths]
    found = trend_of(tracings, same_patient=same_patient)
    if as_json:
        _print(found)
        return
    typer.echo(found.headline)
    for lead in found.leads:
        levels = "  ".join("   ?" if v is None else f"{v:+.2f}" for v in lead.levels_mm)
        typer.echo(f"  {lead.lead:>4} {levels} mm: {lead.course} (error {lead.error_mm:.2f})")
    for text in found.cautions:
        typer.echo(f"Note: {text}")


def _print(found: Frozen) -> None:
    body = found.model_dump(mode="json", exclude_none=True)
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())


def _tracing(path: Path, age: float | None, sex: str | None, zone: str | None) -> Tracing:
    if not load_settings().device_functions:
        raise UnavailableError(
            "ECG analysis",
            "switched off",
            "set EPICRISIS_DEVICE_FUNCTIONS=true to switch it on",
        )
    years = _stated("age_years", None if age is None else f"{age:g} a")
    return Tracing.of(_read(path, zone), age_years=years, sex=_stated("sex", sex))


def _start(recording: EcgRecording, text: str) -> ClinicalTime:
    """Return the stated start of a recording whose file has none.

    Raises:
        InvalidValueError: No time, or the file already states one.
    """
    if recording.start is not None:
        raise InvalidValueError("--time", "the file states its own time", "leave it out")
    return parse_fhir(text, clock="command line")


def _stated(key: str, answer: str | None) -> Finding:
    if answer is None:
        return not_assessed(catalogue().concept(key), Why.MISSING, "not given")
    return stated_finding(key, answer, file="command line", record=f"--{key}")


def _read(path: Path, zone: str | None) -> EcgRecording:
    """Return the recording in a file, with the files of its stem beside it for WFDB.

    Raises:
        UnreadableError: The file cannot be opened, or is no JSON where it begins like it.
    """
    try:
        content = path.read_bytes()
        near = {p.name: p.read_bytes() for p in path.parent.glob(f"{path.stem}.*") if p != path}
    except OSError as error:
        raise UnreadableError(
            str(path), f"cannot be opened: {error.strerror}", "name an ECG file"
        ) from error
    if content.lstrip()[:1] != b"{":
        return read_ecg(content, file=path.name, siblings=near, zone=zone)
    try:
        resource = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UnreadableError(path.name, "not JSON", "give a FHIR Observation") from error
    return read_fhir_ecg(resource, content=content, file=path.name)
