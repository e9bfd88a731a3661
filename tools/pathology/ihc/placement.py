"""Whether the brown lies in nuclei: a membrane or cytoplasm stain gives no share of nuclei."""

from typing import Any

import numpy as np

from knowledge.errors import ContractError
from knowledge.ihc_measurements import limit
from tools.pathology.ihc.nuclei import Nuclei
from tools.pathology.ihc.stain import Mask


def check_placement(found: Nuclei, region: Mask, mpp: float) -> None:
    """Refuse a field whose brown is not in nuclei.

    Args:
        found: Nuclei of the field.
        region: Tumour region, on the same pixels.
        mpp: µm per pixel of them.

    Raises:
        ContractError: The brown lies beside nuclei, in thin bodies, or around holes.
    """
    brown = found.brown & region
    if brown.sum() * mpp * mpp < limit("brown_area_min"):
        return
    reasons = [
        f"{share:.0f} % of the brown {where}"
        for share, most, where in (
            (_outside(found, brown), limit("brown_outside_max"), "lies outside of nuclei"),
            (_thin(brown, mpp), limit("brown_thin_max"), "is thinner than a nucleus"),
            (_holes(brown, mpp), limit("brown_holes_max"), "bodies are holes"),
        )
        if share > most
    ]
    if reasons:
        raise ContractError(
            "stain",
            "; ".join(reasons) + ": a stain of membrane or cytoplasm, or background, not of nuclei",
            "give a field of a nuclear marker; HER2 and other membrane stains are graded by the "
            "pathologist",
        )


def _outside(found: Nuclei, brown: Mask) -> float:
    return 100 * float((found.labels[brown] == 0).mean())


def _thin(brown: Mask, mpp: float) -> float:
    from skimage.morphology import disk, opening

    kept: Any = opening(brown, disk(max(1, round(limit("brown_thin_radius") / mpp))))  # type: ignore[no-untyped-call]
    return 100 * float(1 - kept.sum() / brown.sum())


def _holes(brown: Mask, mpp: float) -> float:
    from scipy import ndimage
    from skimage.morphology import closing, disk

    closed: Any = closing(brown, disk(max(1, round(limit("brown_close_radius") / mpp))))  # type: ignore[no-untyped-call]
    filled = np.asarray(ndimage.binary_fill_holes(closed))
    return 100 * float((filled & ~brown).sum() / filled.sum())
