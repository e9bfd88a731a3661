"""Counts on drawn fields of immunohistochemistry, and the tissue of generated slides."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evals.phantoms.ihc import Phantom, drawn, field_of, labels_of, whole
from evals.phantoms.sets import FIELDS, slides, training
from evals.phantoms.slides import pyramid, write_svs
from evals.tasks.imaging_measurements.found import Found
from tools.pathology.ihc.calibration import IhcCalibration
from tools.pathology.ihc.labels import Site, calibrated
from tools.pathology.ihc.measure import counted
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.tissue import tissue_map

Given = Mapping[str, Any]
LOOKS = {
    "low": "2 to 40 % positive, a third of the negative nuclei pale",
    "high": "70 to 95 % positive",
    "haze": "brown haze of density 0.1, 30 % positive",
    "fine": "pixels of 0.25 um, 30 % positive",
}
_SITE = Site(
    laboratory="drawn",
    clone="drawn",
    stainer="drawn",
    scanner="drawn",
    how="drawn fields, every nucleus labelled by its truth",
    made_on="2026-11-22",
)


def fields(given: Given) -> Found:
    """Count the nuclei of one drawn field.

    Args:
        given: ``look`` (of `LOOKS`), ``of`` (which of its looks) and ``seed``.
    """
    look = FIELDS[LOOKS[given["look"]]][given["of"]]
    made = drawn(look, seed=given["seed"])
    (one,) = counted(
        [field_of(made)], regions=[whole(made)], marker="er", calibration=_calibration(look.mpp)
    )
    share, h_score = _truth(made)
    count = one.count
    found = Found()
    found.add(f"index {given['look']}", 100 * (count.positive or 0) / count.nuclei - share)
    if given["look"] in ("low", "high"):
        grades = (count.weak or 0) + 2 * (count.moderate or 0) + 3 * (count.strong or 0)
        found.add(f"h-score {given['look']}", 100 * grades / count.nuclei - h_score, asked=False)
    return found


def _truth(made: Phantom) -> tuple[float, float]:
    positive, every = made.truth
    return 100 * positive / every, 100 * sum(n.grade for n in made.nuclei) / every


@cache
def _calibration(mpp: float) -> IhcCalibration:
    """Return a calibration made of labelled nuclei of other drawn fields."""
    made = [drawn(look, seed=1000 + n) for n, look in enumerate(training(mpp))]
    each = counted(
        [field_of(p, name=f"training {n}") for n, p in enumerate(made)],
        regions=[whole(p) for p in made],
        marker="er",
        calibration=None,
    )
    return calibrated(each, [labels_of(p) for p in made], marker="er", site=_SITE)


def tissue(given: Given) -> Found:
    """Measure the tissue of generated slides; ``slides`` says how many."""
    found = Found()
    with TemporaryDirectory() as folder:
        for number, (true, picture) in enumerate(slides(given["slides"])):
            path = write_svs(Path(folder) / f"{number}.svs", pyramid(picture), mpp=0.5)
            with open_slide(path) as slide:
                seen = tissue_map(slide).report.tissue_mm2
            if seen is None:
                found.refuse("the tissue has no area")
            else:
                found.add("tissue", 100 * (seen / true - 1))
    return found
