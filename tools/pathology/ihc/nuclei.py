"""Every nucleus of a field: where it lies, how large it is, and how brown and how blue."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ihc_measurements import limit
from tools.pathology.ihc.stain import Densities, Floats, Mask

Labels = NDArray[np.int32]

_FEW = 500
"""Pixels without brown below which all pixels are looked at."""

_SCARCE = 0.02
"""Share of ground around a pixel below which its level is that of the whole field."""

_MAD = 1.4826
"""From the median absolute deviation to a standard deviation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Nuclei:
    """Nuclei of a field, each an index of the arrays.

    Args:
        labels: (rows, columns) int32; 0 is no nucleus, i + 1 the nucleus i.
        x, y: Centre in pixels of `labels`.
        area_um2: Area.
        dab, haematoxylin: Mean optical density.
        brown: (rows, columns) bool: what was taken for DAB.
    """

    labels: Labels = field(repr=False)
    x: Floats
    y: Floats
    area_um2: Floats
    dab: Floats
    haematoxylin: Floats
    brown: Mask = field(repr=False)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.x)


def nuclei(found: Densities, mpp: float) -> Nuclei:
    """Return the nuclei of a field.

    Brown and blue nuclei are looked for by a threshold of their own each: with one threshold for
    both, dark brown nuclei raise it until pale blue ones are lost.

    Args:
        found: Densities of the stains.
        mpp: µm per pixel.
    """
    from scipy import ndimage

    smooth = limit("smoothing") / mpp
    blue = ndimage.gaussian_filter(found.haematoxylin, smooth)
    brown = ndimage.gaussian_filter(found.dab, smooth)
    is_brown = brown > max(limit("dab_floor"), limit("dab_otsu_share") * _otsu(brown))
    mask = is_brown | _blue(blue, is_brown, mpp)
    return _measured(_split(_opened(mask, mpp), mpp), found, is_brown, mpp)


def _blue(blue: Floats, is_brown: Mask, mpp: float) -> Mask:
    """Return what stands out from the pale ground between the nuclei, wherever it is pale."""
    from scipy import ndimage

    near = ndimage.binary_dilation(is_brown, iterations=max(1, round(limit("dab_border") / mpp)))
    clear = ~near if (~near).sum() > _FEW else np.ones_like(near)
    ground = clear & (blue <= _otsu(np.clip(blue[clear], *np.percentile(blue[clear], (1, 98)))))
    reach = limit("ground_reach") / mpp
    weight = ndimage.gaussian_filter(ground.astype(np.float64), reach)
    level = ndimage.gaussian_filter(np.where(ground, blue, 0.0), reach) / np.maximum(weight, 1e-6)
    level = np.where(weight > _SCARCE, level, np.median(blue[ground]))
    above = blue - level
    spread = _MAD * float(np.median(np.abs(above[ground] - np.median(above[ground]))))
    return np.asarray(above > max(limit("blue_contrast"), limit("blue_spreads") * spread))


def _opened(mask: Mask, mpp: float) -> Mask:
    from scipy import ndimage
    from skimage.morphology import disk, opening

    opened: Any = opening(mask, disk(max(1, int(limit("opening_radius") / mpp))))  # type: ignore[no-untyped-call]
    return np.asarray(ndimage.binary_fill_holes(opened))


def _split(mask: Mask, mpp: float) -> Labels:
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(mask), 0.5 / mpp)
    bodies, _ = ndimage.label(mask)
    peaks: Any = peak_local_max(  # type: ignore[no-untyped-call]
        depth,
        min_distance=int(limit("nucleus_distance") / mpp),
        labels=bodies,
        exclude_border=False,
    )
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    split: Any = watershed(-depth, markers, mask=mask)  # type: ignore[no-untyped-call]
    return np.asarray(split, np.int32)


def _measured(labels: Labels, found: Densities, brown: Mask, mpp: float) -> Nuclei:
    from scipy import ndimage

    area = np.bincount(labels.ravel()).astype(np.float64) * mpp * mpp
    good = (area >= limit("nucleus_area_min")) & (area <= limit("nucleus_area_max"))
    good[0] = False
    names = np.zeros(len(area), np.int32)
    names[good] = np.arange(1, int(good.sum()) + 1)
    labels = names[labels]
    index = np.arange(1, int(good.sum()) + 1)
    if not len(index):
        none = np.zeros(0)
        return Nuclei(labels=labels, x=none, y=none, area_um2=none, dab=none, haematoxylin=none,
                      brown=brown)  # fmt: skip
    centres = np.array(ndimage.center_of_mass(labels > 0, labels, index)).reshape(-1, 2)
    return Nuclei(
        labels=labels,
        x=centres[:, 1],
        y=centres[:, 0],
        area_um2=area[good],
        dab=np.asarray(ndimage.mean(found.dab, labels, index)),
        haematoxylin=np.asarray(ndimage.mean(found.haematoxylin, labels, index)),
        brown=brown,
    )


def _otsu(values: Floats) -> float:
    from skimage.filters import threshold_otsu

    return float(threshold_otsu(values)) if values.max() > values.min() else float(values.max())  # type: ignore[no-untyped-call]
