"""Diameter, volume and type of a nodule that a person marked, or why they are not stated."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from knowledge.clinical_time import ClinicalTime
from knowledge.ct_measurements import KernelKind, limit
from knowledge.errors import ContractError
from knowledge.finding import NotAssessed, Why
from knowledge.model import Frozen
from knowledge.patient import Identity
from tools.imaging.ct.axes import Axes, axes
from tools.imaging.ct.model import Mask, Point, Volume
from tools.imaging.ct.nodule_region import Outline, Region, compactness, outlined, region
from tools.imaging.ct.nodule_volume import volume_mm3
from tools.imaging.ct.subsolid import Composition, composition

NoduleType = Literal["solid", "part-solid", "ground-glass"]
METHOD = "seeded-nodule/1"


class NoduleMeasure(Frozen):
    """One measured nodule.

    Args:
        method: Name and version of the method.
        seed_lps: The seed, mm.
        centre_lps: Centre of the nodule, mm.
        long_mm, short_mm: Longest axis and the longest across it, on the axial slice where their
            mean is largest.
        mean_mm: Mean of the two: the diameter guidelines ask for.
        volume_mm3: None where not assessed.
        kind: Solid, part-solid or ground glass; None where not assessed.
        solid_mm: Mean diameter of the solid part of a part-solid nodule; 0 for ground glass; None
            where not assessed.
        mean_hu: Of its inner part.
        not_assessed: What was not stated and why, by name: ``volume``, ``type``.
        flags: What must be known of it.
        time: Of the series.
        identity: Whose series.
        series: Its UID.
        slice_mm, thickness_mm, kernel, kernel_kind, contrast: How the series was made.
    """

    method: str = METHOD
    seed_lps: Point
    centre_lps: Point
    long_mm: float
    short_mm: float
    mean_mm: float
    volume_mm3: float | None = None
    kind: NoduleType | None = None
    solid_mm: float | None = None
    mean_hu: float
    not_assessed: dict[str, NotAssessed] = Field(default_factory=dict)
    flags: tuple[str, ...] = ()
    time: ClinicalTime | None = None
    identity: Identity
    series: str = ""
    slice_mm: float
    thickness_mm: float | None = None
    kernel: str = ""
    kernel_kind: KernelKind = "unknown"
    contrast: bool | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """A measured nodule with its outline, to draw it."""

    measure: NoduleMeasure
    around: Region
    mask: Mask


def measure_nodule(volume: Volume, seed_lps: Point) -> Measured:
    """Return the measures of the nodule at a seed.

    Args:
        volume: The series.
        seed_lps: A point in the nodule: x to the left, y to the back, z to the head, mm.

    Raises:
        InvalidValueError: The seed is not in the volume.
        ContractError: Slices too far apart; nothing dense there; it leaks into pleura, wall or a
            vessel; a mass; smaller than can be measured.
    """
    _check_series(volume)
    around, first, made = _outlined(volume, volume.index(seed_lps))
    found = axes(around, made.mask, made.threshold)
    _check_size(found, volume)
    missing = _not_stated(volume, around, made.mask, found)
    solid = axes(around, made.solid, limit("nodule_solid_from")) if made.solid.any() else None
    centre = around.in_volume(_centre(made.mask))
    facts = volume.facts
    kind = None if "type" in missing else made.kind
    measure = NoduleMeasure(
        seed_lps=seed_lps,
        centre_lps=_rounded(volume.point(centre)),
        long_mm=round(found.long_mm, 1),
        short_mm=round(found.short_mm, 1),
        mean_mm=round(found.mean_mm, 1),
        volume_mm3=None if "volume" in missing else round(_volume(around, made, first), 1),
        kind=kind,
        solid_mm=_solid_mm(kind, solid, found),
        mean_hu=round(made.mean_hu),
        not_assessed=missing,
        flags=tuple(_flags(volume, first, made.mask)),
        time=facts.time,
        identity=facts.identity,
        series=facts.series,
        slice_mm=round(volume.spacing_mm[0], 3),
        thickness_mm=facts.thickness_mm,
        kernel=facts.kernel,
        kernel_kind=facts.kernel_kind,
        contrast=facts.contrast,
    )
    return Measured(measure=measure, around=around, mask=made.mask)


def _outlined(volume: Volume, seed: Point) -> tuple[Region, Outline, Composition]:
    """Return the nodule at a seed; the wide surroundings are looked at where the near do not do."""
    try:
        near = _outlined_within(volume, seed, limit("nodule_crop_near"))
    except ContractError:
        return _outlined_within(volume, seed, limit("nodule_crop"))
    around, _, made = near
    margin = round(limit("nodule_margin") / around.grid_mm)
    inner = made.mask[margin:-margin, margin:-margin, margin:-margin]
    if inner.sum() == made.mask.sum():
        return near
    return _outlined_within(volume, seed, limit("nodule_crop"))


def _outlined_within(
    volume: Volume, seed: Point, half: float
) -> tuple[Region, Outline, Composition]:
    around = region(volume, seed, half=half)
    first = outlined(around)
    if first.core <= limit("nodule_solid_from"):
        around = around.softened()
        first = outlined(around)
    return around, first, composition(around, first)


def _check_series(volume: Volume) -> None:
    most = limit("nodule_spacing_max")
    if volume.spacing_mm[0] > most:
        raise ContractError(
            "nodule",
            f"the slices are {volume.spacing_mm[0]:.3g} mm apart; at most {most:g} mm are needed",
            "give thin slices",
        )
    thickness = volume.facts.thickness_mm
    if thickness is not None and thickness > most:
        raise ContractError(
            "nodule", f"slices of {thickness:g} mm; at most {most:g} mm are needed",
            "give thin slices",
        )  # fmt: skip


def _volume(around: Region, made: Composition, first: Outline) -> float:
    return volume_mm3(around, made.mask, background=first.background, threshold=made.threshold)


def _solid_mm(kind: NoduleType | None, solid: Axes | None, whole: Axes) -> float | None:
    if kind is None:
        return None
    if kind == "ground-glass":
        return 0.0
    part = whole if kind == "solid" else solid
    return None if part is None else round(part.mean_mm, 1)


def _check_size(found: Axes, volume: Volume) -> None:
    mean = found.mean_mm
    distance = volume.spacing_mm[0]
    least = limit("nodule_volume_slices_min")
    if distance > limit("nodule_volume_slice_max") and mean < least * distance:
        raise ContractError(
            "nodule",
            f"{mean:.1f} mm on slices {distance:.3g} mm apart: it lies on fewer than {least:g}",
            "give thin slices",
        )
    if mean < limit("nodule_diameter_min"):
        raise ContractError(
            "nodule", f"{mean:.1f} mm: too small to be measured", "look at the images"
        )
    if mean > limit("nodule_diameter_max"):
        raise ContractError(
            "nodule", f"{mean:.0f} mm: a mass, not a nodule", "measure it on the images"
        )


def _not_stated(volume: Volume, around: Region, mask: Mask, found: Axes) -> dict[str, NotAssessed]:
    """Return what may not be stated of the nodule on this series."""
    most = limit("nodule_volume_slice_max")
    thickness = volume.facts.thickness_mm
    reason = ""
    if thickness is None:
        reason = "the slice thickness is not stated"
    elif thickness > most:
        reason = f"slices of {thickness:g} mm; at most {most:g} mm are needed"
    elif volume.spacing_mm[0] > most:
        reason = f"slices {volume.spacing_mm[0]:.3g} mm apart; at most {most:g} mm are needed"
    if reason:
        why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=reason)
        return {"volume": why, "type": why}
    height = int(mask.any(axis=(1, 2)).sum()) * around.grid_mm / volume.spacing_mm[0]
    if height < limit("nodule_volume_slices_min"):
        why = NotAssessed(why=Why.QUALITY, detail=f"it lies on {height:.0f} slices only")
        return {"volume": why, "type": why}
    if found.mean_mm < limit("nodule_type_min"):
        why = NotAssessed(
            why=Why.QUALITY,
            detail=f"below {limit('nodule_type_min'):g} mm a ground-glass rim cannot be told from "
            "the blurred edge",
        )
        return {"type": why}
    return {}


def _flags(volume: Volume, first: Outline, mask: Mask) -> list[str]:
    flags = []
    if first.vessel_mm > 0:
        flags.append(f"vessels up to {2 * first.vessel_mm:.0f} mm wide were cut off")
    if volume.facts.kernel_kind == "sharp":
        flags.append("sharp kernel: edges are overshot")
    if volume.facts.kernel_kind == "unknown":
        flags.append("kernel not known to be smooth or sharp")
    if compactness(mask) < limit("nodule_compactness_regular"):
        flags.append("irregular: a vessel may be in the outline, check it on the images")
    return flags


def _centre(mask: Mask) -> Point:
    middle = np.argwhere(mask).mean(axis=0)
    return float(middle[0]), float(middle[1]), float(middle[2])


def _rounded(point: Point) -> Point:
    return round(point[0], 1), round(point[1], 1), round(point[2], 1)
