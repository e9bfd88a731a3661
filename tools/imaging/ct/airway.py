"""The trachea and main bronchi, followed downwards and taken out of the air of the chest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.ct_measurements import limit
from tools.imaging.ct.model import Mask


def without_airway(air: Mask, spacing: tuple[float, ...]) -> Mask:
    """Return the air without the trachea.

    From the highest slice on which a round air space of a trachea's size lies near the middle, it
    is followed downwards until its cross section jumps, at the carina or into a lung. Where none is
    found the air is returned as it is.

    Args:
        air: (slices, rows, columns) bool, air inside the body, from feet to head.
        spacing: Distance of slices, of rows, of columns, mm.
    """
    from scipy import ndimage

    pixel = spacing[1] * spacing[2]
    out = air.copy()
    above: Mask | None = None
    areas: list[float] = []
    for level in range(air.shape[0] - 1, -1, -1):
        labels, count = ndimage.label(air[level])
        if not count:
            above, areas = None, []
            continue
        sizes = np.bincount(labels.ravel()) * pixel
        label = _start(labels, sizes, spacing) if above is None else _below(labels, sizes, above)
        if label is None or (areas and sizes[label] > limit("airway_growth") * np.median(areas)):
            if len(areas) * spacing[0] >= 20:  # mm: a trachea, no bubble
                return out
            above, areas = None, []
            out = air.copy()
            continue
        above = labels == label
        areas.append(float(sizes[label]))
        grown = ndimage.binary_dilation(above)
        out[level] &= ~grown
    return out if len(areas) * spacing[0] >= 20 else air  # as above


def _start(labels: NDArray[Any], sizes: NDArray[Any], spacing: tuple[float, ...]) -> int | None:
    """Return the label of a round space of a trachea's size in the middle third, or None."""
    rows, columns = np.nonzero(labels)
    middle = labels.shape[1] / 2
    best: tuple[float, int] | None = None
    for label in range(1, len(sizes)):
        if not limit("airway_area_min") <= sizes[label] <= limit("airway_area_max"):
            continue
        of = labels[rows, columns] == label
        height = (np.ptp(rows[of]) + 1) * spacing[1]
        width = (np.ptp(columns[of]) + 1) * spacing[2]
        off = abs(float(columns[of].mean()) - middle) * spacing[2]
        if max(height, width) > 2 * min(height, width) or off > 0.15 * labels.shape[1] * spacing[2]:
            continue
        if best is None or off < best[0]:
            best = (off, label)
    return None if best is None else best[1]


def _below(labels: NDArray[Any], sizes: NDArray[Any], above: Mask) -> int | None:
    """Return the label that lies under the cross section above, or None."""
    under = labels[above]
    under = under[under > 0]
    if not len(under):
        return None
    label = int(np.bincount(under).argmax())
    return label if sizes[label] >= limit("airway_area_min") / 2 else None
