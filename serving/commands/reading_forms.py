"""``epicrisis reading forms|hang``: what is asked, and how mammograms hang."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from knowledge.reading_form import reading_form, reading_form_ids
from knowledge.reading_items import Item
from tools.dicom_out.sources import read_sources
from tools.readings.hanging import hanging


class Lang(StrEnum):
    """Languages of reports."""

    EN = "en"
    ZH = "zh"


LangOption = Annotated[Lang, typer.Option("--lang", help="Language")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]


def forms(
    form: Annotated[str | None, typer.Argument(help="One form, with its items")] = None,
    lang: LangOption = Lang.EN,
    as_json: AsJson = False,
) -> None:
    """List the forms, or the items of one with how they are answered."""
    if form is None and as_json:
        every = [reading_form(form_id) for form_id in reading_form_ids()]
        rows = [{"id": f.id, "name": f.name.read(lang.value), "modalities": f.modalities,
                 "version": f.version} for f in every]  # fmt: skip
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    if form is None:
        for form_id in reading_form_ids():
            found = reading_form(form_id)
            typer.echo(f"{form_id}: {found.name.read(lang.value)} ({', '.join(found.modalities)})")
        return
    chosen = reading_form(form)
    if as_json:
        typer.echo(orjson.dumps(chosen.to_json(), option=orjson.OPT_INDENT_2).decode())
        return
    for section in chosen.sections:
        typer.echo(section.label.read(lang.value))
        for item in section.items:
            typer.echo(f"  {item.id}: {item.label.read(lang.value)} [{_how(item)}]")
            for part in item.items:
                typer.echo(f"    {part.id}: {part.label.read(lang.value)} [{_how(part)}]")


def hang(
    dicom: Annotated[list[Path], typer.Argument(help="Mammograms of one study")],
) -> None:
    """Print how mammograms hang: CC then MLO, right beside left, and what is missing."""
    datasets = [ds for path in dicom for ds in read_sources({str(path): path}).datasets]
    found = hanging(datasets)
    for film in found.films:
        turned = {True: ", mirrored", False: "", None: ", orientation not stated"}[film.mirror]
        typer.echo(f"row {film.row + 1}, {film.side} {film.view}{turned}: {film.sop_uid}")
    if found.missing:
        typer.echo("missing: " + ", ".join(found.missing))


def _how(item: Item) -> str:
    match item.kind:
        case "sign":
            parts = ["present or absent"]
            parts += ["side"] if item.sided else []
            parts += ["zones " + ", ".join(item.zones)] if item.zones else []
            parts += ["size_mm"] if item.sized else []
            return "; ".join(parts)
        case "choice":
            return "one of " + ", ".join(item.answers)
        case "choices":
            return "any of " + ", ".join(item.answers)
        case "number":
            return "number" if item.unit in ("1", None) else f"number in {item.unit}"
        case "text":
            return "text"
        case "list":
            return "entries: " + (", ".join(item.fixed) or "any")
