"""CT measurements on phantoms, and diameters of one real aorta against its published report."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.outside_data import outside_path
from evals.phantoms.ct import chest, volume_of
from evals.phantoms.sets import THICK, THIN, nodule_chest
from evals.tasks.imaging_measurements.found import Found
from knowledge.errors import ContractError
from tools.imaging.ct.agatston import agatston
from tools.imaging.ct.aorta import aorta
from tools.imaging.ct.lungs import lungs
from tools.imaging.ct.nodule import measure_nodule

Given = Mapping[str, Any]
REPORT = "ct-totalseg-ref/tests/reference_files/aorta_report"
_SMALL_BELOW = 7.0
_TUBE = (1.5, 1.0, 1.0)


def nodules(given: Given) -> Found:
    """Measure the eight nodules of one chest.

    Args:
        given: ``kind``, ``seed``, ``thick`` (slices of 2.5 mm: only nodules from 7 mm are stated).
    """
    found = Found()
    spacing = THICK if given["thick"] else THIN
    volume, every = nodule_chest(given["kind"], given["seed"], spacing)
    for one, seed in every:
        size = "small" if one.diameter < _SMALL_BELOW else "large"
        if given["thick"] and size == "small":
            continue
        group = f"{given['kind']} {size} {spacing[0]:g}"
        try:
            got = measure_nodule(volume, seed).measure
        except ContractError as error:
            found.refuse(f"{one.diameter:g} mm: {error.reason}")
            continue
        found.add(f"diameter {group}", got.mean_mm - one.diameter)
        if got.volume_mm3 is not None and size == "large" and not given["thick"]:
            true = np.pi * one.diameter**3 / 6
            found.add(f"volume {group}", 100 * (got.volume_mm3 / true - 1), asked=False)
            if got.kind is not None:
                found.types.append(got.kind == given["kind"])
    return found


def lung_volume(given: Given) -> Found:
    """Measure two ellipsoids with half axes of 57.6, 96 and 114 mm: 4/3 pi abc each."""
    hu = chest(spacing=(4.0, 2.0, 2.0), shape=(60, 160, 160), vessels=0, noise=10)
    got = lungs(volume_of(hu, (4.0, 2.0, 2.0)))
    true = 4 / 3 * np.pi * 57.6 * 96 * 114 / 1000
    found = Found()
    for litres in (got.right_ml, got.left_ml):
        found.add("lungs", 100 * (litres / true - 1))
    return found


def calcium(given: Given) -> Found:
    """Score rods of 16 mm2 over two slices; the weight is that of their peak (Agatston 1990)."""
    found = Found()
    for peak, weight in ((160, 1), (250, 2), (350, 3), (600, 4)):
        hu = np.full((6, 40, 40), 40, np.float32)
        hu[2:4, 10:18, 10:18] = peak
        volume = volume_of(hu, (3.0, 0.5, 0.5))
        got = agatston(volume, np.ones(volume.hu.shape, bool), mask_of="drawn")
        found.add("agatston", 100 * (got.score / (2 * 16 * weight) - 1))
    return found


def tube(given: Given) -> Found:
    """Measure a tube of known ``width``, leaning by ``lean`` degrees from the body axis."""
    shape = (80, 120, 120)
    axes = (np.arange(n) * s for n, s in zip(shape, _TUBE, strict=True))
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    way = np.array([np.cos(np.radians(given["lean"])), 0, np.sin(np.radians(given["lean"]))])
    along = (z - 60) * way[0] + (x - 60) * way[2]
    off = (z - 60) ** 2 + (y - 60) ** 2 + (x - 60) ** 2 - along**2
    mask: NDArray[np.bool_] = (off < (given["width"] / 2) ** 2) & (np.abs(along) < 50)
    got = aorta(volume_of(np.zeros(shape, np.float32), _TUBE), mask, mask_of="drawn")
    found = Found()
    for plane in got.planes:
        if 35 <= plane.at_mm <= got.length_mm - 35:
            found.add("aorta mean", plane.mean_mm - given["width"])
            found.add("aorta long", plane.long_mm - given["width"], asked=False)
            found.add("aorta short", plane.short_mm - given["width"], asked=False)
    return found


def real_aorta(given: Given) -> Found:
    """Measure one real aorta at the seven levels of its report whose planes lie across it.

    Annulus, arch and mid descending aorta are left out: the report's planes are not across the
    centreline there.
    """
    import nibabel

    base = outside_path(REPORT)
    image: Any = nibabel.load(base / "test_result" / "models" / "aorta.nii.gz")
    mask = np.asanyarray(image.dataobj).transpose(2, 1, 0) > 0
    volume = volume_of(np.zeros(mask.shape, np.float32), (1.5, 1.5, 1.5))
    got = aorta(volume, mask, mask_of="the report's own mask")
    centres = np.array([plane.centre_lps for plane in got.planes])
    report = json.loads((base / "example_ct_report" / "aorta_report.json").read_text("utf-8"))
    back = np.linalg.inv(image.affine)
    found = Found()
    for key, row in report["landmarks"].items():
        if row["diameter"] is None or key in ("1", "6", "8"):
            continue
        middle = (np.array(row["start"]) + np.array(row["end"])) / 2
        place = (back @ np.r_[middle, 1.0])[:3] * 1.5
        plane = got.planes[int(np.linalg.norm(centres - place, axis=1).argmin())]
        found.add("aorta real", plane.long_mm - 10 * row["diameter"])
        found.add("aorta real", plane.short_mm - 10 * row["diameter_pd"], asked=False)
    return found
