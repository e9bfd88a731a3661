"""``epicrisis ct contours``: structures of a series, listed or written as RTSTRUCT or SEG."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from agent.assessment import RESEARCH_USE
from knowledge.errors import InvalidValueError, UnreadableError
from knowledge.plain_text import visible
from tools.dicom_out.maker import Maker
from tools.dicom_out.sources import read_sources
from tools.imaging.contours.model import Origin, Structure, chosen, origin_of
from tools.imaging.contours.read import is_dicom, read_structures
from tools.imaging.contours.rtstruct_out import rtstruct
from tools.imaging.contours.seg_out import seg
from tools.imaging.ct.mask_file import read_structure
from tools.imaging.ct.model import Volume
from tools.imaging.ct.volume import read_folder

_WRITERS = {"rtstruct": rtstruct, "seg": seg}


def contours(
    folder: Annotated[Path, typer.Argument(help="Folder of the CT series they lie on")],
    file: Annotated[Path, typer.Argument(help="RTSTRUCT, SEG, or a mask in NIfTI")],
    to: Annotated[
        Literal["rtstruct", "seg"] | None,
        typer.Option("--to", help="Write them in this form; else they are listed"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write")] = None,
    name: Annotated[
        str, typer.Option("--name", help="Only this structure; the name of a NIfTI mask")
    ] = "",
    origin: Annotated[
        Literal["manual", "semiautomatic", "automatic"] | None,
        typer.Option("--origin", help="How it was outlined, where the file does not say"),
    ] = None,
    series: Annotated[
        str | None, typer.Option("--series", help="Series UID, where the folder has several")
    ] = None,
    label: Annotated[
        int | None, typer.Option("--label", help="Value of a NIfTI mask, where it holds several")
    ] = None,
) -> None:
    """List the structures outlined on a CT series, or write them as another DICOM object.

    A file of another patient, frame of reference or grid is refused.
    """
    if (to is None) != (out is None):
        raise InvalidValueError("--to and --out", "one without the other", "give both or none")
    volume = read_folder(folder, series=series)
    found = _read(file, volume, name, origin, label)
    typer.echo(RESEARCH_USE)
    for one in found:
        millilitres = float(one.mask.sum()) * volume.voxel_ml
        levels = int(one.mask.any(axis=(1, 2)).sum())
        how = one.origin.lower() or "not stated"
        typer.echo(
            f"{one.number} {visible(one.name)}: {millilitres:.2f} mL on {levels} slices; "
            f"outlined: {how}" + (f", {visible(one.maker)}" if one.maker else "")
        )
        for note in one.notes:
            typer.echo(f"  note: {note}")
    if to is not None and out is not None:
        paths = {str(p.relative_to(folder)): p for p in folder.rglob("*") if p.is_file()}
        images = read_sources({name: paths[name] for name in volume.facts.files})
        maker = Maker(method="contours", method_version="1", at=datetime.now(UTC))
        _write(out, _WRITERS[to](found, volume, images, maker))
        typer.echo(f"written: {out}")


def _read(
    file: Path, volume: Volume, name: str, origin: str | None, label: int | None
) -> tuple[Structure, ...]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableError(
            str(file), f"cannot be opened: {error.strerror}", "name a file with structures"
        ) from error
    stated = origin_of(origin)
    if not is_dicom(content):
        one = read_structure(content, volume, file=file.name, label=label)
        own = " ".join(part for part in (file.name, one.name) if part)
        return (replace(one, number=1, name=name or own, origin=stated),)
    found = read_structures(content, volume, file=file.name)
    if name:
        found = (chosen(found, name=name, file=file.name),)
    return tuple(_stated(one, stated) for one in found)


def _stated(one: Structure, origin: Origin) -> Structure:
    """Return a structure with what a person says; the file is never overruled.

    Raises:
        InvalidValueError: The file says something else.
    """
    if not origin or origin == one.origin:
        return one
    if one.origin:
        raise InvalidValueError(
            f"structure {one.name!r}", "--origin: the file says something else", "leave it out"
        )
    return Structure(
        number=one.number, name=one.name, mask=one.mask, origin=origin, maker=one.maker,
        notes=one.notes,
    )  # fmt: skip


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot be written: {error.strerror}", "name another file"
        ) from error
