"""CT: files, drawn series with one defect each, and volumes that hold something else."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.phantoms.ct import Nodule, block, chest, dicom_slice, series, volume_of
from evals.tasks.imaging_refusals.probes.answer import Answer, Recipe, of, real
from knowledge.errors import UnavailableError
from tools.imaging.ct.agatston import agatston
from tools.imaging.ct.aorta import aorta
from tools.imaging.ct.lungs import lungs
from tools.imaging.ct.nodule import measure_nodule
from tools.imaging.ct.report import measured
from tools.imaging.ct.volume import read_files, read_folder

Floats = NDArray[np.float32]
SPACING = (1.25, 0.7, 0.7)
COARSE = (4.0, 2.0, 2.0)


def ct_file(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a real file or folder is read as a CT series."""
    path = real(recipe)
    if path.is_dir():
        read_folder(path)
    else:
        read_files({path.name: path.read_bytes()})
    return Answer()


def ct_series(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a drawn series of six slices is read.

    Args:
        recipe: ``every`` (changes of every header), ``slices`` (changes of some), ``drop``
            (names), ``cut`` (bytes from the end of some), ``slant`` (mm of a row a slice).
        folder: Not used.
    """
    random = np.random.default_rng(0)
    hu = random.normal(40, 20, (6, 24, 24)).astype(np.float32)
    hu[:, :8] = -1000
    slant = recipe.get("slant", 0.0)
    changed = dict(recipe.get("slices", {}))
    if slant:
        changed = {
            f"{k:03}.dcm": {"ImagePositionPatient": [0, k * slant, k * SPACING[0]]}
            for k in range(6)
        }
    files = series(hu * 0 if recipe.get("blank") else hu, SPACING, **recipe.get("every", {}))
    for name, changes in changed.items():
        level = int(name[:3])
        own = {
            "SOPInstanceUID": f"1.2.2.{level + 1}",
            "ImagePositionPatient": [0, 0, level * SPACING[0]],
        }
        files[name] = dicom_slice(hu[level].astype(np.int16), **{**own, **changes})
    for name, size in recipe.get("cut", {}).items():
        files[name] = files[name][:-size]
    read_files({k: v for k, v in files.items() if k not in recipe.get("drop", ())})
    return Answer()


def _one_lung(hu: Floats) -> None:
    hu[:, :, :80] = np.where(hu[:, :, :80] < -500, 40, hu[:, :, :80])


def _gas(hu: Floats) -> None:
    part = hu[::2]
    part[(part < -700) & (part > -950)] = -990


def _no_air(hu: Floats) -> None:
    hu[(hu < -700) & (hu > -950)] = 40


def _nothing(hu: Floats) -> None:
    """Leave both lungs as they are."""


CHESTS: Mapping[str, Callable[[Floats], None]] = {
    "two lungs": _nothing,
    "one lung": _one_lung,
    "bowel gas": _gas,
    "no air": _no_air,
}


def ct_lungs(recipe: Recipe, folder: Path) -> Answer:
    """Return whether lungs are measured on a volume.

    Args:
        recipe: ``nifti``, a real one of 3 mm; or ``chest`` (of `CHESTS`), ``levels`` (first and
            last slice), ``every`` (nth slice) and ``volume`` (facts of the series).
        folder: Not used.
    """
    if "nifti" in recipe:
        lungs(volume_of(_nifti(recipe), (3.0, 3.0, 3.0), body_part=""))
        return Answer()
    hu = chest(spacing=COARSE, shape=(60, 160, 160), vessels=0, noise=0)
    of(CHESTS, recipe["chest"], "chest")(hu)
    first, last = recipe.get("levels", (0, 60))
    step = recipe.get("every", 1)
    spacing = (COARSE[0] * step, COARSE[1], COARSE[2])
    volume = volume_of(hu[first:last:step], spacing, **recipe.get("volume", {}))
    if "age" in recipe:
        facts = volume.facts.model_copy(update={"age_years": recipe["age"]})
        volume = type(volume)(
            hu=volume.hu, spacing_mm=spacing, affine_lps=volume.affine_lps, facts=facts
        )
    report = measured(volume, seeds=(), answers={})
    if report.lungs is None:
        return Answer(refused=report.not_assessed["lungs"].detail)
    return Answer()


def _nifti(recipe: Recipe) -> Floats:
    try:
        import nibabel
    except ImportError as error:
        raise UnavailableError("NIfTI", "cannot be read", "install epicrisis[ct]") from error
    image: Any = nibabel.load(real({"file": recipe["nifti"]}))
    found: Floats = np.asanyarray(image.dataobj).transpose(2, 1, 0).astype(np.float32)
    return found


def ct_nodule(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a nodule in a cube of lung is measured.

    Args:
        recipe: ``diameter`` mm (0 for none), ``wall`` and ``vessel`` as drawn, ``spacing``, and
            ``centre`` and ``seed`` (slice, row, column) mm.
        folder: Not used.
    """
    spacing = tuple(recipe.get("spacing", SPACING))
    z, y, x = recipe.get("centre", (30.0, 30.0, 30.0))
    nodules = [Nodule((z, y, x), recipe["diameter"])] if recipe["diameter"] else []
    hu = block(
        nodules,
        spacing=(spacing[0], spacing[1], spacing[2]),
        wall=recipe.get("wall", 0.0),
        vessel=recipe.get("vessel", 0.0),
    )
    z, y, x = recipe.get("seed", (z, y, x))
    measure_nodule(volume_of(hu, (spacing[0], spacing[1], spacing[2])), (x, y, z))
    return Answer()


def ct_agatston(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a calcium score is given.

    Args:
        recipe: ``volume`` (facts), ``spacing``, ``contrast``, ``mask`` (all or none).
        folder: Not used.
    """
    spacing = tuple(recipe.get("spacing", (3.0, 0.5, 0.5)))
    hu = np.full((6, 80, 80), 40, np.float32)
    hu[2:4, 10:18, 5:13] = 350
    volume = volume_of(hu, (spacing[0], spacing[1], spacing[2]), **recipe.get("volume", {}))
    facts = volume.facts.model_copy(update={"contrast": recipe.get("contrast", False)})
    volume = type(volume)(
        hu=volume.hu, spacing_mm=volume.spacing_mm, affine_lps=volume.affine_lps, facts=facts
    )
    mask = np.full(volume.hu.shape, recipe.get("mask", "all") == "all")
    agatston(volume, mask, mask_of="drawn")
    return Answer()


def ct_aorta(recipe: Recipe, folder: Path) -> Answer:
    """Return whether diameters are given for a tube.

    Args:
        recipe: ``mask``: whole, empty, in pieces or short; ``spacing``.
        folder: Not used.
    """
    a, b, c = recipe.get("spacing", (1.5, 1.0, 1.0))
    shape = (round(120 / a), 120, 120)
    y, x = np.meshgrid(np.arange(120) * b, np.arange(120) * c, indexing="ij")
    tube = np.broadcast_to((y - 60) ** 2 + (x - 60) ** 2 < 15**2, shape).copy()
    tube[:6] = tube[-6:] = False
    match recipe["mask"]:
        case "empty":
            tube[:] = False
        case "in pieces":
            tube[shape[0] // 2 - 2 : shape[0] // 2 + 2] = False
        case "short":
            tube[: shape[0] // 3] = tube[shape[0] // 2 :] = False
        case _:
            pass
    aorta(volume_of(np.zeros(shape, np.float32), (a, b, c)), tube, mask_of="drawn")
    return Answer()
