"""Agatston score of calcium that somebody else has marked: a mask of a person or of a model."""

import numpy as np

from knowledge.ct_measurements import ct_measurements, errors_of, limit
from knowledge.errors import ContractError
from knowledge.model import Frozen
from knowledge.plain_text import how_many
from tools.imaging.ct.model import GivenMask, Mask, Volume
from tools.toolbox import Card, tool

_PROTOCOL = "give the calcium-scoring series: 120 kVp, slices of 3 mm, no contrast agent"


class Agatston(Frozen):
    """The score.

    Args:
        score: Sum over slices and lesions of area times weight of the peak.
        calcium_mm3: Volume of calcified voxels.
        lesions: Lesions counted, slice by slice.
        outside: Calcified voxels outside the mask, which were not counted.
        basis: Tube voltage and slices.
        mask_of: Who made the mask, as given.
    """

    score: float
    calcium_mm3: float
    lesions: int
    outside: int
    basis: str
    mask_of: str

    @property
    def not_counted(self) -> str:
        """What lies outside of the mask, in words: a score of 0 says nothing of it."""
        voxels = how_many(self.outside, "voxel")
        low = limit("agatston_threshold")
        return f"{voxels} from {low:g} HU on outside of the mask, not counted"


AGATSTON_CARD = Card(
    title="Agatston score of a given mask",
    group="imaging",
    topic="coronary calcium",
    needs=("a CT without contrast agent at 120 kVp in slices of 3 mm", "a mask of the coronaries"),
    refuses=(
        "another tube voltage or slice thickness: the score is defined for these only",
        "a contrast agent, or a mask too large for coronary calcium",
    ),
    limits=(
        "Calcium is not found here: what the mask holds is counted, ribs or valves too.",
        "Blur and noise change the score by a fifth to a third either way.",
    ),
    sources=("10.1016/0735-1097(90)90282-T",),
    accuracy=errors_of("agatston"),
    on_request=True,
    regulatory="device-function",
)


@tool(card=AGATSTON_CARD, version="1")
def ct_agatston(series: Volume, mask: GivenMask) -> Agatston:
    """Return the Agatston score inside a mask that a person or a model made.

    Args:
        series: A calcium-scoring CT.
        mask: Of the coronaries.

    Raises:
        ContractError: See `agatston`.
    """
    return agatston(series, mask.voxels, mask_of=mask.made_by)


def agatston(volume: Volume, mask: Mask, *, mask_of: str) -> Agatston:
    """Return the Agatston score inside a mask.

    Args:
        volume: A calcium-scoring CT.
        mask: (slices, rows, columns) bool on its voxels.
        mask_of: Who or what made it, for the record.

    Raises:
        ContractError: Not 120 kVp, not 3 mm, contrast agent, a mask of another shape, empty or too
            large.
    """
    _check(volume, mask)
    from scipy import ndimage

    calcified = volume.hu >= limit("agatston_threshold")
    area = volume.spacing_mm[1] * volume.spacing_mm[2]
    total, voxels, lesions = 0.0, 0, 0
    for level in np.nonzero(mask.any(axis=(1, 2)))[0]:
        labels, count = ndimage.label(calcified[level] & mask[level], structure=np.ones((3, 3)))
        for label in range(1, count + 1):
            here = labels == label
            size = int(here.sum()) * area
            if size < limit("agatston_area_min"):
                continue
            total += size * _weight(int(volume.hu[level][here].max()))
            voxels += int(here.sum())
            lesions += 1
    return Agatston(
        score=round(total * volume.spacing_mm[0] / limit("agatston_slice"), 1),
        calcium_mm3=round(voxels * area * volume.spacing_mm[0], 1),
        lesions=lesions,
        outside=int((calcified & ~mask).sum()),
        basis=f"{volume.facts.kvp:g} kVp, slices of {volume.facts.thickness_mm:g} mm",
        mask_of=mask_of,
    )


def _weight(peak: int) -> int:
    return max(row.weight for row in ct_measurements().agatston_weights.rows if peak >= row.low)


def _check(volume: Volume, mask: Mask) -> None:
    facts = volume.facts
    if facts.kvp is None or facts.kvp != limit("agatston_kvp"):
        shown = "not stated" if facts.kvp is None else f"{facts.kvp:g} kV"
        raise ContractError("Agatston score", f"the tube voltage is {shown}", _PROTOCOL)
    for name, value in (("thickness", facts.thickness_mm), ("distance", volume.spacing_mm[0])):
        if value is None or abs(value - limit("agatston_slice")) > limit(
            "agatston_slice_tolerance"
        ):
            shown = "not stated" if value is None else f"{value:.3g} mm"
            raise ContractError("Agatston score", f"the slice {name} is {shown}", _PROTOCOL)
    if facts.contrast is not False:
        raise ContractError(
            "Agatston score", "a contrast agent is named or not excluded", _PROTOCOL
        )
    if mask.shape != volume.hu.shape:
        raise ContractError("mask", "has another size than the series", "give one of the series")
    size = float(mask.sum()) * volume.voxel_ml
    if not 0 < size <= limit("agatston_mask_max"):
        raise ContractError(
            "mask", f"holds {size:.1f} mL: no mask of coronary calcium", "mark the coronaries"
        )
