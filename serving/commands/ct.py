"""``epicrisis ct``: what is measured on a CT series, and the structures outlined on it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from agent.assessment import RESEARCH_USE
from knowledge.ct_measurements import MaskOf
from knowledge.errors import InvalidValueError, UnavailableError, UnreadableError
from knowledge.finding import Finding
from knowledge.laboratory_words import saying
from knowledge.plain_text import visible
from knowledge.settings import load_settings
from knowledge.words import Language
from serving.commands.ct_contours import contours
from serving.commands.reading_forms import Lang
from serving.ct_text import lines
from tools.dicom_out.sources import read_sources
from tools.imaging.ct.given_mask import MaskGiven, given_mask
from tools.imaging.ct.into_reading import with_ct
from tools.imaging.ct.marked import Earlier
from tools.imaging.ct.model import Point, Volume
from tools.imaging.ct.report import CtReport, Masks, measured
from tools.imaging.ct.volume import read_folder
from tools.intake.answer import stated_finding
from tools.readings.any_file import read_any

Seeds = Annotated[
    list[str] | None,
    typer.Option("--seed", help="A point in a nodule: x,y,z in mm (LPS); may be repeated"),
]

LangOption = Annotated[Lang, typer.Option("--lang", help="Language of the lines; JSON is English")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    ct = typer.Typer(help="CT series: measurements and contours.", no_args_is_help=True)
    ct.callback()(_group)
    ct.command("measure")(measure)
    ct.command("contours")(contours)
    app.add_typer(ct, name="ct")


def _group() -> None:
    """CT series: measurements and contours."""


def measure(
    folder: Annotated[Path, typer.Argument(help="Folder of one CT series")],
    seed: Seeds = None,
    prior: Annotated[
        Path | None, typer.Option("--prior", help="Folder of an earlier CT of the patient")
    ] = None,
    prior_seed: Annotated[
        list[str] | None,
        typer.Option("--prior-seed", help="The same nodules on the earlier CT, in their order"),
    ] = None,
    voxels: Annotated[
        bool, typer.Option("--voxels", help="Seeds are column,row,slice of the series, from 0")
    ] = False,
    series: Annotated[
        str | None, typer.Option("--series", help="Series UID, where the folder has several")
    ] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option("--set", help="What else is known, for example age_years='66 a'"),
    ] = None,
    calcium_mask: Annotated[
        Path | None,
        typer.Option("--calcium-mask", help="Coronaries on the series: NIfTI, RTSTRUCT or SEG"),
    ] = None,
    aorta_mask: Annotated[
        Path | None,
        typer.Option("--aorta-mask", help="Aorta on the series: NIfTI, RTSTRUCT or SEG"),
    ] = None,
    calcium_structure: Annotated[
        str,
        typer.Option(
            "--calcium-structure",
            help="Its name, or number of its label, where the file holds several",
        ),
    ] = "",
    aorta_structure: Annotated[
        str,
        typer.Option(
            "--aorta-structure",
            help="Its name, or number of its label, where the file holds several",
        ),
    ] = "",
    zone: Annotated[
        str | None, typer.Option("--zone", help="IANA zone of times without an offset")
    ] = None,
    same_patient: Annotated[
        bool,
        typer.Option(
            "--same-patient", help="State that files which cannot tell are of one patient"
        ),
    ] = False,
    reading: Annotated[
        Path | None,
        typer.Option("--reading", help="A ct_nodules or chest_ct reading to put the results into"),
    ] = None,
    reading_out: Annotated[
        Path | None, typer.Option("--reading-out", help="File for its next version")
    ] = None,
    lang: LangOption = Lang.EN,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Measure lungs, marked nodules, and given masks on a CT series; each value or why not.

    Nothing is looked for: a nodule is measured where a person points at it.
    """
    _allowed(reading, reading_out)
    if prior_seed and prior is None:
        raise InvalidValueError("--prior-seed", "given without --prior", "name the earlier folder")
    known = dict(_stated(text) for text in answers or [])
    volume = read_folder(folder, series=series, zone=zone)
    points = _points(seed or [], volume, "--seed", voxels=voxels)
    earlier = None
    if prior is not None:
        before = read_folder(prior, zone=zone)
        there = _points(prior_seed or [], before, "--prior-seed", voxels=voxels)
        earlier = Earlier(volume=before, seeds=there, same_patient=same_patient)
    masks = Masks(
        calcium=_mask(calcium_mask, calcium_structure, volume, "calcium"),
        aorta=_mask(aorta_mask, aorta_structure, volume, "aorta"),
    )
    found = measured(volume, seeds=points, answers=known, earlier=earlier, masks=masks)
    if reading is not None and reading_out is not None:
        _fill(reading, reading_out, found, folder / volume.facts.files[0])
    _show(found, lang.value, as_json=as_json)


def _allowed(reading: Path | None, reading_out: Path | None) -> None:
    """Raise where measurements are switched off, or a reading has no place to be written to."""
    if not load_settings().device_functions:
        raise UnavailableError(
            "CT measurements",
            "switched off",
            "set EPICRISIS_DEVICE_FUNCTIONS=true to switch it on",
        )
    if (reading is None) != (reading_out is None):
        raise InvalidValueError(
            "--reading and --reading-out", "one is given without the other", "give both or neither"
        )


def _fill(reading: Path, out: Path, found: CtReport, first: Path) -> None:
    """Write the next version of a reading, with what was measured."""
    given = read_any(_bytes(reading), name=reading.name)
    study = read_sources({first.name: first}).study
    filled = with_ct(given, found, study=study, at=datetime.now(UTC))
    try:
        out.write_bytes(orjson.dumps(filled.to_json(), option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise InvalidValueError(
            f"--reading-out {out}", f"cannot be written: {error.strerror}", "name another file"
        ) from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            str(path), f"cannot be opened: {error.strerror}", "name one file"
        ) from error


def _show(found: CtReport, lang: Language, *, as_json: bool) -> None:
    if as_json:
        body = {"notice": RESEARCH_USE, **found.model_dump(mode="json", exclude_none=True)}
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(saying(lang)(RESEARCH_USE))
    for line in lines(found, lang):
        typer.echo(visible(line))


def _points(
    texts: Sequence[str], volume: Volume, option: str, *, voxels: bool
) -> tuple[Point, ...]:
    """Return the points in patient coordinates.

    Raises:
        InvalidValueError: Not three numbers, or not in the series.
    """
    found: list[Point] = []
    for text in texts:
        try:
            x, y, z = (float(part) for part in text.split(","))
        except ValueError as error:
            raise InvalidValueError(
                f"{option} {text!r}", "is not x,y,z", "for example 61.5,-20,-130"
            ) from error
        point = volume.point((z, y, x)) if voxels else (x, y, z)
        volume.index(point)
        found.append(point)
    return tuple(found)


def _mask(path: Path | None, name: str, volume: Volume, of: MaskOf) -> MaskGiven | None:
    if path is None:
        return None
    return given_mask(_bytes(path), volume, file=path.name, of=of, structure=name)


def _stated(text: str) -> tuple[str, Finding]:
    key, equals, answer = text.partition("=")
    if not equals:
        raise InvalidValueError(
            f"--set {text!r}", "is not INPUT=ANSWER", "for example smoking_ever=yes"
        )
    return key, stated_finding(key, answer, file="command line", record=f"--set {key}")
