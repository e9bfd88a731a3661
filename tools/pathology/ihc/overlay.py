"""The field with what was counted drawn on it: the tumour region and every nucleus."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.pathology.ihc.measure import Counted

NEGATIVE = (30, 80, 230)
POSITIVE = ((255, 200, 0), (255, 120, 0), (230, 0, 0))
"""Of grades 1, 2 and 3."""

FOUND = (0, 150, 60)
"""A nucleus without a grade."""

OUTSIDE = (150, 150, 150)
REGION = (0, 0, 0)


def overlay_png(one: Counted) -> bytes:
    """Return the overlay as PNG, on the pixels nuclei were looked for on.

    Nuclei that count are outlined blue (negative), yellow, orange or red (grades 1 to 3), or green
    where nothing was graded; those outside of the region grey; the border of the region black.
    """
    from PIL import Image
    from skimage.segmentation import find_boundaries

    picture: NDArray[np.uint8] = one.field.at(one.mpp).copy()
    edges: Any = find_boundaries(one.found.labels, mode="inner")  # type: ignore[no-untyped-call]
    named = one.found.labels[edges] - 1
    picture[edges] = _colours(one)[named]
    border: Any = find_boundaries(one.region, mode="inner")  # type: ignore[no-untyped-call]
    picture[border] = REGION
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def _colours(one: Counted) -> NDArray[np.uint8]:
    """Return the colour of each nucleus, (nuclei, 3)."""
    if one.grades is None:
        colours = np.tile(np.array(FOUND, np.uint8), (len(one.found), 1))
    else:
        colours = np.array((NEGATIVE, *POSITIVE), np.uint8)[one.grades]
    colours[~one.inside] = OUTSIDE
    return np.asarray(colours, np.uint8)
