"""What was measured on a CT series as findings: each number, or the reason why there is none.

The concept is our measurement, with a code of ours; no measurement says that a disease is present.
"""

from collections.abc import Iterator, Mapping

from knowledge.codes import Coding, Concept
from knowledge.evidence import DicomEvidence, Evidence, RecordEvidence, ToolEvidence
from knowledge.finding import Finding, NotAssessed, State, not_assessed
from knowledge.nodule_levels import nodule_levels
from knowledge.quantity import Quantity, Text, Value
from tools.imaging.ct.marked import NoduleResult
from tools.imaging.ct.model import Volume
from tools.imaging.ct.nodule import NoduleMeasure
from tools.imaging.ct.report import CtReport, ct_measurements_of_series

CT_MEASUREMENT = "urn:epicrisis:ct-measurement"
"""Codes of findings: ``lung-volume``, ``nodule-mean-diameter``, ..."""

MEASURED = "measured-by-software"
UNCONFIRMED = "not-confirmed"

_LABELS: Mapping[str, str] = {
    "lungs": "Lungs on CT",
    "lung-volume": "Lung volume on CT",
    "right-lung-volume": "Volume of the right lung on CT",
    "left-lung-volume": "Volume of the left lung on CT",
    "laa-950": "Share of the lungs below -950 HU",
    "perc-15": "15th percentile of the lungs' attenuation",
    "nodule": "Pulmonary nodule on CT, marked by a reader",
    "nodule-long-axis": "Long axis of the nodule",
    "nodule-short-axis": "Short axis of the nodule",
    "nodule-mean-diameter": "Mean diameter of the nodule",
    "nodule-volume": "Volume of the nodule",
    "nodule-type": "Type of the nodule",
    "nodule-solid-diameter": "Mean diameter of the nodule's solid part",
    "nodule-growth": "Change of the nodule since the earlier CT",
    "nodule-doubling-time": "Doubling time of the nodule's volume",
    "nodule-level": "Suggested level of the nodule",
    "agatston": "Agatston score of the given mask",
    "aorta": "Largest mean diameter of the aorta in the given mask",
    "aorta-long-axis": "Largest diameter of the aorta on that plane",
    "detection": "Findings on the CT that nobody marked",
}
_OF_NODULE = {"volume": "nodule-volume", "type": "nodule-type"}


def ct_findings(found: CtReport, volume: Volume) -> tuple[Finding, ...]:
    """Return what was measured on a series as findings, in the order of the report.

    Args:
        found: The measurements.
        volume: The series, for the slices they are on.

    Returns:
        A measurement is `present` with its value; what was not measured is `not_assessed` with the
        reason; nothing is ever `absent`, since nothing is looked for.
    """
    made = [*_lungs(found, volume)]
    for place, nodule in enumerate(found.nodules, 1):
        made += _nodule(place, nodule, volume)
    made += _given_masks(found, volume)
    made += [_missing(what, why, volume) for what, why in found.not_assessed.items()]
    return tuple(made)


def _lungs(found: CtReport, volume: Volume) -> Iterator[Finding]:
    lungs = found.lungs
    if lungs is None:
        return
    note = "; ".join([lungs.basis, *lungs.cautions])
    for code, value, unit in (
        ("lung-volume", lungs.volume_ml, "mL"),
        ("right-lung-volume", lungs.right_ml, "mL"),
        ("left-lung-volume", lungs.left_ml, "mL"),
        ("laa-950", lungs.laa_950_percent, "%"),
        ("perc-15", lungs.perc15_hu, "[hnsf'U]"),
    ):
        yield _of(code, Quantity(value=value, unit=unit), volume, note=note)


