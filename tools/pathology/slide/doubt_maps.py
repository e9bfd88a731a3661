"""Where a slide may be blurred or folded: maps for the eye, never validated, never a verdict."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from knowledge.model import Frozen
from knowledge.slide_measurements import slide_limit
from tools.pathology.slide.colour import colours
from tools.pathology.slide.model import Rgb, Slide
from tools.pathology.slide.tiles import TilePlan, read_tiles
from tools.pathology.slide.tissue import TissueMap

_SHOWN = 0.8
"""Range of the fold map, from dark to bright."""

UNVALIDATED = "not validated: look at the map, nothing is decided by it"


class DoubtReport(Frozen):
    """What the maps hold in numbers.

    Args:
        tiles: Looked at for blur.
        sharpness_low, sharpness_median: 5th percentile and median over tiles of the variance of the
            Laplacian of grey levels; it depends on tissue and scanner: compare tiles of one slide.
        fold_percent: Share of the tissue that is darker and more coloured than one layer may be.
        basis: That none of it is validated.
    """

    tiles: int
    sharpness_low: float
    sharpness_median: float
    fold_percent: float
    basis: str = UNVALIDATED


@dataclass(frozen=True, kw_only=True, eq=False)
class DoubtMaps:
    """The maps.

    Args:
        report: In numbers.
        blur: (rows, columns) of the plan's grid: 1 the blurriest tile looked at, 0 the sharpest, by
            rank; NaN where none was looked at.
        folds: (rows, columns) of the overview, 0 to 1; NaN outside of tissue.
    """

    report: DoubtReport
    blur: NDArray[np.float64] = field(repr=False)
    folds: NDArray[np.float64] = field(repr=False)


def doubt_maps(slide: Slide, found: TissueMap, plan: TilePlan, *, most: int = 400) -> DoubtMaps:
    """Return where tiles have little detail, and where tissue is darker than one layer may be.

    Args:
        slide: The slide.
        found: Its tissue.
        plan: Its tiles, of the first level: blur cannot be seen on a shrunk one.
        most: Tiles looked at, evenly spread.
    """
    some = np.linspace(0, len(plan.places) - 1, min(most, len(plan.places)))
    numbers = sorted({round(float(at)) for at in some})
    sharp = np.array([sharpness(tile.pixels) for tile in read_tiles(slide, plan, numbers)])
    blur = np.full(plan.grid, np.nan)
    order = sharp.argsort(kind="stable").argsort(kind="stable")
    for number, rank in zip(numbers, order, strict=True):
        blur[plan.places[number]] = 1 - rank / max(1, len(numbers) - 1)
    folds, share = _folds(found)
    report = DoubtReport(
        tiles=len(numbers),
        sharpness_low=round(float(np.percentile(sharp, 5)), 2),
        sharpness_median=round(float(np.median(sharp)), 2),
        fold_percent=round(100 * share, 2),
    )
    return DoubtMaps(report=report, blur=blur, folds=folds)


def sharpness(rgb: Rgb) -> float:
    """Return the variance of the Laplacian of grey levels (0 to 255) where a picture is coloured.

    Glass has no detail: counted with it, every tile at a border would look blurred.
    """
    grey = rgb.mean(axis=2, dtype=np.float64)
    spread = rgb.max(axis=2).astype(np.float64) - rgb.min(axis=2)
    coloured = spread > slide_limit("saturation_floor") * np.maximum(rgb.max(axis=2), 1)
    detail = ndimage.laplace(grey, mode="nearest")
    return float((detail[coloured] if coloured.any() else detail).var())


def _folds(found: TissueMap) -> tuple[NDArray[np.float64], float]:
    """Return saturation less value where there is tissue, and how much is above the limit."""
    seen = colours(found.overview.pixels, smoothing=slide_limit("tissue_smoothing"))
    dark = seen.saturation.astype(np.float64) - seen.value
    inside = found.tissue
    share = float((dark[inside] > slide_limit("fold_value")).mean()) if inside.any() else 0.0
    values = np.where(
        inside, np.clip((dark - slide_limit("fold_value")) / _SHOWN + 0.6, 0, 1), np.nan
    )
    return values, share
