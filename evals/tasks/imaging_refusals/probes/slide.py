"""Slides and their tiles: real ones, drawn ones with one defect each."""

from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import UID

from evals.phantoms.slides import Blob, drawn, pyramid, write_dicom_slide, write_svs
from evals.tasks.imaging_refusals.probes.answer import Answer, Recipe, cut, real
from tools.pathology.slide.check import INFORMS, checked
from tools.pathology.slide.model import Slide
from tools.pathology.slide.opening import open_slide
from tools.pathology.slide.tile_content import tile_content

PEN = (25, 60, 170)


def slide_file(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a real file is opened as a slide."""
    with open_slide(real(recipe)) as slide:
        return Answer(said=tuple(problem.code for problem in slide.facts.problems))


def slide_micrometres(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a slide has a size in micrometres."""
    with open_slide(real(recipe) if "file" in recipe else _written(recipe, folder)) as slide:
        _ = slide.mpp_um
        return Answer()


def slide_check(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a drawn slide can be used: nothing but what informs is named.

    Args:
        recipe: ``tissue`` (stained, none or pen), ``mpp``, ``stain`` (expected), ``cut`` (bytes),
            ``dicom`` (written as DICOM), ``species``.
        folder: Where the slide is written.
    """
    with open_slide(_written(recipe, folder)) as slide:
        return _judged(slide, recipe)


def _judged(slide: Slide, recipe: Recipe) -> Answer:
    found = checked(slide, expected_stain=recipe.get("stain", ""))[0]
    stops = [p.detail for p in found.problems if p.code not in INFORMS]
    return Answer(refused="; ".join(stops), said=tuple(p.code for p in found.problems))


def _written(recipe: Recipe, folder: Path) -> Path:
    kind = recipe.get("tissue", "stained")
    blobs = [Blob(450, 700, 330, 560)] if kind != "none" else []
    picture = drawn((900, 1400), blobs)
    if kind == "pen":
        picture = drawn((900, 1400), blobs, stroma=PEN, nuclei=PEN)
    levels = pyramid(picture)
    if recipe.get("dicom"):
        path = write_dicom_slide(folder / "slide", levels)
        species = recipe.get("species")
        if species:
            for number, file in enumerate(sorted(path.iterdir())):
                ds = pydicom.dcmread(file)
                ds.PatientSpeciesDescription = species
                ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.9.{number}")
                ds.save_as(file)
        return path
    path = write_svs(folder / "made.svs", levels, mpp=recipe.get("mpp", 0.5))
    path.write_bytes(cut(path.read_bytes(), recipe))
    return path


def tile(recipe: Recipe, folder: Path) -> Answer:
    """Return whether a real tile would be used: tissue, and no pen on it."""
    with Image.open(real(recipe)) as opened:
        seen = opened.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        white.alpha_composite(seen)
        found = tile_content(np.asarray(white.convert("RGB")))
    if found.pen:
        return Answer(refused="pen")
    return Answer(refused="" if found.tissue else "no tissue")
