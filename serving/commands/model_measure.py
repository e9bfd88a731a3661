"""``epicrisis model calibrate|evaluate``: a model on a site's own labelled cases."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from knowledge.errors import InvalidValueError
from knowledge.plain_text import how_many, visible
from tools.models.measure.auroc import Area
from tools.models.measure.calibrate import CalibrationReport, require_rising
from tools.models.measure.calibrate import calibrate as measured
from tools.models.measure.evaluate import Evaluation
from tools.models.measure.evaluate import evaluate as evaluated
from tools.models.measure.froc import Froc
from tools.models.measure.labelled import read_labelled
from tools.models.measure.operating_point import Aim, OperatingPoint, Proportion
from tools.models.measure.plots import write_plots
from tools.models.measure.reader_time import ReaderTime, read_reader_time

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]
Labelled = Annotated[Path, typer.Argument(help="Folder with labels.csv and the cases")]
Name = Annotated[str, typer.Argument(metavar="ID[@VERSION]", help="As `model list` prints it")]


class Methods(StrEnum):
    """How scores become probabilities."""

    TEMPERATURE = "temperature"
    PLATT = "platt"
    ISOTONIC = "isotonic"


def calibrate(
    name: Name,
    folder: Labelled,
    fix: Annotated[
        str, typer.Option("--fix", help="sensitivity=0.95 or npv=0.99: what comes first")
    ],
    method: Annotated[Methods, typer.Option(help="Of calibration")] = Methods.PLATT,
    keep: Annotated[
        bool, typer.Option("--keep", help="Use it from now on; without this it is only shown")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fit probabilities and thresholds on labelled cases; the rest is measured on held-out ones."""
    from serving.commands.model import opened, print_json, store

    model = opened(name)
    aim, target = _aim(fix)
    with Console(stderr=True).status("Asking the model") as status:
        found = measured(
            model,
            read_labelled(folder),
            method=method.value,
            fix=aim,
            target=target,
            progress=lambda done, of: status.update(f"{done} of {of} cases"),
        )
    if keep:
        require_rising(found)
        contract = model.folder.contract
        store().keep_site(contract.id, contract.version, found.site)
    if as_json:
        print_json({"kept": keep, **found.to_json()})
        return
    _show_calibration(found)
    typer.echo("kept: it is used from now on" if keep else "not kept (see --keep)")


def evaluate(
    name: Name,
    folder: Labelled,
    overlap: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the union at which a mark hits")
    ] = 0.1,
    readers: Annotated[
        Path | None, typer.Option(help="CSV of reading times: case, reader, with_model, seconds")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for plots")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model on labelled cases: AUROC, thresholds, subgroups, calibration, FROC."""
    from serving.commands.model import opened, print_json

    model = opened(name)
    times = None if readers is None else read_reader_time(readers)
    with Console(stderr=True).status("Asking the model") as status:
        found = evaluated(
            model,
            read_labelled(folder),
            overlap=overlap,
            reader_time=times,
            progress=lambda done, of: status.update(f"{done} of {of} cases"),
        )
    drawn = () if out is None else write_plots(found, out)
    if as_json:
        print_json(found.to_json())
        return
    _show_evaluation(found)
    for file in drawn:
        typer.echo(f"wrote {file}")


def _aim(text: str) -> tuple[Aim, float]:
    key, _, number = text.partition("=")
    try:
        target = float(number)
    except ValueError:
        target = 0.0
    aims: dict[str, Aim] = {"sensitivity": "sensitivity", "npv": "npv"}
    if key not in aims or not 0 < target <= 1:
        raise InvalidValueError("--fix", "is no aim", "sensitivity=0.95 or npv=0.99")
    return aims[key], target


def _show_calibration(found: CalibrationReport) -> None:
    typer.echo(f"{found.model}: {_size(found)}")
    for label in found.labels:
        typer.echo(f"{visible(label.label)}: threshold {label.threshold:.4f}, {_area(label.area)}")
        typer.echo(f"  on held-out cases: {_point(label.measured)}")
        typer.echo(
            f"  Brier {label.reliability.brier:.3f}, "
            f"mean distance {label.reliability.expected_error:.3f}"
        )
    for note in found.notes:
        typer.echo(f"Note: {note}")


def _show_evaluation(found: Evaluation) -> None:
    typer.echo(f"{found.model}, calibration: {found.calibration}; {_size(found)}")
    for label in found.labels:
        area = "too few cases for an AUROC" if label.area is None else _area(label.area)
        typer.echo(f"{visible(label.label)}: {area}")
        if label.at_threshold is not None:
            typer.echo(f"  at {label.threshold:.4f}: {_point(label.at_threshold)}")
        for group in label.subgroups:
            said = "too few cases" if group.area is None else _area(group.area)
            name = visible(f"{group.group} {group.value}")
            typer.echo(f"  {name} (n {group.cases}): {said}")
    if found.detection is not None:
        _show_froc(found.detection)
    if found.reader_time is not None:
        _show_time(found.reader_time)
    for skipped in found.skipped:
        typer.echo(visible(f"no answer: {skipped.file}: {skipped.reason}"))
    for note in found.notes:
        typer.echo(f"Note: {note}")


def _show_froc(found: Froc) -> None:
    typer.echo(
        f"{found.lesions} lesions on {found.scans} scans, hit from {found.overlap:g} overlap"
    )
    for name, points in (("all", found.points), *((g.name, g.points) for g in found.by_size)):
        at = ", ".join(f"{p.false_positives:g}: {_share(p.sensitivity)}" for p in points)
        typer.echo(f"  {name}: sensitivity at false positives per scan {at}")
    typer.echo(f"  mean over these rates {found.mean_sensitivity:.3f}")


def _show_time(found: ReaderTime) -> None:
    low, high = found.ci
    typer.echo(
        f"reading time: {found.without_s:.0f} s without, {found.with_s:.0f} s with; "
        f"saved {found.saved_s:.0f} s ({low:.0f} to {high:.0f}), "
        f"{found.pairs} pairs of {found.readers} readers"
    )


def _size(found: CalibrationReport | Evaluation) -> str:
    return f"{how_many(found.cases, 'case')} of {how_many(found.patients, 'patient')}"


def _area(area: Area) -> str:
    return (
        f"AUROC {area.value:.3f} ({area.interval}), {area.present} with and {area.absent} without"
    )


def _point(point: OperatingPoint) -> str:
    return ", ".join(
        f"{name} {_share(value)}"
        for name, value in (
            ("sensitivity", point.sensitivity),
            ("specificity", point.specificity),
            ("PPV", point.ppv),
            ("NPV", point.npv),
        )
    )


def _share(part: Proportion) -> str:
    if part.value is None or part.ci is None:
        return "not known (no case)"
    return f"{part.value:.3f} ({part.ci[0]:.3f} to {part.ci[1]:.3f}; {part.count}/{part.of})"
