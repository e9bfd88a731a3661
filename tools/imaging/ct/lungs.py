"""The lungs of a chest CT by threshold and shape, and the gate that refuses another body part."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from knowledge.ct_measurements import ct_measurements, limit
from knowledge.errors import ContractError
from tools.imaging.ct.airway import without_airway
from tools.imaging.ct.model import Hu, Mask, Volume

_CHEST = "give a CT of the whole chest in inspiration"


class TooLittleLungError(ContractError):
    """The series does not hold both whole lungs: part of a chest, or none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lungs:
    """Both lungs on a grid that is at most as fine as the volume.

    Args:
        mask: (slices, rows, columns) bool on the grid.
        hu: The volume's values at the grid's points; none is averaged.
        step: Every how many slices, rows and columns of the volume a point lies.
        volume_ml: Of both lungs with their vessels.
        right_ml, left_ml: Of each, parted at the middle of the body.
    """

    mask: Mask = field(repr=False)
    hu: Hu = field(repr=False)
    step: tuple[int, int, int]
    volume_ml: float
    right_ml: float
    left_ml: float

    @property
    def values(self) -> Hu:
        """The values inside the lungs, one dimension."""
        return self.hu[self.mask]


def lungs(volume: Volume) -> Lungs:
    """Return the lungs.

    Thresholding against the body, the two largest air spaces, without trachea and main bronchi,
    vessels closed. Masses at the pleura are left out of the outline.

    Raises:
        TooLittleLungError: It does not hold both whole lungs: no air, too little of it, no pair.
        ContractError: Not a CT of a whole adult chest: body part, slice distance, volume,
            attenuation; says which.
    """
    _check_header(volume)
    step = _step(volume.spacing_mm)
    hu = volume.hu[:: step[0], :: step[1], :: step[2]]
    spacing = tuple(s * n for s, n in zip(volume.spacing_mm, step, strict=True))
    found, body = _outline(hu, spacing)
    voxel_ml = float(np.prod(spacing)) / 1000
    right, left = (float(half.sum()) * voxel_ml for half in _halves(found, body, volume))
    lung = Lungs(mask=found, hu=hu, step=step, volume_ml=right + left, right_ml=right, left_ml=left)
    _check_lungs(lung)
    return lung


def _check_header(volume: Volume) -> None:
    facts = volume.facts
    part = facts.body_part.replace(" ", "")
    if part in ct_measurements().not_chest.words:
        raise ContractError("lungs", f"the series is of the {part}, not of the chest", _CHEST)
    if volume.spacing_mm[0] > limit("lung_spacing_max"):
        raise ContractError(
            "lungs", f"the slices are {volume.spacing_mm[0]:.3g} mm apart", "give thinner slices"
        )


