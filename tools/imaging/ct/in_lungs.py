"""Whether a marked nodule lies in the lungs: nothing is said of a nodule of another body part.

Where the lungs are outlined, the lung around the nodule must lie within them. A series that states
the chest and holds too little lung to outline both (a piece of a chest, one lung) is measured all
the same, and it is said that header and mark are all that place the nodule. Anything else is
refused.
"""

from dataclasses import dataclass

import numpy as np

from knowledge.ct_measurements import ct_measurements, limit
from knowledge.errors import ContractError, InputError
from tools.imaging.ct.lungs import Lungs, TooLittleLungError, lungs
from tools.imaging.ct.model import Volume
from tools.imaging.ct.nodule import Measured, measure_nodule

_LUNG_HU = -500
_NEAR_MM, _FAR_MM = 1.0, 5.0
"""From the nodule's edge: past its blur, within the lung beside it."""
_WAY_OUT = "give an axial CT of the chest that shows both lungs"


@dataclass(frozen=True, kw_only=True, eq=False)
class LungGate:
    """What places a nodule of one series in the lungs.

    Args:
        lungs: The outlined lungs; None where they could not be outlined.
        problem: Why they could not; None where they could.
        part_of_chest: The header states the chest, and there is too little lung to outline both.
    """

    lungs: Lungs | None
    problem: InputError | None = None
    part_of_chest: bool = False

    @property
    def caution(self) -> str:
        """What must be read with a nodule that no outline places; empty otherwise."""
        if not self.part_of_chest or self.problem is None:
            return ""
        return (
            f"the lungs could not be outlined ({self.problem.reason}): that it lies in a lung "
            "rests on the header, which states the chest, and on who marked it"
        )


def lung_gate(volume: Volume) -> LungGate:
    """Return what places a nodule of a series in the lungs."""
    try:
        return LungGate(lungs=lungs(volume))
    except InputError as error:
        stated = volume.facts.body_part.replace(" ", "") in ct_measurements().chest.words
        part = stated and isinstance(error, TooLittleLungError)
        return LungGate(lungs=None, problem=error, part_of_chest=part)


def nodule_in_lungs(
    volume: Volume, seed_lps: tuple[float, float, float], gate: LungGate
) -> Measured:
    """Return the measures of the nodule at a seed that lies in the lungs.

    Args:
        volume: The series.
        seed_lps: A point in the nodule, mm LPS.
        gate: Of the same series.

    Raises:
        InvalidValueError: The seed is not in the volume.
        ContractError: The series does not show lungs, the nodule does not lie in them, or it
            cannot be measured (see `measure_nodule`).
    """
    if gate.lungs is None and not gate.part_of_chest:
        reason = "" if gate.problem is None else gate.problem.reason
        raise ContractError(
            "nodule", f"that it lies in a lung is not shown: the lungs: {reason}", _WAY_OUT
        )
    found = measure_nodule(volume, seed_lps)
    if gate.lungs is not None:
        _check_inside(found, gate.lungs)
        return found
    flags = (*found.measure.flags, gate.caution)
    measure = found.measure.model_copy(update={"flags": flags})
    return Measured(measure=measure, around=found.around, mask=found.mask)


def same_lesion(one: Measured, other: Measured) -> bool:
    """Return whether the centre of one nodule of a series lies in the outline of another."""
    return _holds(one, other) or _holds(other, one)


def _holds(one: Measured, other: Measured) -> bool:
    """Return whether the middle of the other's outline, or its nearest voxel, is of this one."""
    inside = np.argwhere(other.mask)
    middle = inside[int(np.argmin(((inside - inside.mean(axis=0)) ** 2).sum(axis=1)))]
    place = other.around.in_volume((float(middle[0]), float(middle[1]), float(middle[2])))
    around = one.around
    index = [
        round((p - f) * s / around.grid_mm)
        for p, f, s in zip(place, around.first, around.spacing_mm, strict=True)
    ]
    if not all(0 <= i < n for i, n in zip(index, one.mask.shape, strict=True)):
        return False
    return bool(one.mask[index[0], index[1], index[2]])


def _check_inside(found: Measured, lung: Lungs) -> None:
    from scipy import ndimage

    around = found.around
    away = ndimage.distance_transform_edt(~found.mask) * around.grid_mm
    ring = (away > _NEAR_MM) & (away <= _FAR_MM) & (around.hu < _LUNG_HU)
    places = np.argwhere(ring)
    inside = 0.0
    if len(places):
        first, spacing = np.array(around.first), np.array(around.spacing_mm)
        index = np.rint((first + places * around.grid_mm / spacing) / np.array(lung.step))
        index = np.clip(index.astype(int), 0, np.array(lung.mask.shape) - 1)
        inside = 100 * float(lung.mask[index[:, 0], index[:, 1], index[:, 2]].mean())
    if inside < limit("nodule_in_lungs_min"):
        raise ContractError(
            "nodule",
            f"does not lie in the lungs: {inside:.0f} % of the air-holding tissue around it is "
            "within their outline",
            "mark a nodule in a lung",
        )
