"""A field of immunohistochemistry of a case: positive nuclei within the given tumour region."""

from collections.abc import Iterator

from knowledge.errors import ContractError
from knowledge.finding import Finding
from knowledge.quantity import Quantity
from tools.imaging.in_case.model import StudyImages
from tools.imaging.in_case.on_disk import on_disk
from tools.imaging.in_case.once import once
from tools.imaging.in_case.said import SIGNS, missing, value
from tools.imaging.model import StudyMeasures
from tools.pathology.ihc.calibration import IhcCalibration, read_calibration
from tools.pathology.ihc.field import read_field
from tools.pathology.ihc.measure import CARD, IhcMeasure, ihc_nuclear_share
from tools.pathology.ihc.region import WAY_OUT, read_region
from tools.toolbox import tool

NAME = "measure_ihc_field"
VERSION = ihc_nuclear_share.version
METHOD = f"{ihc_nuclear_share.name} {VERSION}"
_WHOSE = (
    "The thresholds hold for the laboratory, clone, stainer and scanner of the calibration alone: "
    "compare them with those of this field."
)
_CARD = CARD.model_copy(
    update={
        "title": "Share of positive nuclei on a field of the case",
        "needs": (
            "a field that belongs to the case, with marker and size of a pixel in the case file",
            "the file of its tumour region, and the laboratory's calibration of the marker",
        ),
    }
)


@tool(card=_CARD, version=VERSION)
def measure_ihc_field(images: StudyImages) -> StudyMeasures:
    """Return the share of positive nuclei of a field of a case, or why there is none.

    Args:
        images: The field, with what is stated of it.
    """
    return once(images, tool=NAME, version=VERSION, make=ihc_measures)


def ihc_measures(images: StudyImages) -> StudyMeasures:
    """Return what is counted in the given region of the one field.

    Raises:
        ContractError: No marker, no region, no size of a pixel; see `ihc_nuclear_share`.
        InputError: A file cannot be read.
    """
    said, (file,) = images.stated, images.files
    if said is None or said.marker is None:
        raise ContractError(file, "the marker is not stated", "state it under images in case.yaml")
    for absent in said.missing_files.values():
        way_out = "correct its name under images in case.yaml"
        raise ContractError(file, f"no readable file {absent!r} in the case", way_out)
    if said.region is None:
        raise ContractError(file, "no tumour region is given", WAY_OUT)
    beside = [said.region, *([said.calibration] if said.calibration else [])]
    with on_disk(images, [file, *beside]) as (picture, region, *more):
        one = read_field(picture, mpp=said.mpp_um)
        tumour = read_region(region, size_px=one.size_px)
        calibration = read_calibration(more[0]) if more else None
        found = ihc_nuclear_share(
            (one,), regions=(tumour,), marker=said.marker, calibration=calibration
        )
    return StudyMeasures(
        tool=NAME,
        version=VERSION,
        files=images.files,
        findings=tuple(_findings(found, images, said.region)),
        cautions=(
            *found.cautions,
            *([_WHOSE] if calibration is not None else []),
        ),
        accuracy=CARD.accuracy,
    )


def calibrated_by(one: IhcCalibration) -> str:
    """Return whose calibration it is, of when, and how well it agreed with the labels."""
    agree = min((a.sensitivity_percent + a.specificity_percent) / 2 for a in one.agreement)
    return (
        f"calibration of {one.laboratory}, {one.clone}, {one.stainer}, {one.scanner}, "
        f"{one.made_on}, agreement at least {agree:.0f} %"
    )


def _findings(found: IhcMeasure, images: StudyImages, region: str) -> Iterator[Finding]:
    note = f"{found.name}; region: {region}; {found.area_mm2:g} mm2"
    if found.calibration is not None:
        note += f"; {calibrated_by(found.calibration)}"
    nuclei = Quantity(value=float(found.nuclei), unit="{nuclei}")
    yield value("ihc-nuclei", nuclei, images, method=METHOD, note=note)
    why = found.not_assessed.get("share")
    if found.share is None or why is not None:
        yield missing("ihc-share", why or SIGNS, images.study, images.files, method=METHOD)
    else:
        share = found.share
        low, high = share.low_percent, share.high_percent
        within = f"{note}; 95 % interval {low:g} to {high:g} %"
        percent = Quantity(value=share.percent, unit="%")
        yield value("ihc-share", percent, images, method=METHOD, note=within)
    if found.h_score is not None:
        score = Quantity(value=found.h_score, unit="{score}")
        yield value("ihc-h-score", score, images, method=METHOD, note=note)
    yield missing("slide-signs", SIGNS, images.study, images.files, method=METHOD)
