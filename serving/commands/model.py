"""``epicrisis model add|list|check|run|calibrate|evaluate``: models that others bring.

Exit codes: 0 done; 1 `check` found something wrong; 4 refused, with the reason; 5 `run` has no
answer for at least one file, with the reason (the others are answered).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from knowledge.errors import (
    ContractError,
    EpicrisisError,
    InvalidValueError,
    UnavailableError,
)
from knowledge.model import Frozen
from knowledge.plain_text import visible
from knowledge.settings import load_settings
from serving.commands.model_seg import write_seg
from tools.models.importers import KINDS, bring
from tools.models.isolated import Limits
from tools.models.loaded import LoadedModel
from tools.models.reading import Stated, read_sample
from tools.models.remote import connect
from tools.models.result import Box, LabelScore, ModelResult
from tools.models.run import Outcome, ask, ask_about_tiles, ask_or_say_why, bag_of
from tools.models.store import ModelStore

_PROBLEMS, _NOT_ASSESSED = 1, 5
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]
Name = Annotated[str, typer.Argument(metavar="ID[@VERSION]", help="As `model list` prints it")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    from serving.commands.model_measure import calibrate, evaluate

    group = typer.Typer(
        help="Models that others bring. Exit codes: 0 done, 1 check found something wrong, 4 "
        "refused, 5 run has no answer for a file.",
        no_args_is_help=True,
    )
    group.command("add")(add)
    group.command("list")(list_models)
    group.command("check")(check)
    group.command("run")(run)
    group.command("calibrate")(calibrate)
    group.command("evaluate")(evaluate)
    app.add_typer(group, name="model")


def store() -> ModelStore:
    """Return the models of this installation."""
    return ModelStore(
        load_settings().data_dir / "models",
        connect=partial(connect, limits=limits()),
        limits=limits(),
    )


def limits() -> Limits:
    """Return what a plugged graph may take here."""
    settings = load_settings()
    return Limits(seconds=settings.model_seconds, memory_mib=settings.model_memory_mib)


def opened(name: str) -> LoadedModel:
    """Return a model by ``id`` or ``id@version``, unless device functions are switched off.

    Raises:
        UnavailableError: They are.
    """
    if not load_settings().device_functions:
        raise UnavailableError(
            "models", "switched off", "set EPICRISIS_DEVICE_FUNCTIONS=true to switch them on"
        )
    model_id, _, version = name.partition("@")
    return store().open(model_id, version)


def add(
    folder: Annotated[Path, typer.Argument(help="Folder with model.onnx, model.json, ...")],
    kind: Annotated[
        str, typer.Option("--from", help=f"epicrisis, {', '.join(KINDS)}: form of the folder")
    ] = "epicrisis",
    given: Annotated[
        Path | None,
        typer.Option("--given", help="JSON file with what another form does not say"),
    ] = None,
    server: Annotated[
        str, typer.Option("--server", help="Address of a KServe v2 server that runs it")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take a model in after every check; a folder that fails one is not taken."""
    if kind == "epicrisis":
        if given is not None:
            raise InvalidValueError("--given", "is for other forms", "put it into model.json")
        model = store().add(folder, server=server)
    else:
        with bring(folder, kind, given) as made:
            model = store().add(made, server=server)
    contract = model.contract
    if as_json:
        print_json({"id": contract.id, "version": contract.version, **model.folder.sha256})
        return
    typer.echo(f"added {contract.id}@{contract.version}: {visible(contract.title)}")
    typer.echo(f"{contract.status}; {visible(contract.regulatory_status)}")


