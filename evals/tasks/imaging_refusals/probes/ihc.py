"""Counts on immunohistochemistry: fields that may be counted and those that may not."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from evals.phantoms.ihc import Look, drawn, field_of, labels_of, whole
from evals.tasks.imaging_refusals.probes.answer import Answer, Recipe, real
from tools.pathology.ihc.calibration import IhcCalibration
from tools.pathology.ihc.field import read_field
from tools.pathology.ihc.labels import Site, calibrated
from tools.pathology.ihc.measure import counted, ihc_nuclear_share
from tools.pathology.ihc.region import Region, read_region

SITE = Site(
    laboratory="drawn",
    clone="drawn",
    stainer="drawn",
    scanner="drawn",
    how="drawn fields, every nucleus labelled by its truth",
    made_on="2026-11-22",
)
_TRAINED = 0.5


@cache
def calibration(mpp: float = _TRAINED) -> IhcCalibration:
    """Return the calibration of two drawn fields whose every nucleus is labelled."""
    look = Look(grades=(0.55, 0.15, 0.15, 0.15), mpp=mpp)
    made = [drawn(look, seed=1000 + n) for n in range(2)]
    each = counted(
        [field_of(p, name=f"training {n}") for n, p in enumerate(made)],
        regions=[whole(p) for p in made],
        marker="er",
        calibration=None,
    )
    return calibrated(each, [labels_of(p) for p in made], marker="er", site=SITE)


def ihc_real(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a share is stated of a real picture, taken whole as tumour.

    Args:
        recipe: ``file``; ``mpp`` (µm a pixel; none where it is not given).
        folder: Not used.
    """
    one = read_field(real(recipe), mpp=recipe.get("mpp"))
    region = Region(mask=np.ones(one.rgb.shape[:2], bool), file="whole")
    ihc_nuclear_share((one,), regions=(region,), marker="ki67")
    return Answer()


def ihc_drawn(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a share is stated of a drawn field.

    Args:
        recipe: ``look`` (of the drawing), ``region`` (none for none given), ``empty``,
            ``calibrated`` (false for none), ``marker``.
        folder: Not used.
    """
    made = drawn(replace(Look(side_um=200), **recipe.get("look", {})), seed=3)
    if recipe.get("empty"):
        made = replace(made, rgb=np.full_like(made.rgb, 245))
    if recipe.get("region") == "none":
        rows, columns = made.rgb.shape[:2]
        read_region(None, size_px=(columns, rows))
    found = ihc_nuclear_share(
        (field_of(made),),
        regions=(whole(made),),
        marker=recipe.get("marker", "er"),
        calibration=calibration() if recipe.get("calibrated", True) else None,
    )
    if found.share is None:
        return Answer(refused=found.not_assessed["share"].detail)
    return Answer()
