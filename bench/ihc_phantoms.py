"""Measured errors of the counts on immunohistochemistry, on drawn fields of known truth.

    python bench/ihc_phantoms.py [FIELDS]      # fields of each kind

A calibration is made of labelled nuclei of other drawn fields, as a laboratory would, and every
kind of field is measured with it. Prints the rows of ``knowledge/data/ihc_accuracy.yaml``.
"""

import sys
import time

import numpy as np

from evals.phantoms.ihc import Phantom, drawn, field_of, labels_of, whole
from evals.phantoms.sets import FIELDS, training
from tools.pathology.ihc.calibration import IhcCalibration
from tools.pathology.ihc.labels import Site, calibrated, paired
from tools.pathology.ihc.measure import Counted, counted

SITE = Site(
    laboratory="drawn",
    clone="drawn",
    stainer="drawn",
    scanner="drawn",
    how="drawn fields, every nucleus labelled by its truth",
    made_on="2026-11-22",
)


def main(fields: int) -> None:
    """Print the errors of each kind of field."""
    known = {
        mpp: _calibration([drawn(look, seed=1000 + n) for n, look in enumerate(training(mpp))])
        for mpp in (0.5, 0.25)
    }
    for mpp, made in known.items():
        right = [(a.grade, a.sensitivity_percent, a.specificity_percent) for a in made.agreement]
        steps = (made.positive, made.moderate, made.strong)
        print(f"calibration at {mpp}: {steps}; grade, sensitivity, specificity {right}")
    for name, looks in FIELDS.items():
        start = time.process_time()
        rows = [
            _errors(drawn(look, seed=seed), known[look.mpp])
            for look in looks
            for seed in range(fields)
        ]
        found = np.array(rows)
        print(
            f"{name}: n {len(rows)}; found {100 * found[:, 0].mean():.1f} %, beside "
            f"{100 * found[:, 1].mean():.1f} %, pale found {100 * np.nanmean(found[:, 2]):.1f} %; "
            f"index bias {found[:, 3].mean():+.2f}, mean absolute "
            f"{np.abs(found[:, 3]).mean():.2f}, largest {np.abs(found[:, 3]).max():.2f} points; "
            f"H-score mean absolute {np.abs(found[:, 4]).mean():.1f}, largest "
            f"{np.abs(found[:, 4]).max():.1f}; {(time.process_time() - start) / len(rows):.2f} s",
            flush=True,
        )


def _calibration(made: list[Phantom]) -> IhcCalibration:
    fields = [field_of(p, name=f"training {n}") for n, p in enumerate(made)]
    each = counted(fields, regions=[whole(p) for p in made], marker="er", calibration=None)
    return calibrated(each, [labels_of(p) for p in made], marker="er", site=SITE)


def _errors(made: Phantom, known: IhcCalibration) -> tuple[float, float, float, float, float]:
    """Return shares found, found beside, pale found, and errors of index and H-score."""
    (one,) = counted([field_of(made)], regions=[whole(made)], marker="er", calibration=known)
    truth = labels_of(made)
    pair = paired(one, truth)
    pale = [
        t for t, n in zip(truth, made.nuclei, strict=True) if not n.grade and n.haematoxylin < 0.3
    ]
    found_pale = 1 - paired(one, pale).lost / len(pale) if pale else float("nan")
    share, h_score = _truth(made)
    got, h_got = _got(one)
    every = len(truth)
    return (len(pair.grades) / every, (one.count.nuclei - len(pair.grades)) / every, found_pale,
            got - share, h_got - h_score)  # fmt: skip


def _truth(made: Phantom) -> tuple[float, float]:
    positive, every = made.truth
    return 100 * positive / every, 100 * sum(n.grade for n in made.nuclei) / every


def _got(one: Counted) -> tuple[float, float]:
    c = one.count
    every = c.nuclei
    h_score = 100 * ((c.weak or 0) + 2 * (c.moderate or 0) + 3 * (c.strong or 0)) / every
    return 100 * (c.positive or 0) / every, h_score


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
