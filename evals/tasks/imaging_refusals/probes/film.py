"""Chest films: real files, drawn ones with one defect each, and real ones turned to negatives."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.phantoms.film import chest, dicom, png
from evals.tasks.imaging_refusals.probes.answer import Answer, Recipe, cut, of, real
from knowledge.finding import State
from tools.imaging.film.model import FilmGate
from tools.imaging.film.read import read_film
from tools.imaging.film.report import checked, measured

Grey = NDArray[np.float64]
SHAPES: Mapping[str, Callable[[Grey], Grey]] = {
    "as drawn": lambda grey: grey,
    "on its side": lambda grey: np.rot90(grey).copy(),
    "cut off at the side": lambda grey: np.roll(grey, 290, axis=1),
    "noise": lambda grey: np.random.default_rng(1).random((512, 512)),
    "one grey": lambda grey: np.full((512, 512), 0.4),
    "tiny": lambda grey: grey[::8, ::8],
    "burnt out": lambda grey: np.where(grey > 0.5, 1.0, grey),
    "negative": lambda grey: 1.0 - grey,
}


def film(recipe: Recipe, folder: Path) -> Answer:
    """Return whether anything is measured on a film.

    Args:
        recipe: ``file``, a real one; or ``draw`` (arguments of the drawing), ``shape`` (of
            `SHAPES`), ``dicom`` (changes of its header; a PNG without) and ``cut`` (bytes).
        folder: Not used.
    """
    report = measured(read_film(_content(recipe), file="film"))
    if report.fields or report.ratio is not None:
        return Answer(said=_said(report.gate))
    return Answer(refused=report.not_assessed["lung-fields"].detail, said=_said(report.gate))


def film_ratio(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a cardiothoracic ratio is given."""
    report = measured(read_film(_content(recipe), file="film"))
    if report.ratio is not None:
        return Answer(said=_said(report.gate))
    return Answer(refused=report.not_assessed["cardiothoracic-ratio"].detail)


def film_gate(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a film may be measured at all, by its header and its grey values."""
    gate = checked(read_film(_content(recipe), file="film"))
    if gate.may:
        return Answer(said=_said(gate))
    return Answer(refused=gate.refused["lung-fields"].detail, said=_said(gate))


def _content(recipe: Recipe) -> bytes:
    if "file" in recipe:
        content = real(recipe).read_bytes()
        if not recipe.get("negative"):
            return cut(content, recipe)
        grey = read_film(content, file="film").grey.astype(np.float64)
        return png(1.0 - grey)
    grey = of(SHAPES, recipe.get("shape", "as drawn"), "shape")(
        chest(**recipe.get("draw", {})).grey
    )
    changes = recipe.get("dicom")
    return cut(png(grey) if changes is None else dicom(grey, **changes), recipe)


def _said(gate: FilmGate) -> tuple[str, ...]:
    return tuple(item.id for item in gate.items if item.state is State.PRESENT)