def list_models(as_json: AsJson = False) -> None:
    """List the models that are here; one whose files changed is shown with the problem."""
    rows = store().list()
    if as_json:
        print_json([row.to_json() for row in rows])
        return
    if not rows:
        typer.echo("no models; see `epicrisis model add`")
        return
    table = Table(box=None)
    table.add_column("model", overflow="fold")
    for heading in ("task", "status", "calibrated here", "title or problem"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        said = row.problem or row.title
        site = "yes" if row.site else "no"
        table.add_row(
            Text(f"{row.id}@{row.version}"), row.task, row.status, site, Text(visible(said))
        )
    Console().print(table)


def check(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[ID[@VERSION] | FOLDER]", help="None for every model that is here"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check hash, graph, description and golden vectors; exits 1 where anything is wrong."""
    from tools.models.loaded import load_model

    models = store()
    if name is not None and Path(name).is_dir():
        found = [_checked(name, partial(load_model, Path(name), limits=limits()))]
    else:
        names = [name] if name else [f"{row.id}@{row.version}" for row in models.list()]
        found = []
        for one in names:
            model_id, _, version = one.partition("@")
            found.append(_checked(one, partial(models.open, model_id, version)))
    if as_json:
        print_json([row.to_json() for row in found])
    elif not found:
        typer.echo("no models; see `epicrisis model add`")
    else:
        for row in found:
            typer.echo(f"{visible(row.model)}: {visible(row.problem) or row.said}")
    if any(row.problem for row in found):
        raise typer.Exit(_PROBLEMS)


class Checked(Frozen):
    """What a check found."""

    model: str
    said: str = ""
    problem: str = ""


def _checked(name: str, load: Callable[[], LoadedModel]) -> Checked:
    try:
        model = load()
    except EpicrisisError as error:
        return Checked(model=name, problem=str(error))
    share = model.golden_difference
    return Checked(
        model=name,
        said=f"as described; golden vectors within {share:.1%} of what is allowed; "
        f"{model.runner.where}",
    )


def run(
    name: Name,
    paths: Annotated[list[Path], typer.Argument(help="Files, or the folder of a CT series")],
    together: Annotated[
        bool, typer.Option("--together", help="The files are tiles of one slide: one answer")
    ] = False,
    modality: Annotated[
        str, typer.Option(help="Where the file does not say: CR, DX, SM, ...")
    ] = "",
    view: Annotated[str, typer.Option(help="Where the file does not say: PA, AP, CC, ...")] = "",
    body_part: Annotated[str, typer.Option(help="Where the file does not say")] = "",
    age: Annotated[float | None, typer.Option(help="Years, where the file does not say")] = None,
    spacing: Annotated[
        float | None, typer.Option(help="mm from pixel to pixel, where the file does not say")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for masks: .npz, of a CT series SEG (DICOM) too"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a model about files; a file it was not made for gets no score but the reason.

    Exit codes: 0 every file was answered, 4 refused, 5 a file got no answer (the others did).
    """
    model = opened(name)
    stated = Stated(
        modality=modality, view=view, body_part=body_part, age_years=age, spacing_mm=spacing
    )
    if together or model.contract.input.kind == "bag":
        outcomes = [_together(model, paths, stated)]
    else:
        outcomes = [
            ask_or_say_why(model, read_sample(path, model.contract.input.kind, stated))
            for path in paths
        ]
    if out is not None:
        for at, outcome in enumerate(outcomes):
            _write_masks(out, at, outcome, model)
            if outcome.masks is not None and model.contract.input.kind == "volume3d":
                _write_seg(out, at, outcome, model, paths[at])
    if as_json:
        print_json([outcome.result.to_json() for outcome in outcomes])
    else:
        for outcome in outcomes:
            _show(outcome.result)
    if any(outcome.result.not_assessed is not None for outcome in outcomes):
        raise typer.Exit(_NOT_ASSESSED)


def _together(model: LoadedModel, paths: list[Path], stated: Stated) -> Outcome:
    source = model.contract.input.embedding_of
    if source is None:
        return ask_about_tiles(model, (read_sample(path, "tile", stated) for path in paths))
    embedder = store().open(source.id, source.version)
    return ask(model, bag_of(embedder, (read_sample(path, "tile", stated) for path in paths)))


def _write_masks(folder: Path, at: int, outcome: Outcome, model: LoadedModel) -> None:
    output = model.contract.output("mask")
    if outcome.masks is None or output is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        labels = dict(zip(output.labels, outcome.masks, strict=True))
        np.savez_compressed(folder / f"mask-{at + 1}.npz", **labels)
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot write there: {error.strerror}", "name another folder"
        ) from error


def _write_seg(out: Path, at: int, outcome: Outcome, model: LoadedModel, folder: Path) -> None:
    try:
        write_seg(out, at, outcome, model, folder)
    except ContractError as error:  # the masks themselves are written
        typer.echo(f"no SEG of {visible(folder.name)}: {visible(str(error))}", err=True)


def _show(found: ModelResult) -> None:
    first = found.inputs[0].file if found.inputs else "input"
    typer.echo(f"{visible(first)}  {found.model.id}@{found.model.version}, {found.model.status}")
    if found.not_assessed is not None:
        typer.echo(f"  not assessed: {visible(found.not_assessed.detail)}")
    for said in (*found.scores, *found.boxes):
        typer.echo(f"  {visible(_line(said))}")
    for part in found.mask:
        size = "" if part.volume_ml is None else f", {part.volume_ml:.2f} mL"
        size += "" if part.area_mm2 is None else f", {part.area_mm2:.1f} mm2"
        if part.stretches_s is not None:
            seconds = sum(end - start for start, end in part.stretches_s)
            typer.echo(
                f"  {visible(part.label)}: {len(part.stretches_s)} stretches, {seconds:.2f} s"
            )
            continue
        typer.echo(f"  {visible(part.label)}: {part.pixels} pixels{size}")
    if found.embedding:
        typer.echo(f"  vector of {len(found.embedding)} numbers (see --json)")
    for step in found.preparation:
        typer.echo(f"  prepared: {step.name} ({visible(step.detail)})")
    typer.echo(f"  {found.notice}")


def _line(said: LabelScore) -> str:
    if said.probability is None:
        number = f"score {said.score:.3f} (not calibrated: no probability)"
    else:
        number = f"probability {said.probability:.3f}"
    cut = "" if said.threshold is None else f" of {said.threshold:.3f}"
    words = {
        "at-or-above": f"at or above the threshold{cut}",
        "below": f"below the threshold{cut}",
        "undecided": "undecided: within the band where the model abstains",
        "no-threshold": "no threshold is set",
    }
    where = ""
    if isinstance(said, Box):
        where = " at " + ", ".join(f"{v:.1f}" for v in said.corners)
    return f"{said.label}: {number}, {words[said.verdict]}{where}"


def print_json(body: object) -> None:
    """Print JSON on standard output."""
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
