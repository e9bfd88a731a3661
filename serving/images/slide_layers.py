"""What is measured or marked on a slide: tissue and pen, maps of doubt, weights of a model, marks.

Each is drawn when it is asked for, on a picture of at most some 2,000 pixels.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, EpicrisisError
from knowledge.settings import Settings
from serving.images.annotations import Drawn
from serving.images.layer import Note
from serving.images.slide_layer import SlideLayer, mapped, marked
from tools.imaging.view.marks import Line, Mark, Mask, Point
from tools.models.contract import ModelContract
from tools.models.in_case import CaseModels, case_models
from tools.models.loaded import LoadedModel
from tools.models.result import ModelRef
from tools.pathology.slide.doubt_maps import doubt_maps
from tools.pathology.slide.embed import Desk, Embedded, embed_slide, tiles_for
from tools.pathology.slide.heat import heat_of
from tools.pathology.slide.model import Slide
from tools.pathology.slide.part_store import Part
from tools.pathology.slide.tiles import plan_tiles
from tools.pathology.slide.tissue import TissueMap

TISSUE, BLUR, FOLDS, HEAT = "tissue", "blur", "folds", "heat"

KEYS = (TISSUE, BLUR, FOLDS, HEAT)
"""The layers that every slide has, or says why it has not."""

TISSUE_LABELS = ("tissue", "pen")
PERCENT = "tissue: %s %% of what was scanned"
AREA = "tissue: %s mm²"
NO_PEN = "no pen is seen"
UNVALIDATED = "not validated: look at the map, nothing is decided by it"
BLUR_ENDS = ("sharpest of the tiles looked at", "least detail of the tiles looked at")
FOLD_ENDS = ("as dark as one layer", "darker than one layer may be")
HEAT_ENDS = ("weighs least, by rank", "weighs most, by rank")
HEAT_MEANS = "no probability, no finding, no outline of a tumour"
HEAT_MODEL = "model: %s %s"
DEMONSTRATION = "a demonstration, not validated"
NO_MODEL = "no multiple-instance model is plugged in"
NO_VECTORS = "no model was asked about this slide yet"
NO_WEIGHTS = "the model gives no weights"
NOT_WHICH = "do not say which of the slides of the case they are of"
NOT_THIS_SLIDE = "does not refer to this slide"
MARKED = "as the file says; who drew it was not checked"

_LONGEST = 2048


def measured_layer(key: str, slide: Slide, found: TissueMap, settings: Settings) -> SlideLayer:
    """Return one of the layers of `KEYS`.

    Args:
        key: Of the layer.
        slide: The slide.
        found: Its tissue.
        settings: Where the models are.

    Raises:
        ContractError: There is none; says why.
        InputError: The slide cannot be read.
    """
    if key == TISSUE:
        return _tissue(slide, found)
    if key == HEAT:
        return _heat(slide, found, settings)
    plan = plan_tiles(slide, found)
    maps = doubt_maps(slide, found, plan)
    note = (Note(UNVALIDATED),)
    if key == BLUR:
        width = plan.covers(slide)[1]
        return mapped(maps.blur, width=width, ends=BLUR_ENDS, notes=note)
    return mapped(maps.folds, width=_width(slide, found), ends=FOLD_ENDS, notes=note)


def require_model(settings: Settings) -> None:
    """Refuse a heat map where no multiple-instance model is plugged in.

    Raises:
        ContractError: There is none.
    """
    models = case_models(settings)
    if models is None or not _multiple_instance(models):
        raise ContractError("heat map", NO_MODEL, "epicrisis model add")


def _multiple_instance(models: CaseModels) -> list[ModelContract]:
    return [one for one in models.store.contracts() if one.input.embedding_of is not None]


def drawn_layer(
    shapes: Sequence[Drawn], *, size: tuple[int, int], widths: Mapping[str, int]
) -> SlideLayer:
    """Return the marks of a file on a slide.

    Args:
        shapes: Of the file.
        size: Columns and rows of the slide.
        widths: By SOP Instance UID of its images how many columns each has; empty for the UID of
            marks that name none.

    Raises:
        ContractError: None of them lies on this slide.
    """
    columns, rows = size
    shrink = max(1.0, max(size) / _LONGEST)
    grid = (max(1, round(rows / shrink)), max(1, round(columns / shrink)))
    mine = [one for one in shapes if one.instance in widths]
    if not mine:
        raise ContractError("marks", NOT_THIS_SLIDE, "draw them on this slide")
    marks: list[Mark] = []
    for one in mine:
        points = one.points * (columns / widths[one.instance] / shrink)
        places = tuple((float(x), float(y)) for x, y in points)
        if len(places) == 1:
            marks.append(Point(at=places[0], label=one.label))
        else:
            marks.append(Line(points=places, label=one.label, closed=one.closed))
    if not any(_inside(mark, grid) for mark in marks):
        raise ContractError("marks", "lie outside of this slide", "draw them on this slide")
    labels = tuple(dict.fromkeys(one.label for one in mine))
    width = grid[1] * shrink / columns
    return marked(
        marks, labels, rows=grid[0], columns=grid[1], width=width, notes=(Note(MARKED),), skip=2
    )


def _inside(mark: Mark, grid: tuple[int, int]) -> bool:
    places = (mark.at,) if isinstance(mark, Point) else getattr(mark, "points", ())
    return any(0 <= x <= grid[1] and 0 <= y <= grid[0] for x, y in places)


def _width(slide: Slide, found: TissueMap) -> float:
    columns: int = found.overview.pixels.shape[1]
    return columns * found.overview.shrink / slide.facts.columns


def _tissue(slide: Slide, found: TissueMap) -> SlideLayer:
    report = found.report
    area = report.tissue_mm2
    notes = [
        Note(PERCENT, (f"{report.tissue_percent:g}",))
        if area is None
        else Note(AREA, (f"{area:g}",))
    ]
    if not found.pen.any():
        notes.append(Note(NO_PEN))
    notes += [Note(one) for one in report.cautions]
    rows, columns = found.tissue.shape
    masks = [
        Mask(values=values, label=label)
        for values, label in zip((found.tissue, found.pen), TISSUE_LABELS, strict=True)
        if values.any()
    ]
    return marked(
        masks,
        TISSUE_LABELS if found.pen.any() else TISSUE_LABELS[:1],
        rows=rows,
        columns=columns,
        width=_width(slide, found),
        notes=tuple(notes),
    )


def _heat(slide: Slide, found: TissueMap, settings: Settings) -> SlideLayer:
    models = case_models(settings)
    if models is None:
        raise ContractError("heat map", NO_MODEL, "epicrisis model add")
    why = NO_VECTORS
    for contract in _multiple_instance(models):
        try:
            model = models.store.open(contract.id, contract.version)
            made = _vectors(model, models, slide, found, settings)
            if made is None:
                continue
            heat = heat_of(model, made)
        except EpicrisisError as error:
            why = error.reason
            continue
        if heat.ranks is None:
            why = NO_WEIGHTS
            continue
        return _weights(heat.report.result.model, heat.ranks, made.plan.covers(slide)[1])
    raise ContractError("heat map", why, "epicrisis slide heatmap asks one")


def _weights(said: ModelRef, ranks: NDArray[np.float64], width: float) -> SlideLayer:
    notes = [Note(HEAT_MODEL, (said.id, said.version)), Note(HEAT_MEANS)]
    if said.status == "demonstration":
        notes.append(Note(DEMONSTRATION))
    return mapped(ranks, width=width, ends=HEAT_ENDS, notes=tuple(notes))


def _vectors(
    model: LoadedModel, models: CaseModels, slide: Slide, found: TissueMap, settings: Settings
) -> Embedded | None:
    """Return the vectors of an earlier run; None where there is none: none are made here."""
    source = model.contract.input.embedding_of
    if source is None:
        return None
    embedder = models.store.open(source.id, source.version)
    side, wanted = tiles_for(embedder)
    plan = plan_tiles(slide, found, tile_px=side, mpp_um=wanted)
    for normalise in (False, True):
        made = embed_slide(
            slide,
            plan,
            embedder,
            settings.data_dir / "slides" / "vectors",
            normalise=normalise,
            run=_nothing,
        )
        if made.report.finished and made.bag is not None:
            return made
    return None


def _nothing(_desk: Desk, _numbers: Sequence[int]) -> Iterator[tuple[int, Part]]:
    """Do no part."""
    yield from ()