def _step(spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Return every how many voxels a point of the grid lies."""
    fine = limit("lung_grid")
    steps = [max(1, int(np.ceil(fine / s - 1e-6))) if s < fine else 1 for s in spacing_mm]
    return steps[0], steps[1], steps[2]


def _outline(hu: Hu, spacing: tuple[float, ...]) -> tuple[Mask, Mask]:
    """Return the lungs and the body."""
    from scipy import ndimage

    body = _body(hu)
    air = (hu < limit("lung_threshold")) & body
    air = without_airway(air, spacing)
    labels, count = ndimage.label(air)
    if not count:
        raise TooLittleLungError("lungs", "no air inside the body", _CHEST)
    sizes = np.bincount(labels.ravel())[1:] * float(np.prod(spacing)) / 1000
    order = np.argsort(sizes)[::-1]
    large = [int(i) + 1 for i in order[:2] if sizes[i] >= limit("lung_component_min")]
    if not large:
        raise TooLittleLungError(
            "lungs", f"the largest air space holds {sizes[order[0]]:.0f} mL", _CHEST
        )
    if len(large) == 2 and _spans_both(labels == large[0], body):  # a pair
        large = large[:1]
    found = np.zeros_like(body)
    for label in large:
        found |= _closed(labels == label, spacing)
    return found & body, body


def _body(hu: Hu) -> Mask:
    """Return the largest connected body, with everything inside it filled slice by slice."""
    from scipy import ndimage

    dense = ndimage.binary_opening(hu > limit("body_threshold"), iterations=1)
    labels, count = ndimage.label(dense)
    if not count:
        raise TooLittleLungError("lungs", "no body is seen", _CHEST)
    body: Mask = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    for level in range(body.shape[0]):
        body[level] = ndimage.binary_fill_holes(body[level])
    eroded: Mask = ndimage.binary_erosion(body)
    return eroded


def _spans_both(component: Mask, body: Mask) -> bool:
    """Return whether one air space holds both lungs: they may be joined through the bronchi."""
    middle = int(np.nonzero(body.any(axis=(0, 1)))[0].mean())
    right, left = int(component[..., :middle].sum()), int(component[..., middle:].sum())
    return min(right, left) >= limit("lung_pair_ratio") * max(right, left)


def _closed(component: Mask, spacing: tuple[float, ...]) -> Mask:
    """Return a lung with the vessels in it, slice by slice."""
    from scipy import ndimage

    radius = limit("lung_closing")
    where = ndimage.find_objects(component.astype(np.uint8))[0]
    out = np.zeros_like(component)
    pad = [int(np.ceil(radius / s)) + 1 for s in spacing[1:]]
    for level in range(where[0].start, where[0].stop):
        plane = component[level][where[1:]]
        if not plane.any():
            continue
        wide = np.pad(plane, [(p, p) for p in pad])
        grown = ndimage.distance_transform_edt(~wide, sampling=spacing[1:]) <= radius
        closed = ndimage.distance_transform_edt(grown, sampling=spacing[1:]) > radius
        filled = ndimage.binary_fill_holes(closed | wide)
        inner: Any = filled[pad[0] : -pad[0], pad[1] : -pad[1]]
        out[level][where[1:]] = inner
    return out


def _halves(found: Mask, body: Mask, volume: Volume) -> tuple[Mask, Mask]:
    """Return the right and the left half of the lungs.

    They are parted near the middle of the body, at the column with the least lung.
    """
    columns = np.nonzero(body.any(axis=(0, 1)))[0]
    reach = max(1, len(columns) // 8)
    low = int(columns.mean()) - reach
    counts = found.sum(axis=(0, 1))[low : low + 2 * reach + 1]
    least = np.nonzero(counts == counts.min())[0]
    middle = low + int(least[len(least) // 2])
    first, second = found[..., :middle], found[..., middle:]
    return (first, second) if volume.affine_lps[0, 0] > 0 else (second, first)


def _check_lungs(found: Lungs) -> None:
    if not limit("lung_volume_min") <= found.volume_ml <= limit("lung_volume_max"):
        little = found.volume_ml < limit("lung_volume_min")
        kind = TooLittleLungError if little else ContractError
        raise kind(
            "lungs",
            f"the air spaces hold {found.volume_ml:.0f} mL: not both lungs of an adult",
            _CHEST,
        )
    small, large = sorted((found.right_ml, found.left_ml))
    if small < limit("lung_pair_ratio") * large:
        raise TooLittleLungError(
            "lungs",
            f"no pair: {found.right_ml:.0f} mL right, {found.left_ml:.0f} mL left",
            _CHEST,
        )
    values = found.values
    mean = float(values.mean())
    if not limit("lung_mean_low") <= mean <= limit("lung_mean_high"):
        raise ContractError("lungs", f"their mean attenuation is {mean:.0f} HU", _CHEST)
    share = 100 * float((values < limit("laa_threshold")).mean())
    if share > limit("lung_laa_max"):
        raise ContractError(
            "lungs",
            f"{share:.0f} % lie below {limit('laa_threshold'):g} HU: bowel gas or a wrong outline "
            "cannot be told from emphysema",
            "look at the images",
        )
