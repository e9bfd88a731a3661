"""A film made small and flat: the same darkness of lung everywhere, for outlining."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from knowledge.film_measurements import limit
from tools.imaging.film.model import Grey, Mask

_COARSE = 4
_REACH = 0.16
"""Width of the neighbourhood a pixel is compared with, of the longer side."""


def shrunk(grey: Grey) -> Grey:
    """Return a film whose longer side has as many pixels as the grid of the outline."""
    from PIL import Image

    scale = limit("grid") / max(grey.shape)
    rows, columns = (max(8, round(side * scale)) for side in grey.shape)
    small = Image.fromarray(grey).resize((columns, rows), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32)


def beside_body(grey: Grey) -> Mask:
    """Return what is dark and joined to the edge of the picture: air and shutters."""
    dark = opened(grey < limit("background"), 2)
    labels, _ = ndimage.label(dark)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    found: Mask = np.isin(labels, rim[rim > 0])
    return found


def flattened(grey: Grey, beside: Mask) -> Grey:
    """Return each pixel against its wide neighbourhood within the body, in its deviations.

    Lung is negative, mediastinum and bone positive; 0 beside the body.
    """
    weight = (~beside).astype(np.float32)
    reach = _REACH * max(grey.shape)
    total = np.maximum(_blurred(weight, reach), 1e-3)
    differs: Grey = ((grey - _blurred(grey * weight, reach) / total) * weight).astype(np.float32)
    spread = np.sqrt(_blurred(np.square(differs) * weight, reach) / total + 1e-3)
    found: Grey = (differs / spread).astype(np.float32)
    return found


def _blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Return a wide Gaussian mean, made on a coarse grid."""
    from PIL import Image

    size = [-(-side // _COARSE) for side in values.shape]
    coarse = Image.fromarray(values).resize((size[1], size[0]), Image.Resampling.BOX)
    soft = ndimage.gaussian_filter(np.asarray(coarse), sigma / _COARSE)
    back = Image.fromarray(soft).resize(values.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(back, dtype=np.float32)


def dilated(mask: Mask, radius: float) -> Mask:
    """Return a mask grown by a radius in pixels."""
    if not mask.any():
        return mask
    found: Mask = ndimage.distance_transform_edt(~mask) <= radius
    return found


def eroded(mask: Mask, radius: float) -> Mask:
    """Return a mask shrunk by a radius in pixels, from the edge of the picture too."""
    found: Mask = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] > radius
    return found


def opened(mask: Mask, radius: float) -> Mask:
    """Return a mask without what is narrower than twice a radius."""
    return dilated(eroded(mask, radius), radius)
