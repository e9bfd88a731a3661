"""Optical densities of haematoxylin and DAB, and whether a region is stained with them at all.

Absorbance adds up over stains (law of Beer and Lambert), so the densities of three channels are a
matrix product away from the amounts of three stains (Ruifrok and Johnston 2001). Densities are to
base 10, vectors have length 1.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from knowledge.ihc_measurements import ihc_measurements, limit

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Vector = tuple[float, float, float]

METHOD = "hed-od10/1"
"""Name and version of the densities; a calibration names the one it was made with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Densities:
    """Optical density of each stain, (rows, columns) float64.

    Args:
        haematoxylin, dab: Never below 0.
        eosin: May lie below 0 where the picture holds none.
        total: Sum over red, green and blue before the stains were told apart.
    """

    haematoxylin: Floats = field(repr=False)
    eosin: Floats = field(repr=False)
    dab: Floats = field(repr=False)
    total: Floats = field(repr=False)


def densities(
    rgb: NDArray[np.uint8] | Floats,
    *,
    white: Vector | None = None,
    haematoxylin: Vector | None = None,
    dab: Vector | None = None,
) -> Densities:
    """Return the optical density of each stain.

    Args:
        rgb: (rows, columns, 3), grey levels 0 to 255.
        white: Grey levels of the empty slide; 255 each unless given.
        haematoxylin: Vector of the laboratory's haematoxylin; that of the table unless given.
        dab: The same of DAB.
    """
    known = ihc_measurements().vectors
    rows = [haematoxylin or known.haematoxylin, known.eosin, dab or known.dab]
    matrix = np.array(rows, dtype=np.float64)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    empty = np.array(white or (limit("white"),) * 3, dtype=np.float64)
    density = -np.log10(np.clip(np.asarray(rgb, dtype=np.float64), 1.0, None) / empty)
    amounts = density @ np.linalg.inv(matrix)
    return Densities(
        haematoxylin=np.clip(amounts[..., 0], 0, None),
        eosin=amounts[..., 1],
        dab=np.clip(amounts[..., 2], 0, None),
        total=density.sum(axis=-1),
    )


def check_stain(found: Densities, region: Mask) -> None:
    """Refuse a region that holds no tissue, or that is not stained with haematoxylin and DAB.

    Raises:
        ContractError: No tissue; eosin as in a routine stain.
    """
    tissue = region & (found.total > limit("tissue_density"))
    share = 100 * tissue.sum() / max(1, region.sum())
    if share < limit("tissue_share_min"):
        raise ContractError(
            "stain", f"{share:.1f} % of the region is tissue", "give a region with tissue"
        )
    stains = (found.haematoxylin, found.eosin, found.dab)
    amounts = [float(np.clip(a[tissue], 0, None).sum()) for a in stains]
    eosin = 100 * amounts[1] / max(1e-9, sum(amounts))
    high = float(np.percentile(found.eosin[tissue], 99))
    if eosin > limit("eosin_share_max") and high > limit("eosin_high_max"):
        raise ContractError(
            "stain",
            f"{eosin:.0f} % of the absorbance is of eosin (99th percentile of its density "
            f"{high:.2f}): this is not haematoxylin with DAB",
            "give the slide of the marker; where it is one, state the vectors of the laboratory's "
            "stains in its calibration",
        )
