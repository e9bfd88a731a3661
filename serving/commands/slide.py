"""``epicrisis slide info|check|tissue|tiles|embed|heatmap PATH...``: slides of pathology.

Exit codes: 0 every slide was done; 1 `check` found a problem (a note is none); 4 a slide was
refused, with the reason (the others are done); 6 stopped before the end, run again to go on.
"""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import orjson
import typer
from rich.console import Console

from agent.assessment import RESEARCH_USE
from knowledge.errors import EpicrisisError, InvalidValueError, UnavailableError
from knowledge.model import Frozen
from knowledge.plain_text import visible
from knowledge.settings import load_settings
from serving.commands.model import opened, store
from serving.slide_text import (
    check_lines,
    embed_lines,
    facts_lines,
    heat_lines,
    plan_lines,
    tissue_lines,
)
from tools.models.loaded import LoadedModel
from tools.pathology.slide.check import INFORMS, checked
from tools.pathology.slide.embed import Embedded, embed_slide, tiles_for
from tools.pathology.slide.heat import heat_of
from tools.pathology.slide.machines import runner_for
from tools.pathology.slide.model import Slide
from tools.pathology.slide.opening import Reader, open_slide
from tools.pathology.slide.overlay import heat_overlay, png, tissue_overlay
from tools.pathology.slide.tiles import plan_tiles, read_tiles
from tools.pathology.slide.tissue import tissue_map

PROBLEM, REFUSED, STOPPED = 1, 4, 6
BLUR = "Bright: less detail than the other tiles of this slide. Not validated."
FOLDS = "Bright: darker and more coloured than one layer may be. Not validated."

