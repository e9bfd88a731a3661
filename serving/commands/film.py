"""``epicrisis film check|measure``: what may be measured on a chest film, and what is measured.

Exit codes: 0 the gate or the report was made, whatever in it is not assessed or refused; 2 wrong
use of the command; 3 film and reading are not of one examination; 4 the file cannot be used at all
(damaged, truncated, no decoder, no image, an animal), or measuring is switched off.
"""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from agent.assessment import RESEARCH_USE
from knowledge.errors import InvalidValueError, TooLargeError, UnavailableError, UnreadableError
from knowledge.film_words import film_saying
from knowledge.laboratory_words import saying
from knowledge.plain_text import visible
from knowledge.settings import load_settings
from serving.commands.reading_forms import Lang
from serving.film_text import gate_lines, report_lines
from tools.imaging.film.into_reading import with_film
from tools.imaging.film.model import Film, StatedFilm
from tools.imaging.film.overlay import overlay_png
from tools.imaging.film.read import read_film
from tools.imaging.film.report import checked, measured
from tools.readings.any_file import read_any

_MIB = 1 << 20


class View(StrEnum):
    """Views a person may state."""

    PA = "PA"
    AP = "AP"
    LATERAL = "lateral"


Path_ = Annotated[Path, typer.Argument(help="One chest film: DICOM, PNG or JPEG")]
ViewOption = Annotated[
    View | None, typer.Option("--view", help="View, where the file does not say it")
]
AgeOption = Annotated[
    float | None, typer.Option("--age", min=0, max=130, help="Age in years, where not in the file")
]
LangOption = Annotated[Lang, typer.Option("--lang", help="Language of the lines; JSON is English")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    film = typer.Typer(help="Chest films: gate and measurements.", no_args_is_help=True)
    film.callback()(_group)
    film.command("check")(check)
    film.command("measure")(measure)
    app.add_typer(film, name="film")


def _group() -> None:
    """Chest films: gate and measurements."""


def check(
    path: Path_,
    view: ViewOption = None,
    age: AgeOption = None,
    lang: LangOption = Lang.EN,
    as_json: AsJson = False,
) -> None:
    """Print what is wrong or doubtful with a film, and what may be measured on it.

    Exit 0 when the gate was made, even where it lets nothing through; 4 when the file cannot be
    used.
    """
    film = _film(path, view, age)
    gate = checked(film, device_functions=load_settings().device_functions)
    if as_json:
        body = {
            "notice": RESEARCH_USE,
            "facts": film.facts.model_dump(mode="json", exclude_none=True),
            "gate": gate.model_dump(mode="json", exclude_none=True),
        }
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
        return
    typer.echo(_notice(lang))
    for line in gate_lines(film.facts, gate, lang.value):
        typer.echo(visible(line))


def measure(
    path: Path_,
    out: Annotated[Path, typer.Option("--out", help="Folder for overlay.png and report.json")],
    view: ViewOption = None,
    age: AgeOption = None,
    reading: Annotated[
        Path | None,
        typer.Option("--reading", help="A chest_film reading that the results are put into"),
    ] = None,
    lang: LangOption = Lang.EN,
    as_json: AsJson = False,
) -> None:
    """Measure lung fields and cardiothoracic ratio: approximate, with an overlay to review.

    Writes overlay.png and report.json, and reading.json where a reading was given.
    Exit 0 when the report was made, even where nothing could be measured; 4 when the file cannot be
    used or measuring is switched off.
    """
    if not load_settings().device_functions:
        raise UnavailableError(
            "film measurements",
            "switched off",
            "set EPICRISIS_DEVICE_FUNCTIONS=true to switch it on",
        )
    film = _film(path, view, age)
    report = measured(film)
    body = orjson.dumps(
        {"notice": RESEARCH_USE, **report.model_dump(mode="json", exclude_none=True)},
        option=orjson.OPT_INDENT_2,
    )
    files = {"overlay.png": overlay_png(film, report), "report.json": body + b"\n"}
    if reading is not None:
        given = read_any(_content(reading), name=reading.name)
        filled = with_film(given, report, at=datetime.now(UTC))
        files["reading.json"] = orjson.dumps(
            filled.to_json(),
            option=orjson.OPT_INDENT_2,
        )
    _write(out, files)
    if as_json:
        typer.echo(body.decode())
        return
    typer.echo(_notice(lang))
    for line in report_lines(report, lang.value):
        typer.echo(visible(line))
    names = ", ".join(str(out / name) for name in files)
    typer.echo(film_saying(lang.value)(f"Written: {names}"))


def _notice(lang: Lang) -> str:
    """Return what stands above every report, in the language."""
    return saying(lang.value)(RESEARCH_USE)


def _film(path: Path, view: View | None, age: float | None) -> Film:
    said = None if view is None else view.value.lower()
    stated = StatedFilm.model_validate({"view": said, "age_years": age})
    return read_film(_content(path), file=path.name, stated=stated)


def _content(path: Path) -> bytes:
    try:
        most = load_settings().max_file_mib
        if path.stat().st_size > most * _MIB:
            raise TooLargeError(path.name, f"over {most} MiB", "give it in a smaller size")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            str(path), f"cannot be opened: {error.strerror}", "name one file"
        ) from error


def _write(out: Path, files: dict[str, bytes]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise InvalidValueError(
            f"--out {out}", f"cannot be written: {error.strerror}", "name another folder"
        ) from error
