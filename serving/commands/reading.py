"""``epicrisis reading ...``: structured readings of images.

``forms|new|edit|measure|check|report|compare|export``, and ``hang`` for mammograms.

Exit codes: 0 done; 1 the reading does not fit its form or contradicts itself (`check`); 2 wrong use
of the command; 3 readings or images of different patients; 4 a file cannot be used.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from pydantic import ValidationError

from knowledge.errors import InvalidValueError, UnavailableError, UnreadableError
from knowledge.plain_text import visible
from knowledge.reading_form import ReadingForm, reading_form
from knowledge.settings import load_settings
from knowledge.words import Language
from serving.commands.reading_forms import AsJson, Lang, LangOption, forms, hang
from serving.report.reading import reading_html
from tools.dicom_out.sources import Sources, read_sources
from tools.imaging.ct.into_nodules import FORM as NODULES
from tools.imaging.ct.nodule_models import with_nodule_models
from tools.models.result import ModelResult
from tools.readings.any_file import read_any
from tools.readings.brain_norm import Scanner, read_norm
from tools.readings.check import faults
from tools.readings.compare import Comparison, compared
from tools.readings.fhir_out import fhir_bundle
from tools.readings.from_model import from_model
from tools.readings.measured import with_bone_age, with_norm
from tools.readings.model import Reading, Said, Study, Subject
from tools.readings.plain_json import strict_json
from tools.readings.report import ReadingReport, reading_report
from tools.readings.sentences import listed
from tools.readings.sr_out import reading_sr
from tools.readings.study import subject_and_study
from tools.readings.summary import clash_line
from tools.readings.text import markdown, plain
from tools.readings.tool import reading_category
from tools.readings.typed import typed_changes
from tools.readings.versions import (
    accepted,
    confirmed,
    edited,
    new_reading,
    open_clashes,
    signed,
    unconfirmed,
)

_PROBLEMS = 1


class Form(StrEnum):
    """Forms of reports."""

    TERMINAL = "terminal"
    MD = "md"
    HTML = "html"


File = Annotated[Path, typer.Argument(help="A reading: JSON, FHIR bundle or DICOM SR of ours")]
By = Annotated[str, typer.Option("--by", help="Who says it, as the site names him")]
Out = Annotated[Path | None, typer.Option("--out", help="File to write; else standard output")]
At = Annotated[str | None, typer.Option("--at", help="Time with offset; now where not given")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Structured readings of images.", no_args_is_help=True)
    group.command("forms")(forms)
    group.command("new")(new)
    group.command("edit")(edit)
    group.command("measure")(measure)
    group.command("check")(check)
    group.command("report")(report)
    group.command("compare")(compare)
    group.command("export")(export)
    group.command("hang")(hang)
    app.add_typer(group, name="reading")


def new(
    form: Annotated[str, typer.Argument(help="Form, as `epicrisis reading forms` lists it")],
    by: By,
    dicom: Annotated[
        list[Path] | None, typer.Option("--dicom", help="Images that are read; may be repeated")
    ] = None,
    patient: Annotated[str | None, typer.Option("--patient", help="Patient's identifier")] = None,
    issuer: Annotated[str, typer.Option("--issuer", help="Who gave the identifier")] = "",
    study: Annotated[str | None, typer.Option("--study", help="Study Instance UID")] = None,
    modality: Annotated[str | None, typer.Option("--modality", help="DICOM modality")] = None,
    done: Annotated[str | None, typer.Option("--done", help="Time of the examination")] = None,
    reading_id: Annotated[str | None, typer.Option("--id", help="Of the reading")] = None,
    at: At = None,
    out: Out = None,
) -> None:
    """Start a reading, of DICOM images or of a study that is named; nothing is assessed in it."""
    if dicom:
        zone = load_settings().time_zone
        who, what = subject_and_study(_sources(dicom), zone=zone)
    elif patient and study and modality:
        when = _moment(done, "--done") if done is not None else None
        who = Subject(id=patient, issuer=issuer)
        what = Study(study_uid=study, modality=modality, done=when)
    else:
        raise typer.BadParameter("give --dicom, or --patient with --study and --modality")
    said = _reader(by, at)
    made = new_reading(
        form,
        reading_id=reading_id or f"{form.replace('_', '-')}-{said.at:%Y%m%d%H%M%S}",
        subject=who,
        study=what,
        started=said,
    )
    _write(made, out)


def edit(
    file: File,
    by: By = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="PATH=STATE: effusion='present;side=left'; of a list first its entries, "
            "nodules='present;n1' or eyes='present;right,left', then nodules/n1/shape=taller",
        ),
    ] = None,
    model_result: Annotated[
        Path | None,
        typer.Option("--model-result", help="JSON of `epicrisis model run`, for its slots"),
    ] = None,
    confirm: Annotated[
        list[str] | None,
        typer.Option(
            "--confirm",
            help="PATH that a model or measurement stated, `all` for each of them; or the name of "
            "what `check` asks to look at again, which `all` leaves open",
        ),
    ] = None,
    sign: Annotated[bool, typer.Option("--sign", help="Sign it: the last version")] = False,
    at: At = None,
    out: Out = None,
) -> None:
    """Write the next version of a reading: items stated, confirmed, or filled by a model."""
    reading = read_any(_bytes(file), name=file.name)
    said_at = _moment(at, "--at") if at is not None else _now()
    if model_result is not None:
        reading = _filled(reading, model_result, said_at)
    if changes or confirm or sign:
        if not by:
            raise typer.BadParameter("--by names who says so")
        reader = Said(by="reader", who=by, at=said_at)
        reading = _stated(reading, changes or [], reader)
        reading = _confirmed(reading, confirm or [], reader)
        reading = signed(reading, by=reader) if sign else reading
    for line in _open_lines(reading):
        typer.echo(visible(line), err=True)
    _write(reading, out)


def measure(
    file: File,
    norm: Annotated[
        Path | None, typer.Option("--norm", help="Norm file of the site, for brain volumes")
    ] = None,
    scanner: Annotated[
        Path | None, typer.Option("--scanner", help="JSON: how the volumes were measured")
    ] = None,
    at: At = None,
    out: Out = None,
) -> None:
    """Compute what follows from a reading's items.

    Bone age less age, volumes against a norm, the probability of malignancy of each nodule.
    """
    if not load_settings().device_functions:
        raise UnavailableError(
            "measurements", "switched off", "set EPICRISIS_DEVICE_FUNCTIONS=true to switch them on"
        )
    reading = read_any(_bytes(file), name=file.name)
    said_at = _moment(at, "--at") if at is not None else _now()
    if reading.form == "bone_age":
        _write(with_bone_age(reading, at=said_at), out)
        return
    if reading.form == NODULES:
        _write(with_nodule_models(reading, at=said_at), out)
        return
    if norm is None or scanner is None:
        raise typer.BadParameter("brain volumes need --norm and --scanner")
    try:
        how = Scanner.model_validate(strict_json(_bytes(scanner), name=scanner.name))
    except ValidationError as error:
        raise InvalidValueError(
            scanner.name, str(error.errors()[0]["msg"]), "give manufacturer, model, field_t, ..."
        ) from error
    found = with_norm(reading, read_norm(_bytes(norm), name=norm.name), how, at=said_at)
    _write(found, out)


def check(file: File, as_json: AsJson = False) -> None:
    """Check a reading against its form and print its categories.

    Exit 1 where it does not fit, or holds a contradiction or something to look at again.
    """
    reading = read_any(_bytes(file), name=file.name, fit=False)
    problems = [str(fault) for fault in faults(reading)]
    if problems:
        for problem in problems:
            typer.echo(visible(problem), err=True)
        raise typer.Exit(_PROBLEMS)
    found = reading_category(reading)
    lines = _open_lines(reading)
    if as_json:
        typer.echo(orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2).decode())
        raise typer.Exit(_PROBLEMS if lines else 0)
    but = "; it cannot be signed as it stands" if lines else ""
    typer.echo(f"fits {reading.form}, version {reading.version}{but}")
    for line in found.lines:
        missing = f" (needs {listed(line.missing, 'en')})" if line.missing else ""
        because = f": {line.because}" if line.because and not line.determined else ""
        typer.echo(visible(f"{line.label}: {line.text}{because}{missing}"))
    for problem in lines:
        typer.echo(visible(problem), err=True)
    if lines:
        raise typer.Exit(_PROBLEMS)


def report(
    file: File,
    lang: LangOption = Lang.EN,
    form: Annotated[Form, typer.Option("--format", help="How it is written")] = Form.TERMINAL,
    prior: Annotated[Path | None, typer.Option("--prior", help="The prior reading")] = None,
    out: Out = None,
) -> None:
    """Write the report of a reading in reading order."""
    reading = read_any(_bytes(file), name=file.name)
    before = _compared(reading, prior) if prior is not None else None
    made = reading_report(reading, language=lang.value, comparison=before)
    _text(_written(made, form), out)


def compare(
    file: File,
    prior: Annotated[Path, typer.Argument(help="The prior reading")],
    lang: LangOption = Lang.EN,
    as_json: AsJson = False,
) -> None:
    """Compare a reading with the prior one, item by item."""
    reading = read_any(_bytes(file), name=file.name)
    found = _compared(reading, prior)
    if as_json:
        typer.echo(orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2).decode())
        return
    language: Language = lang.value
    for change in reading_report(reading, language=language, comparison=found).comparison:
        why = f" ({change.why})" if change.why else ""
        typer.echo(visible(f"{change.name}: {change.verdict}{why}"))


def export(
    file: File,
    fhir: Annotated[Path | None, typer.Option("--fhir", help="FHIR R4 bundle to write")] = None,
    sr: Annotated[Path | None, typer.Option("--sr", help="DICOM SR to write")] = None,
    json: Annotated[Path | None, typer.Option("--reading", help="Reading JSON to write")] = None,
    dicom: Annotated[
        list[Path] | None, typer.Option("--dicom", help="Images that were read, for the SR")
    ] = None,
) -> None:
    """Write a reading as FHIR, as DICOM SR (preliminary, unverified), or as JSON again."""
    if fhir is None and sr is None and json is None:
        raise typer.BadParameter("give --fhir, --sr or --reading")
    reading = read_any(_bytes(file), name=file.name)
    if fhir is not None:
        fhir.write_bytes(orjson.dumps(fhir_bundle(reading), option=orjson.OPT_INDENT_2))
    if sr is not None:
        sr.write_bytes(reading_sr(reading, _sources(dicom) if dicom else None))
    if json is not None:
        _write(reading, json)


def _stated(reading: Reading, changes: Sequence[str], said: Said) -> Reading:
    """Return the reading after the changes: lists first, so that their entries are there."""
    form: ReadingForm = reading_form(reading.form)
    pairs = [_pair(text) for text in changes]
    for depth in (0, 2):
        now = [(p, t) for p, t in pairs if (p.count("/") > 0) == (depth > 0)]
        stated = {p: typed_changes(reading, form.item(p), p, t, said) for p, t in now}
        reading = edited(reading, stated, by=said) if stated else reading
    for fault in faults(reading):
        raise fault
    return reading


def _pair(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise InvalidValueError(
            f"--set {text[:60]!r}", "is not PATH=STATE", "for example effusion=absent"
        )
    return path.strip(), value.strip()


def _confirmed(reading: Reading, paths: Sequence[str], said: Said) -> Reading:
    rules = {rule.id for rule in reading_form(reading.form).contradictions}
    keys = [path for path in paths if path.partition("/")[0] in rules]
    named = tuple(path for path in paths if path not in keys)
    wanted = unconfirmed(reading) if "all" in named else named
    stated = {path: confirmed(reading.at(path), by=said) for path in wanted}
    reading = edited(reading, stated, by=said) if stated else reading
    return accepted(reading, keys, by=said) if keys else reading


def _open_lines(reading: Reading) -> tuple[str, ...]:
    """Return what has to be settled before the reading can be signed, with its name."""
    form = reading_form(reading.form)
    found = () if reading.status == "final" else open_clashes(reading)
    return tuple(f"{clash_line(form, reading, one, 'en')} [{one.key}]" for one in found)


def _filled(reading: Reading, path: Path, at: datetime) -> Reading:
    if not load_settings().device_functions:
        raise UnavailableError(
            "models", "switched off", "set EPICRISIS_DEVICE_FUNCTIONS=true to switch them on"
        )
    try:
        result = ModelResult.model_validate_json(_bytes(path))
    except ValueError as error:
        raise UnreadableError(
            path.name, "is no result of a model", "give the JSON of `epicrisis model run`"
        ) from error
    found = from_model(reading, result, at=at)
    notes = (("kept as stated", found.kept), ("no slot for", found.without_slot))
    for label, names in notes:
        if names:
            typer.echo(visible(f"{label}: {', '.join(names)}"), err=True)
    return found.reading


def _compared(reading: Reading, prior: Path) -> Comparison:
    return compared(reading, read_any(_bytes(prior), name=prior.name))


def _written(report: ReadingReport, form: Form) -> str:
    match form:
        case Form.TERMINAL:
            return plain(report)
        case Form.MD:
            return markdown(report)
        case Form.HTML:
            return reading_html(report)


def _sources(paths: Sequence[Path]) -> Sources:
    return read_sources({str(path): path for path in paths})


def _reader(by: str, at: str | None) -> Said:
    return Said(by="reader", who=by, at=_moment(at, "--at") if at is not None else _now())


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _moment(text: str, option: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValueError(
            f"{option} {text[:40]!r}", "is no time", "for example 2026-11-22T10:30+01:00"
        ) from error
    if found.tzinfo is None:
        raise InvalidValueError(f"{option} {text[:40]!r}", "has no offset", "add +00:00 or its own")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            str(path), f"cannot be opened: {error.strerror}", "name a file"
        ) from error


def _write(reading: Reading, out: Path | None) -> None:
    body = orjson.dumps(reading.to_json(), option=orjson.OPT_INDENT_2).decode() + "\n"
    _text(body, out)


def _text(body: str, out: Path | None) -> None:
    if out is None:
        typer.echo(body, nl=False)
    else:
        out.write_text(body, "utf-8")