Paths = Annotated[list[Path], typer.Argument(help="Slides; of a DICOM slide a file or its folder")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output")]
ReaderName = Annotated[str, typer.Option("--reader", help="auto, openslide or wsidicom")]
Mpp = Annotated[
    float | None,
    typer.Option("--mpp", help="Pixel of the slide in um, where the file does not say"),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Folder for pictures")]
Stain = Annotated[
    str, typer.Option("--expect-stain", help="haematoxylin-eosin, haematoxylin-dab, ...")
]
Most = Annotated[int | None, typer.Option("--most", min=1, help="Most tiles of a slide")]
Normalise = Annotated[
    bool,
    typer.Option("--normalise", help="Bring haematoxylin and eosin to the reference (Macenko)"),
]
Lines = Iterable[str]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Slides of pathology. Exit codes: 0 done, 1 check found a problem (a note is none), "
        "4 refused, 6 stopped before the end.",
        no_args_is_help=True,
    )
    for function in (info, check, tissue, tiles, embed, heatmap):
        group.command(function.__name__)(function)
    app.add_typer(group, name="slide")


def info(
    paths: Paths, reader: ReaderName = "auto", mpp: Mpp = None, as_json: AsJson = False
) -> None:
    """Say what the files say: levels, pixel size, objective; label and overview are never read."""

    def one(slide: Slide, _path: Path) -> tuple[Frozen, Lines]:
        return slide.facts, facts_lines(slide.facts)

    _each(paths, one, reader=reader, mpp=mpp, as_json=as_json)


def check(
    paths: Paths,
    reader: ReaderName = "auto",
    mpp: Mpp = None,
    expect_stain: Stain = "",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Check files, scale, tissue, pen and stain; exits 1 on a problem, not on a note."""
    look = load_settings().device_functions
    problems = 0

    def one(slide: Slide, path: Path) -> tuple[Frozen, Lines]:
        nonlocal problems
        said, found, maps = checked(slide, expected_stain=expect_stain, look=look)
        problems += sum(p.code not in INFORMS for p in said.problems)
        if out is not None and found is not None:
            _write(out, f"{path.stem}-tissue.png", tissue_overlay(found))
            if maps is not None:
                base = found.overview.pixels
                covers = plan_tiles(slide, found).covers(slide)
                blur = heat_overlay(base, maps.blur, BLUR, covers=covers)
                _write(out, f"{path.stem}-blur.png", blur)
                _write(out, f"{path.stem}-folds.png", heat_overlay(base, maps.folds, FOLDS))
        return said, check_lines(said)

    _each(paths, one, reader=reader, mpp=mpp, as_json=as_json)
    if problems:
        raise typer.Exit(PROBLEM)


def tissue(
    paths: Paths,
    reader: ReaderName = "auto",
    mpp: Mpp = None,
    expect_stain: Stain = "",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Say how much tissue and pen there is; a slide without tissue or all pen is refused."""
    _require_on()

    def one(slide: Slide, path: Path) -> tuple[Frozen, Lines]:
        found = tissue_map(slide, expected_stain=expect_stain)
        if out is not None:
            _write(out, f"{path.stem}-tissue.png", tissue_overlay(found))
        return found.report, tissue_lines(found.report)

    _each(paths, one, reader=reader, mpp=mpp, as_json=as_json)


def tiles(
    paths: Paths,
    tile: Annotated[int | None, typer.Option("--tile", min=16, help="Side, pixels")] = None,
    at: Annotated[float | None, typer.Option("--at", help="Wanted um a pixel")] = None,
    least: Annotated[
        float | None, typer.Option("--least-tissue", min=0, max=100, help="Percent of a tile")
    ] = None,
    most: Most = None,
    out: Out = None,
    reader: ReaderName = "auto",
    mpp: Mpp = None,
    as_json: AsJson = False,
) -> None:
    """Say which tiles hold tissue and hardly any pen; with --out write them as PNG."""
    _require_on()

    def one(slide: Slide, path: Path) -> tuple[Frozen, Lines]:
        plan = plan_tiles(
            slide, tissue_map(slide), tile_px=tile, mpp_um=at, least_tissue=least, most=most
        )
        if out is not None:
            for found in read_tiles(slide, plan, range(len(plan.places))):
                row, column = plan.places[found.number]
                _write(out, f"{path.stem}-{row}-{column}.png", png(found.pixels))
        return plan, plan_lines(slide.facts.file, plan)

    _each(paths, one, reader=reader, mpp=mpp, as_json=as_json)


def embed(
    paths: Paths,
    model: Annotated[str, typer.Option("--model", help="Embedding model: ID[@VERSION]")],
    at: Annotated[
        float | None, typer.Option("--at", help="um a pixel, where the model does not say")
    ] = None,
    normalise: Normalise = False,
    most: Most = None,
    reader: ReaderName = "auto",
    mpp: Mpp = None,
    as_json: AsJson = False,
) -> None:
    """Make the vectors of all tiles; stopped with Ctrl-C it goes on from there next time."""
    embedder = opened(model)
    unfinished = 0

    def one(slide: Slide, path: Path) -> tuple[Frozen, Lines]:
        nonlocal unfinished
        found = _vectors(
            slide, path, embedder, at=at, normalise=normalise, most=most, mpp=mpp, stop=stop
        )
        unfinished += not found.report.finished
        return found.report, embed_lines(found.report)

    with _stoppable() as stop:
        unfinished += _each(paths, one, reader=reader, mpp=mpp, as_json=as_json, stop=stop)
    if unfinished:
        raise typer.Exit(STOPPED)


def heatmap(
    paths: Paths,
    model: Annotated[str, typer.Option("--model", help="Multiple-instance model: ID[@VERSION]")],
    at: Annotated[
        float | None,
        typer.Option("--at", help="um a pixel, where the embedding model does not say"),
    ] = None,
    normalise: Normalise = False,
    most: Most = None,
    out: Out = None,
    reader: ReaderName = "auto",
    mpp: Mpp = None,
    as_json: AsJson = False,
) -> None:
    """Ask a multiple-instance model about a slide, and show where its weights lie."""
    asked = opened(model)
    source = asked.contract.input.embedding_of
    if source is None:
        raise InvalidValueError("--model", "takes no vectors of tiles", "a multiple-instance model")
    embedder = store().open(source.id, source.version)
    unfinished = 0

    def one(slide: Slide, path: Path) -> tuple[Frozen, Lines]:
        nonlocal unfinished
        found = _vectors(
            slide, path, embedder, at=at, normalise=normalise, most=most, mpp=mpp, stop=stop
        )
        if not found.report.finished:
            unfinished += 1
            return found.report, embed_lines(found.report)
        heat = heat_of(asked, found)
        if out is not None and heat.ranks is not None:
            base = tissue_map(slide).overview.pixels
            picture = heat_overlay(
                base, heat.ranks, heat.report.means, covers=found.plan.covers(slide)
            )
            _write(out, f"{path.stem}-heat.png", picture)
        return heat.report, heat_lines(slide.facts.file, heat.report)

    with _stoppable() as stop:
        unfinished += _each(paths, one, reader=reader, mpp=mpp, as_json=as_json, stop=stop)
    if unfinished:
        raise typer.Exit(STOPPED)


def _vectors(
    slide: Slide,
    path: Path,
    embedder: LoadedModel,
    *,
    at: float | None,
    normalise: bool,
    most: int | None,
    mpp: float | None,
    stop: Callable[[], bool],
) -> Embedded:
    settings = load_settings()
    side, wanted = tiles_for(embedder)
    if at is not None and wanted is not None:
        raise InvalidValueError("--at", f"the model takes {wanted:g} um a pixel", "leave it out")
    plan = plan_tiles(slide, tissue_map(slide), tile_px=side, mpp_um=wanted or at, most=most)
    named = embedder.contract
    folder = settings.data_dir / "models" / named.id / named.version
    run = runner_for(settings.ray_address, path=path, model=folder, mpp_um=mpp)
    return embed_slide(
        slide,
        plan,
        embedder,
        settings.data_dir / "slides" / "vectors",
        normalise=normalise,
        progress=partial(_progress, slide.facts.file),
        cancelled=stop,
        run=run,
    )


def _progress(file: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{visible(file)}: {done} of {of} tiles", err=True, nl=done == of)


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C and a termination end the run after the part at hand."""
    asked = False

    def ask(_signal: int, _frame: object) -> None:
        nonlocal asked
        asked = True

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _each(
    paths: list[Path],
    one: Callable[[Slide, Path], tuple[Frozen, Lines]],
    *,
    reader: str,
    mpp: float | None,
    as_json: bool,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Do something with each slide; one that is refused does not stop the others.

    Returns:
        Slides that were not begun, since it was stopped.
    """
    if reader not in ("auto", "openslide", "wsidicom"):
        raise InvalidValueError("--reader", "is not known", "auto, openslide or wsidicom")
    name = cast(Literal["auto", "openslide", "wsidicom"], reader)
    rows: list[dict[str, Any]] = []
    refused = 0
    if not as_json:
        typer.echo(RESEARCH_USE)
    begun = 0
    for path in paths:
        if stop():
            break
        begun += 1
        try:
            said, lines = _done(path, one, name, mpp)
        except EpicrisisError as error:
            refused += 1
            rows.append({"path": str(path), "refused": str(error), "kind": type(error).__name__})
            text = visible(f"epicrisis: {error}")
            Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
            continue
        rows.append({"path": str(path), **said.to_json()})
        if not as_json:
            for line in lines:
                typer.echo(visible(line))
    if as_json:
        body = {"notice": RESEARCH_USE, "slides": rows}
        typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
    if refused:
        raise typer.Exit(REFUSED)
    return len(paths) - begun


def _done(
    path: Path,
    one: Callable[[Slide, Path], tuple[Frozen, Lines]],
    reader: Reader,
    mpp: float | None,
) -> tuple[Frozen, Lines]:
    with open_slide(path, reader=reader, mpp_um=mpp) as slide:
        said, lines = one(slide, path)
        return said, list(lines)


def _require_on() -> None:
    if not load_settings().device_functions:
        raise UnavailableError(
            "slides", "switched off", "set EPICRISIS_DEVICE_FUNCTIONS=true to switch it on"
        )


def _write(folder: Path, name: str, content: bytes) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    except OSError as error:
        raise InvalidValueError(
            "--out", f"cannot write there: {error.strerror}", "name another folder"
        ) from error
