"""A slide of a case: whether it can be used, and how much tissue it shows."""

from collections.abc import Iterator

from knowledge.finding import Finding, NotAssessed, Why
from knowledge.quantity import Quantity, Text
from tools.imaging.in_case.apart import apart
from tools.imaging.in_case.model import StudyImages
from tools.imaging.in_case.on_disk import on_disk
from tools.imaging.in_case.once import once
from tools.imaging.in_case.said import SIGNS, missing, value
from tools.imaging.model import StudyMeasures
from tools.pathology.slide.check import CARD, SlideCheck, checked, slide_check
from tools.pathology.slide.opening import open_slide
from tools.toolbox import tool

NAME = "measure_slide"
VERSION = slide_check.version
METHOD = f"{slide_check.name} {VERSION}"
_CARD = CARD.model_copy(
    update={
        "title": "Check of a slide of the case",
        "needs": ("a slide that belongs to the case",),
    }
)


@tool(card=_CARD, version=VERSION)
def measure_slide(images: StudyImages) -> StudyMeasures:
    """Return whether a slide of a case can be used, and how much tissue and pen it shows.

    It runs in a process of its own, within a time and a memory.

    Args:
        images: The slide.
    """
    return once(images, tool=NAME, version=VERSION, make=lambda i: apart(i, kind="slide"))


def slide_measures(images: StudyImages) -> StudyMeasures:
    """Return what is found of the slide.

    Raises:
        InputError: It cannot be opened; see `open_slide`.
    """
    said = images.stated
    with on_disk(images, images.files) as paths:
        path = paths[0] if len(paths) == 1 else paths[0].parent
        with open_slide(path, mpp_um=None if said is None else said.mpp_um) as slide:
            found, _, _ = checked(slide, expected_stain="" if said is None else said.stain)
    return StudyMeasures(
        tool=NAME,
        version=VERSION,
        files=images.files,
        findings=tuple(_findings(found, images)),
        cautions=tuple(dict.fromkeys(p.detail for p in found.problems)),
        accuracy=CARD.accuracy,
    )


def _findings(found: SlideCheck, images: StudyImages) -> Iterator[Finding]:
    yield from _tissue(found, images)
    doubts = found.doubts
    if doubts is None:
        why = found.not_assessed.get("blur and folds", SIGNS)
        yield missing("slide-folds", why, images.study, images.files, method=METHOD)
    else:
        share = Quantity(value=round(doubts.fold_percent, 2), unit="%")
        flags = ("approximate",)
        yield value("slide-folds", share, images, method=METHOD, note=doubts.basis, flags=flags)
    yield missing("slide-signs", SIGNS, images.study, images.files, method=METHOD)


def _tissue(found: SlideCheck, images: StudyImages) -> Iterator[Finding]:
    tissue = found.tissue
    if tissue is None:
        why = found.not_assessed["tissue"]
        for code in ("slide-tissue-area", "slide-tissue-share", "slide-pen"):
            yield missing(code, why, images.study, images.files, method=METHOD)
        return
    if tissue.tissue_mm2 is None:
        scale = NotAssessed(why=Why.MISSING, detail="the size of a pixel is not stated")
        why = found.not_assessed.get("micrometres", scale)
        yield missing("slide-tissue-area", why, images.study, images.files, method=METHOD)
    else:
        area = Quantity(value=tissue.tissue_mm2, unit="mm2")
        yield value("slide-tissue-area", area, images, method=METHOD)
    note = f"{tissue.pieces} pieces"
    share = Quantity(value=tissue.tissue_percent, unit="%")
    yield value("slide-tissue-share", share, images, method=METHOD, note=note)
    pen = Quantity(value=round(sum(p.percent_of_slide for p in tissue.pens), 2), unit="%")
    colours = ", ".join(p.colour for p in tissue.pens)
    yield value("slide-pen", pen, images, method=METHOD, note=colours)
    if tissue.stain.stain:
        text = Text(text=tissue.stain.en)
        yield value("slide-stain", text, images, method=METHOD, note=tissue.stain.basis)
