"""Tiles a second against the libraries alone, and vectors a second against ONNX Runtime alone.

One generated slide, as a pyramidal TIFF of JPEG tiles and as a DICOM slide: openslide and wsidicom
read its tiles of 256 x 256 one after the other, and the product reads the same ones. All take turns
in one process; the median of the rounds is printed. The library is given its best form: one call
for each tile, aligned to the tiles of the file, as an array of red, green and blue.

    python bench/slides.py [ROUNDS]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide
import wsidicom  # type: ignore[import-not-found,import-untyped,unused-ignore]

from bench.plugged_models import convolutions, plugged
from evals.phantoms.slides import (
    Blob,
    drawn,
    jpeg,
    tiles_of,
    write_dicom_encoded,
    write_encoded,
)
from tools.models.loaded import LoadedModel
from tools.pathology.slide.embed import PART, embed_slide
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.tiles import TilePlan, plan_tiles, read_tiles
from tools.pathology.slide.tissue import tissue_map

SIDE, SHRINK, TILE = 10_240, 4, 256
READ = 400


def made(folder: Path) -> tuple[Path, Path]:
    """Write the slide in both forms; its tiles are those of one drawn field, used again."""
    field = drawn((1536, 1536), [Blob(768, 768, 1200, 1200)])
    pool = [jpeg(tile) for tile in tiles_of(field)]
    shapes = [(SIDE // SHRINK**k, SIDE // SHRINK**k) for k in range(3)]
    levels = []
    for rows, columns in shapes:
        count = -(-rows // TILE) * -(-columns // TILE)
        levels.append([pool[(7 * at) % len(pool)] for at in range(count)])
    svs = write_encoded(folder / "made.svs", shapes, levels, 0.5, 20, label=False)
    return svs, write_dicom_encoded(folder / "dicom", shapes, levels, mpp=0.5, objective=20)


def whole_plan() -> TilePlan:
    """Return the first tiles of the grid, row by row."""
    across = SIDE // TILE
    places = tuple((at // across, at % across) for at in range(READ))
    return TilePlan(
        tile_px=TILE, level=0, side=float(TILE), shrink=1.0, mpp_um=0.5, grid=(across, across),
        places=places, kept_from=READ, least_tissue=0, left_out_pen=0,
    )  # fmt: skip


def raw_openslide(path: Path, plan: TilePlan) -> None:
    """Read the tiles with openslide alone."""
    with openslide.OpenSlide(path) as slide:
        for row, column in plan.places:
            picture = slide.read_region((column * TILE, row * TILE), 0, (TILE, TILE))
            np.ascontiguousarray(np.asarray(picture)[..., :3])


def raw_wsidicom(folder: Path, plan: TilePlan) -> None:
    """Read the tiles with wsidicom alone."""
    with wsidicom.WsiDicom.open(folder) as slide:
        for row, column in plan.places:
            slide.read_region((column * TILE, row * TILE), 0, (TILE, TILE), as_array=True)


def ours(path: Path, plan: TilePlan, *, reader: str = "auto", threads: int | None = None) -> None:
    """Read the tiles as the product does."""
    with open_slide(path, reader=reader) as slide:  # type: ignore[arg-type]
        for _ in read_tiles(slide, plan, range(READ), threads=threads):
            pass


def tiles(svs: Path, dicom: Path, rounds: int) -> None:
    """Print tiles a second."""
    plan = whole_plan()
    ways: dict[str, Callable[[], None]] = {
        "TIFF, openslide alone": lambda: raw_openslide(svs, plan),
        "TIFF, ours, one thread": lambda: ours(svs, plan, threads=1),
        "TIFF, ours": lambda: ours(svs, plan),
        "DICOM, openslide alone": lambda: raw_openslide(dicom / "level-0.dcm", plan),
        "DICOM, wsidicom alone": lambda: raw_wsidicom(dicom, plan),
        "DICOM, ours, one thread": lambda: ours(dicom, plan, threads=1),
        "DICOM, ours": lambda: ours(dicom, plan),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            rates[name].append(READ / (time.perf_counter() - start))
    for name, found in rates.items():
        print(f"tiles a second: {statistics.median(found):7.0f}  {name}")


def model_of_tiles(folder: Path) -> LoadedModel:
    """Return the convolutions of the benchmark of plugged models as a model of tiles of 224."""
    given = {
        "kind": "tile", "modality": ["SM"], "axes": "NCHW", "shape": [1, 3, 224, 224],
        "photometric": "RGB", "fit": {"kind": "centre-crop"},
        "normalise": {
            "kind": "mean-std", "divide": 255, "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
    }  # fmt: skip
    return plugged(folder, convolutions(), "embedding", given, {"kind": "embedding"})


def vectors(svs: Path, folder: Path, rounds: int) -> None:
    """Print vectors a second, from the slide to the disk, and of the runtime alone."""
    model = model_of_tiles(folder / "model")
    ready = np.zeros((1, 3, 224, 224), np.float32)
    whole, alone = [], []
    with open_slide(svs) as slide:
        plan = plan_tiles(slide, tissue_map(slide), tile_px=224, most=2 * PART)
        for number in range(rounds):
            start = time.perf_counter()
            embed_slide(slide, plan, model, folder / f"run-{number}")
            whole.append(2 * PART / (time.perf_counter() - start))
            start = time.perf_counter()
            for _ in range(2 * PART):
                model.runner.run({"x": ready}, ("y",))
            alone.append(2 * PART / (time.perf_counter() - start))
    slow, fast = statistics.median(whole), statistics.median(alone)
    print(f"vectors a second: {slow:.1f} from slide to disk, {fast:.1f} ONNX Runtime alone "
          f"({1000 / slow - 1000 / fast:.1f} ms a tile for the rest)")  # fmt: skip


def main() -> None:
    """Run both."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        svs, dicom = made(folder)
        tiles(svs, dicom, rounds)
        vectors(svs, folder, rounds)


if __name__ == "__main__":
    main()
