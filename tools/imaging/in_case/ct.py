"""A CT study of a case: lungs and emphysema index; nodules and masks only where they are given."""

from pathlib import PurePosixPath

from knowledge.ct_measurements import MaskOf
from knowledge.errors import IdentityConflictError, InputError
from knowledge.finding import Finding, NotAssessed, Why
from tools.imaging.ct.findings import ct_findings
from tools.imaging.ct.given_mask import MaskGiven, given_mask
from tools.imaging.ct.marked import why
from tools.imaging.ct.model import Volume
from tools.imaging.ct.report import CARD, Masks, ct_measurements_of_series, measured
from tools.imaging.ct.volume import read_files
from tools.imaging.in_case.apart import apart
from tools.imaging.in_case.model import StudyImages
from tools.imaging.in_case.once import once
from tools.imaging.in_case.said import missing, of_study
from tools.imaging.model import StudyMeasures
from tools.toolbox import tool

NAME = "measure_ct_series"
VERSION = ct_measurements_of_series.version
METHOD = f"{ct_measurements_of_series.name} {VERSION}"
_SHOWN = 3
_NO_SEED = NotAssessed(
    why=Why.MISSING,
    detail="needs a seed: nobody marked a nodule, and none is looked for; its absence is not shown",
)
_CARD = CARD.model_copy(
    update={
        "title": "Measurements on a chest CT of the case",
        "needs": (
            "an axial CT series that belongs to the case",
            "for a nodule a point in it, for calcium and aorta a mask, in the case file",
        ),
    }
)


@tool(card=_CARD, version=VERSION)
def measure_ct_series(images: StudyImages) -> StudyMeasures:
    """Return lung volume and emphysema index of a CT of a case, and what seeds and masks give.

    It runs in a process of its own, within a time and a memory.

    Args:
        images: The images of the study.
    """
    return once(images, tool=NAME, version=VERSION, make=lambda i: apart(i, kind="ct"))


def ct_measures(images: StudyImages) -> StudyMeasures:
    """Return what is measured on the one series of a study that fits.

    Raises:
        InputError: No series fits, or it cannot be read; see `read_files`.
        IdentityConflictError: Slices name another patient.
    """
    volume = read_files({file: images.data(file) for file in images.files})
    seeds = () if images.stated is None else images.stated.seeds
    report = measured(volume, seeds=seeds, answers={}, masks=_masks(images, volume))
    findings = of_study(ct_findings(report, volume), images)
    method_of = tuple(_with_method(one) for one in findings)
    unmarked = missing("nodule", _NO_SEED, images.study, volume.facts.files, method=METHOD)
    left = [f"Left out: {o.item}: {o.reason}" for o in volume.facts.left_out]
    more = [f"Left out: {len(left) - _SHOWN} more"] if len(left) > _SHOWN else []
    return StudyMeasures(
        tool=NAME,
        version=VERSION,
        files=volume.facts.files,
        findings=method_of if seeds else (*method_of, unmarked),
        cautions=(*report.cautions, *volume.facts.notes, *left[:_SHOWN], *more),
        accuracy=CARD.accuracy,
    )


def _with_method(one: Finding) -> Finding:
    return one if one.method else one.model_copy(update={"method": METHOD})


def _masks(images: StudyImages, volume: Volume) -> Masks:
    """Return the masks of the case; one that cannot be used takes its own measurement with it."""
    stated = images.stated
    if stated is None:
        return Masks()
    named: tuple[tuple[MaskOf, str | None, str], ...] = (
        ("calcium", stated.calcium_mask, stated.calcium_structure),
        ("aorta", stated.aorta_mask, stated.aorta_structure),
    )
    found: dict[MaskOf, MaskGiven] = {}
    refused: dict[MaskOf, NotAssessed] = {}
    for of, file, structure in named:
        absent = stated.missing_files.get(f"{of}_mask")
        if absent is not None:
            detail = f"no readable file {absent!r} in the case"
            refused[of] = NotAssessed(why=Why.MISSING, detail=detail)
        if file is None:
            continue
        name = PurePosixPath(file).name
        try:
            found[of] = given_mask(images.data(file), volume, file=name, of=of, structure=structure)
        except InputError as error:
            refused[of] = why(error)
        except IdentityConflictError as error:
            refused[of] = NotAssessed(why=Why.CONFLICTING, detail=f"{error.item}: {error.reason}")
    return Masks(calcium=found.get("calcium"), aorta=found.get("aorta"), refused=refused)
