"""Volume of a nodule with the part of its blurred edge that lies on either side of the outline."""

import numpy as np

from tools.imaging.ct.model import Mask
from tools.imaging.ct.nodule_region import Region

_EDGE_MM = 1.5
"""Further from the outline than a scanner's blur reaches."""


def volume_mm3(around: Region, mask: Mask, *, background: float, threshold: float) -> float:
    """Return the volume.

    An outline at half height lies inside a small sphere's true edge. What the blur took outside it
    is counted by its density against the nodule's own (twice the height of the threshold), and
    what is thinner inside is taken off. Tissue outside that is denser than the threshold, a vessel
    or the wall, counts nothing.

    Args:
        around: The region.
        mask: The nodule in it.
        background: Of the lung around it, HU.
        threshold: Value at its edge, half way to its own, HU.
    """
    from scipy import ndimage

    share = (around.hu - background) / (2 * (threshold - background))
    away = ndimage.distance_transform_edt(~mask) * around.grid_mm
    depth = ndimage.distance_transform_edt(mask) * around.grid_mm
    other = (around.hu > threshold) & ~mask
    near_other = ndimage.distance_transform_edt(~other) * around.grid_mm <= _EDGE_MM
    outside = (away > 0) & (away <= _EDGE_MM) & ~near_other
    inside = (depth > 0) & (depth <= _EDGE_MM)
    points = float(mask.sum()) + float(share[outside].sum())
    points -= float((1 - np.minimum(1.0, share[inside])).sum())
    return points * around.grid_mm**3
