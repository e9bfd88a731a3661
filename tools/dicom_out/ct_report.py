"""What was measured on a CT series, as a structured report."""

from collections.abc import Iterator

from knowledge.nodule_levels import nodule_levels
from tools.dicom_out.report import Circle, Group, Measured, Stated, StructuredReport
from tools.imaging.ct.model import Volume
from tools.imaging.ct.nodule import NoduleMeasure
from tools.imaging.ct.nodule_level import NoduleLevel
from tools.imaging.ct.report import CtReport

TITLE = "CT measurements"
_OUTLINE = (
    "A circle on an image shows the place and the mean diameter of a nodule; it is not its outline."
)


def ct_structured_report(found: CtReport, volume: Volume) -> StructuredReport:
    """Return a report of the measurements, and of everything that was not measured.

    Args:
        found: The measurements.
        volume: The series, for the places on its images.
    """
    groups = (
        *_lungs(found),
        *_nodules(found, volume),
        *_calcium(found),
        *_aorta(found),
    )
    missing = {what: why.detail for what, why in found.not_assessed.items()}
    for place, nodule in enumerate(found.nodules, start=1):
        for what, why in nodule.not_assessed.items():
            missing[f"nodule {place}, {what}"] = why.detail
        if nodule.measure is not None:
            for what, why in nodule.measure.not_assessed.items():
                missing[f"nodule {place}, {what}"] = why.detail
    return StructuredReport(
        title=TITLE,
        procedure="ct-of-chest",
        groups=groups,
        not_assessed=missing,
        notes=tuple(_notes(found)),
    )


def _lungs(found: CtReport) -> Iterator[Group]:
    lungs = found.lungs
    if lungs is None:
        return
    yield Group(
        title="Lungs",
        finding="organ",
        site="lung",
        measurements=(
            Measured(what="volume", value=lungs.volume_ml, unit="mL"),
            Measured(what="volume", value=lungs.right_ml, unit="mL", side="right"),
            Measured(what="volume", value=lungs.left_ml, unit="mL", side="left"),
            Measured(what="laa-950", value=lungs.laa_950_percent, unit="%"),
            Measured(what="perc-15", value=lungs.perc15_hu, unit="[hnsf'U]"),
            Measured(what="attenuation", value=lungs.mean_hu, unit="[hnsf'U]", derivation="mean"),
        ),
    )


def _nodules(found: CtReport, volume: Volume) -> Iterator[Group]:
    for place, one in enumerate(found.nodules, start=1):
        if one.measure is not None:
            yield _nodule(f"Nodule {place}", one.measure, volume)


def _nodule(title: str, measure: NoduleMeasure, volume: Volume) -> Group:
    numbers = [
        Measured(what="long-axis", value=measure.long_mm, unit="mm"),
        Measured(what="short-axis", value=measure.short_mm, unit="mm"),
        Measured(what="diameter", value=measure.mean_mm, unit="mm", derivation="mean"),
        Measured(what="attenuation", value=measure.mean_hu, unit="[hnsf'U]", derivation="mean"),
    ]
    if measure.volume_mm3 is not None:
        numbers.append(Measured(what="volume", value=measure.volume_mm3, unit="mm3"))
    if measure.kind == "part-solid" and measure.solid_mm is not None:
        numbers.append(Measured(what="solid-diameter", value=measure.solid_mm, unit="mm"))
    return Group(
        title=title,
        finding="nodule",
        site="lung",
        measurements=tuple(numbers),
        statements=(Stated(what="nodule-kind", value=measure.kind),) if measure.kind else (),
        place=_circle(measure, volume),
    )


def _circle(measure: NoduleMeasure, volume: Volume) -> Circle | None:
    """Return the place on the nearest slice; None where the slices state no identifiers."""
    if len(volume.facts.instances) != volume.hu.shape[0]:
        return None
    level, row, column = volume.index(measure.centre_lps)
    nearest = min(max(round(level), 0), volume.hu.shape[0] - 1)
    return Circle(
        instance=volume.facts.instances[nearest],
        column=round(column, 2),
        row=round(row, 2),
        radius=round(measure.mean_mm / 2 / volume.spacing_mm[2], 2),
    )


def _calcium(found: CtReport) -> Iterator[Group]:
    if found.agatston is None:
        return
    yield Group(
        title="Coronary calcium in the given mask",
        finding="anatomical-structure",
        site="coronary-artery",
        measurements=(
            Measured(
                what="calcium-score",
                value=found.agatston.score,
                unit="{score}",
                method="agatston-method",
            ),
            Measured(what="volume", value=found.agatston.calcium_mm3, unit="mm3"),
        ),
    )


def _aorta(found: CtReport) -> Iterator[Group]:
    if found.aorta is None:
        return
    widest = found.aorta.largest
    yield Group(
        title="Aorta in the given mask, widest plane",
        finding="anatomical-structure",
        site="aorta",
        measurements=(
            Measured(what="long-axis", value=widest.long_mm, unit="mm"),
            Measured(what="short-axis", value=widest.short_mm, unit="mm"),
            Measured(what="diameter", value=widest.mean_mm, unit="mm", derivation="mean"),
        ),
    )


def _notes(found: CtReport) -> Iterator[str]:
    if found.lungs is not None:
        yield f"Lungs: {found.lungs.basis}"
        yield from found.lungs.cautions
    if any(one.measure is not None for one in found.nodules):
        yield _OUTLINE
    for place, one in enumerate(found.nodules, start=1):
        if one.management is not None:
            yield f"Nodule {place}, suggested level: {_level(one.management.level)}"
    if found.agatston is not None:
        yield f"Calcium score: {found.agatston.basis}; mask: {found.agatston.mask_of}"
    if found.aorta is not None:
        yield f"Aorta: mask: {found.aorta.mask_of}"
    yield from found.cautions


def _level(level: NoduleLevel) -> str:
    words = nodule_levels().levels
    named = [level.level] if level.level is not None else list(level.possible)
    shown = " or ".join(words[one].en for one in named) or "none"
    return f"{shown}. {level.rule} {level.note}"
