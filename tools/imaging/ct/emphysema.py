"""Emphysema index: low attenuation and the 15th percentile of the lungs, with kernel and slice."""

import numpy as np

from knowledge.ct_measurements import limit
from knowledge.errors import ContractError
from knowledge.model import Frozen
from tools.imaging.ct.lungs import Lungs
from tools.imaging.ct.model import Volume


class LungMeasures(Frozen):
    """What was measured of the lungs.

    Args:
        volume_ml, right_ml, left_ml: Of both, the right, the left.
        laa_950_percent: Share of the lungs below -950 HU, %; never without `basis`.
        perc15_hu: 15th percentile of the lungs' values, HU.
        mean_hu: Their mean.
        basis: Kernel, slice thickness, contrast: what the index depends on.
        cautions: What makes it not comparable.
    """

    volume_ml: float
    right_ml: float
    left_ml: float
    laa_950_percent: float
    perc15_hu: float
    mean_hu: float
    basis: str
    cautions: tuple[str, ...] = ()


def lung_measures(volume: Volume, found: Lungs) -> LungMeasures:
    """Return volume and emphysema index of the lungs.

    Args:
        volume: The series.
        found: Its lungs.

    Raises:
        ContractError: Kernel or slice thickness are not stated, or the slices are too thick.
    """
    facts = volume.facts
    if facts.thickness_mm is None or not facts.kernel:
        raise ContractError(
            "emphysema index",
            "slice thickness or kernel are not stated",
            "give the series as the scanner made it",
        )
    if facts.thickness_mm > limit("emphysema_slice_max"):
        raise ContractError(
            "emphysema index", f"slices of {facts.thickness_mm:g} mm", "give thinner slices"
        )
    values = found.values
    return LungMeasures(
        volume_ml=round(found.volume_ml),
        right_ml=round(found.right_ml),
        left_ml=round(found.left_ml),
        laa_950_percent=round(100 * float((values < limit("laa_threshold")).mean()), 1),
        perc15_hu=round(float(np.percentile(values, limit("perc_rank")))),
        mean_hu=round(float(values.mean())),
        basis=_basis(volume),
        cautions=tuple(_cautions(volume)),
    )


def _basis(volume: Volume) -> str:
    facts = volume.facts
    contrast = {True: ", contrast agent", False: ", no contrast agent stated", None: ""}
    return (
        f"kernel {facts.kernel} ({facts.kernel_kind}), slices of {facts.thickness_mm:g} mm every "
        f"{volume.spacing_mm[0]:.3g} mm{contrast[facts.contrast]}"
    )


def _cautions(volume: Volume) -> list[str]:
    facts = volume.facts
    found = []
    if facts.thickness_mm is not None and facts.thickness_mm > limit("emphysema_slice_advised"):
        found.append(f"slices of {facts.thickness_mm:g} mm lower the share of low attenuation")
    if facts.kernel_kind == "sharp":
        found.append("a sharp kernel raises the share of low attenuation")
    elif facts.kernel_kind == "unknown":
        found.append("whether the kernel is smooth or sharp is not known")
    if facts.contrast:
        found.append("a contrast agent raises attenuation")
    found.append("depth of inspiration is not known; compare only like with like")
    return found
