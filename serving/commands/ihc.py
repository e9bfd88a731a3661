"""``epicrisis ihc measure|calibrate``: nuclear immunohistochemistry within given tumour regions.

Exit codes: 0 the share was stated; 2 a wrong option; 4 refused or unusable, nothing was measured
(the reason is on standard error); 5 nuclei were counted, but no share is stated (no calibration of
the laboratory, or too few nuclei).
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, get_args

import orjson
import typer

from agent.assessment import RESEARCH_USE
from knowledge.errors import (
    ContractError,
    InvalidValueError,
    UnavailableError,
    UnreadableError,
    UnsupportedError,
)
from knowledge.ihc_measurements import IhcMarker, ihc_measurements
from knowledge.settings import load_settings
from serving.ihc_text import lines
from tools.pathology.ihc.calibration import read_calibration
from tools.pathology.ihc.field import IhcField, read_field
from tools.pathology.ihc.into_reading import with_ihc
from tools.pathology.ihc.labels import Site, calibrated, read_labels
from tools.pathology.ihc.measure import Counted, IhcMeasure, counted, summed
from tools.pathology.ihc.overlay import overlay_png
from tools.pathology.ihc.region import Region, read_region
from tools.readings.any_file import read_any
from tools.readings.model import Reading

NOT_STATED = 5

Fields = Annotated[list[Path], typer.Argument(help="Fields in colour (PNG, JPEG, TIFF)")]
Regions = Annotated[
    list[Path] | None,
    typer.Option("--region", help="Tumour of each field: GeoJSON in its pixels, or a mask as PNG"),
]
MarkerOf = Annotated[str, typer.Option("--marker", help="ki67, er or pr")]
Mpp = Annotated[float | None, typer.Option("--mpp", help="Size of a pixel, um")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for overlays and JSON")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    ihc = typer.Typer(help="Immunohistochemistry: share of positive nuclei.", no_args_is_help=True)
    ihc.command("measure")(measure)
    ihc.command("calibrate")(calibrate)
    app.add_typer(ihc, name="ihc")


def measure(
    fields: Fields,
    marker: MarkerOf,
    region: Regions = None,
    mpp: Mpp = None,
    calibration: Annotated[
        Path | None, typer.Option("--calibration", help="Calibration of the laboratory")
    ] = None,
    out: Out = None,
    reading: Annotated[
        Path | None, typer.Option("--reading", help="Histology report that takes the share")
    ] = None,
    reading_out: Annotated[
        Path | None, typer.Option("--reading-out", help="Its next version, to write")
    ] = None,
    same_patient: Annotated[
        bool, typer.Option("--same-patient", help="The fields are of the report's patient")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output")] = False,
) -> None:
    """Count positive nuclei in the given tumour region of each field: share, Allred, H-score.

    Exit codes: 0 stated, 2 wrong option, 4 refused, 5 counted but no share is stated.
    """
    _check_switch()
    chosen = _marker(marker)
    known = None if calibration is None else read_calibration(calibration)
    found, regions = _read(fields, region or [], mpp)
    each = counted(found, regions=regions, marker=chosen, calibration=known)
    result = summed(each, marker=chosen, calibration=known)
    if (reading is None) != (reading_out is None):
        raise typer.BadParameter("--reading and --reading-out go together")
    if reading is not None and reading_out is not None:
        after = with_ihc(_report(reading), result, at=datetime.now(UTC), same_patient=same_patient)
        reading_out.write_bytes(orjson.dumps(after.to_json(), option=orjson.OPT_INDENT_2))
    if out is not None:
        _write(out, each, result)
    _show(result, as_json=as_json)
    if result.share is None:
        raise typer.Exit(NOT_STATED)


def calibrate(
    fields: Fields,
    marker: MarkerOf,
    labels: Annotated[
        list[Path], typer.Option("--labels", help="CSV of each field: x, y (pixels), grade 0 to 3")
    ],
    laboratory: Annotated[str, typer.Option("--laboratory", help="For which laboratory")],
    clone: Annotated[str, typer.Option("--clone", help="Antibody clone")],
    stainer: Annotated[str, typer.Option("--stainer", help="Stainer and detection kit")],
    scanner: Annotated[str, typer.Option("--scanner", help="Scanner")],
    how: Annotated[str, typer.Option("--how", help="Who labelled what, and how it was chosen")],
    made_on: Annotated[str, typer.Option("--date", help="Date, YYYY-MM-DD")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Calibration file to write")],
    region: Regions = None,
    mpp: Mpp = None,
) -> None:
    """Set the thresholds of DAB by labelled nuclei and write them as a calibration file.

    Exit codes: 0 written, 2 wrong option, 4 refused; a calibration that rests on too little, or
    agrees too little with its labels, is not written.
    """
    _check_switch()
    chosen = _marker(marker)
    found, regions = _read(fields, region or [], mpp)
    if len(labels) != len(found):
        raise ContractError(
            "labels", f"{len(labels)} files for {len(found)} fields", "give labels for each field"
        )
    _check_day(made_on)
    each = counted(found, regions=regions, marker=chosen, calibration=None)
    given = [read_labels(p, size_px=f.size_px) for p, f in zip(labels, found, strict=True)]
    site = Site(laboratory=laboratory, clone=clone, stainer=stainer, scanner=scanner, how=how,
                made_on=made_on)  # fmt: skip
    made = calibrated(each, given, marker=chosen, site=site)
    body = orjson.dumps(made.model_dump(mode="json", exclude_none=True), option=orjson.OPT_INDENT_2)
    partial = out.with_name(out.name + ".partial")
    partial.write_bytes(body)
    try:
        read_calibration(partial)
    except ContractError:
        partial.unlink()
        raise
    partial.replace(out)
    typer.echo(RESEARCH_USE)
    typer.echo(f"{out}: {made.nuclei} nuclei; found at {made.labels_found_percent:g} % of labels")
    for one in made.agreement:
        typer.echo(
            f"  grade {one.grade}: sensitivity {one.sensitivity_percent:g} %, specificity "
            f"{one.specificity_percent:g} %, on the nuclei it was set on"
        )


def _check_day(made_on: str) -> None:
    try:
        date.fromisoformat(made_on)
    except ValueError as error:
        raise InvalidValueError("--date", f"{made_on[:40]!r} is no day", "YYYY-MM-DD") from error


def _check_switch() -> None:
    if not load_settings().device_functions:
        raise UnavailableError(
            "immunohistochemistry",
            "not assessed: switched off",
            "set EPICRISIS_DEVICE_FUNCTIONS=true to switch it on",
        )


def _marker(name: str) -> IhcMarker:
    for known in get_args(IhcMarker):
        if name.casefold() == known:
            return known  # type: ignore[no-any-return]
    refused = ihc_measurements().not_measured.get(name.casefold())
    if refused is not None:
        raise UnsupportedError(refused.name, f"not assessed: {refused.reason}", refused.way_out)
    raise InvalidValueError(f"--marker {name[:40]!r}", "no such marker", "ki67, er or pr")


def _read(
    paths: Sequence[Path], regions: Sequence[Path], mpp: float | None
) -> tuple[tuple[IhcField, ...], tuple[Region, ...]]:
    fields = tuple(read_field(path, mpp=mpp) for path in paths)
    if not regions:
        read_region(None, size_px=fields[0].size_px)
    if len(regions) != len(fields):
        raise ContractError(
            "region",
            f"{len(regions)} regions for {len(fields)} fields",
            "give one for each, in order",
        )
    return fields, tuple(
        read_region(path, size_px=field.size_px)
        for path, field in zip(regions, fields, strict=True)
    )


def _report(path: Path) -> Reading:
    try:
        return read_any(path.read_bytes(), name=path.name)
    except OSError as error:
        raise UnreadableError(
            path.name, f"cannot be opened: {error.strerror}", "name a report"
        ) from error


def _write(out: Path, each: Sequence[Counted], result: IhcMeasure) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(each, 1):
        (out / f"overlay_{number}.png").write_bytes(overlay_png(one))
    (out / "ihc.json").write_bytes(_json(result))


def _show(result: IhcMeasure, *, as_json: bool) -> None:
    if as_json:
        typer.echo(_json(result).decode())
        return
    typer.echo(RESEARCH_USE)
    for line in lines(result):
        typer.echo(line)


def _json(result: IhcMeasure) -> bytes:
    body = {"notice": RESEARCH_USE, **result.model_dump(mode="json", exclude_none=True)}
    return orjson.dumps(body, option=orjson.OPT_INDENT_2)
