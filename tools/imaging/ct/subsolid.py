"""Whether a nodule is solid, part-solid or ground glass: its rim, and what of it is solid."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from tools.imaging.ct.model import Mask
from tools.imaging.ct.nodule_region import Outline, Region, outlined

_RIM_MM = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Composition:
    """What a nodule is made of.

    Args:
        mask: The whole nodule with a ground-glass rim, where it has one.
        solid: Its solid part.
        kind: Solid, part-solid or ground glass.
        threshold: Value at its edge, HU.
        mean_hu: Of its inner part.
        contact_percent: Share of its surface that touches what was cut from it.
    """

    mask: Mask = field(repr=False)
    solid: Mask = field(repr=False)
    kind: Literal["solid", "part-solid", "ground-glass"]
    threshold: float
    mean_hu: float
    contact_percent: float


def composition(around: Region, first: Outline) -> Composition:
    """Return what a nodule is made of.

    A dense nodule is grown at the threshold of a ground-glass rim; where a rim of even low density
    and of its own thickness is there, it belongs to the nodule.

    Args:
        around: The region.
        first: The outline at half height of the core.

    Raises:
        ContractError: It has a rim whose edge is not its own.
    """
    mask, threshold, contact = first.mask, first.threshold, first.contact_percent
    if first.core > limit("nodule_solid_from"):
        rim = _with_rim(around, first)
        if rim is not None:
            mask, threshold, contact = rim
    inner = _inner(mask, around.grid_mm)
    values = around.hu[inner]
    solid = _solid(around, mask)
    share = 100 * float((values > limit("nodule_solid_from")).mean())
    kind: Literal["solid", "part-solid", "ground-glass"] = "part-solid"
    if share >= limit("nodule_solid_share"):
        kind, solid = "solid", mask
    elif share < limit("nodule_ground_glass_share") or not solid.any():
        kind, solid = "ground-glass", np.zeros_like(mask)
    return Composition(
        mask=mask, solid=solid, kind=kind, threshold=threshold, mean_hu=float(values.mean()),
        contact_percent=contact,
    )  # fmt: skip


def _with_rim(around: Region, first: Outline) -> tuple[Mask, float, float] | None:
    """Return the nodule with its ground-glass rim, or None where it has none.

    Raises:
        ContractError: It has one, and the rim's edge cannot be told from what it touches.
    """
    soft = around.softened()
    away = _away(first.mask, around.grid_mm)
    level = _level(soft, (away > _RIM_MM) & (away <= 2 * _RIM_MM))
    if not _is_rim(level, first.background):
        return None
    start = _deepest(first.mask)
    for _ in range(2):  # the rim's own level is known once it was outlined
        threshold = first.background + (level - first.background) / 2
        wide = outlined(soft, threshold=threshold, start=start)
        inside = _inner(wide.mask, around.grid_mm)
        level = _level(soft, inside & (away > _RIM_MM))
        if not _is_rim(level, first.background):
            return None
    return wide.mask | first.mask, threshold, wide.contact_percent


def _is_rim(level: float, background: float) -> bool:
    return background + limit("nodule_contrast_min") < level < limit("nodule_rim_most")


def _level(around: Region, where: Mask) -> float:
    return float(np.median(around.hu[where])) if where.any() else -1000.0


def _away(mask: Mask, grid: float) -> NDArray[np.float64]:
    from scipy import ndimage

    found: NDArray[np.float64] = ndimage.distance_transform_edt(~mask) * grid
    return found


def _deepest(mask: Mask) -> tuple[int, ...]:
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(mask)
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(depth)), mask.shape))


def _inner(mask: Mask, grid: float) -> Mask:
    """Return a nodule without its blurred edge."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(mask) * grid
    return mask & (depth >= min(1.0, 0.5 * float(depth.max())))


def _solid(around: Region, mask: Mask) -> Mask:
    """Return the largest connected solid part of a nodule."""
    from scipy import ndimage

    labels, count = ndimage.label(mask & (around.hu > limit("nodule_solid_from")))
    if not count:
        return np.zeros_like(mask)
    largest: Mask = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return largest