def _nodule(place: int, nodule: NoduleResult, volume: Volume) -> Iterator[Finding]:
    site = f"nodule {place}"
    measure = nodule.measure
    if measure is not None:
        yield from _measures(measure, site, volume)
    for what, why in nodule.not_assessed.items():
        code = "nodule-growth" if what == "growth" else "nodule"
        yield _missing(code, why, volume, site=site)
    growth = nodule.growth
    if growth is not None and growth.verdict == "not assessed":
        reason = growth.not_assessed.get("interval") or growth.not_assessed["volume"]
        yield _missing("nodule-growth", reason, volume, site=site)
    elif growth is not None:
        text = Text(text=f"{growth.verdict}: {growth.because}")
        yield _of("nodule-growth", text, volume, site=site, note="; ".join(growth.cautions))
        if growth.doubling_days is not None:
            value = Quantity(value=growth.doubling_days, unit="d")
            yield _of("nodule-doubling-time", value, volume, site=site)
    if nodule.management is not None:
        level = nodule.management.level
        if level.not_assessed is not None:
            yield _missing("nodule-level", level.not_assessed, volume, site=site)
            return
        words = nodule_levels().levels
        named = (level.level,) if level.level is not None else level.possible
        shown = " or ".join(words[one].en for one in named)
        note = f"{level.rule} {level.note}"
        yield _of("nodule-level", Text(text=shown), volume, site=site, note=note)


def _measures(measure: NoduleMeasure, site: str, volume: Volume) -> Iterator[Finding]:
    level = volume.index(measure.centre_lps)[0]
    at = min(max(round(level), 0), volume.hu.shape[0] - 1)
    note = "; ".join(measure.flags)
    numbers: list[tuple[str, float | None, str]] = [
        ("nodule-mean-diameter", measure.mean_mm, "mm"),
        ("nodule-long-axis", measure.long_mm, "mm"),
        ("nodule-short-axis", measure.short_mm, "mm"),
        ("nodule-volume", measure.volume_mm3, "mm3"),
    ]
    if measure.kind == "part-solid":
        numbers.append(("nodule-solid-diameter", measure.solid_mm, "mm"))
    for code, value, unit in numbers:
        if value is not None:
            quantity = Quantity(value=value, unit=unit)
            yield _of(code, quantity, volume, site=site, note=note, level=at)
    if measure.kind is not None:
        yield _of("nodule-type", Text(text=measure.kind), volume, site=site, note=note, level=at)
    for what, why in measure.not_assessed.items():
        yield _missing(_OF_NODULE[what], why, volume, site=site)


def _given_masks(found: CtReport, volume: Volume) -> Iterator[Finding]:
    calcium, aorta = found.agatston, found.aorta
    if calcium is not None:
        note = f"{calcium.basis}; mask: {calcium.mask_of}; {calcium.not_counted}"
        yield _of("agatston", Quantity(value=calcium.score, unit="{score}"), volume, note=note)
    if aorta is not None:
        note = f"mask: {aorta.mask_of}"
        for code, value in (
            ("aorta", aorta.largest.mean_mm), ("aorta-long-axis", aorta.largest.long_mm)
        ):  # fmt: skip
            yield _of(code, Quantity(value=value, unit="mm"), volume, note=note)


def _of(
    code: str,
    value: Value,
    volume: Volume,
    *,
    site: str = "",
    note: str = "",
    level: int | None = None,
) -> Finding:
    tool = ct_measurements_of_series
    return Finding(
        concept=_concept(code),
        state=State.PRESENT,
        value=value,
        time=volume.facts.time,
        body_site=site or None,
        method=f"{tool.name} {tool.version}",
        flags=(MEASURED, UNCONFIRMED),
        evidence=(
            *_images(volume, level),
            ToolEvidence(tool=tool.name, version=tool.version, output=code),
        ),
        note=note,
    )


def _missing(code: str, why: NotAssessed, volume: Volume, *, site: str = "") -> Finding:
    found = not_assessed(
        _concept(code), why.why, why.detail, evidence=_images(volume, None), time=volume.facts.time
    )
    return found.model_copy(update={"body_site": site}) if site else found


def _concept(code: str) -> Concept:
    return Concept(text=_LABELS[code], codings=(Coding(system=CT_MEASUREMENT, code=code),))


def _images(volume: Volume, level: int | None) -> tuple[Evidence, ...]:
    """Return the slice it is on; the first and the last of the series where it is on many."""
    facts = volume.facts
    places = (0, len(facts.files) - 1) if level is None else (level,)
    if len(facts.instances) == len(facts.files):
        return tuple(
            DicomEvidence(file=facts.files[i], sop_instance_uid=facts.instances[i]) for i in places
        )
    return tuple(RecordEvidence(file=facts.files[i], record="slice") for i in places)
