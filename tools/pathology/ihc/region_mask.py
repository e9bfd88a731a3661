"""A tumour region as a mask: a PNG of the size of the field, of 0 and one other value."""

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, UnreadableError
from tools.pathology.ihc.stain import Mask

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

WAY_OUT = "give GeoJSON polygons, or a mask of the field's size with 0 and one other value"
_PARSE_ERRORS: tuple[type[Exception], ...] = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, EOFError,
    ArithmeticError, MemoryError, RecursionError, struct.error, zlib.error,
)  # fmt: skip


def mask_of_png(content: bytes, *, size_px: tuple[int, int], file: str) -> Mask:
    """Return (rows, columns) bool: where a mask is not 0.

    A picture of tissue is no mask, and one that is set everywhere outlines nothing.

    Args:
        content: The PNG.
        size_px: Columns and rows of the field.
        file: What messages call it.

    Raises:
        ContractError: Of another size; empty or set everywhere; more than two values.
        UnreadableError: No PNG.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if picture.size != size_px:
                raise ContractError(
                    file,
                    f"a mask of {picture.size[0]} x {picture.size[1]} pixels on a field of "
                    f"{size_px[0]} x {size_px[1]}",
                    "give a mask of the size of the field",
                )
            values = _values(picture)
    except _PARSE_ERRORS as error:
        raise UnreadableError(file, "neither GeoJSON nor a mask as PNG", WAY_OUT) from error
    mask: Mask = values > 0
    if not mask.any():
        raise ContractError(file, "the region holds no pixel of the field", WAY_OUT)
    if (values[mask] != values[mask][0]).any():
        reason = "more than two values: a picture or several labels, and no outline of the tumour"
        raise ContractError(file, reason, WAY_OUT)
    if mask.all():
        way_out = "where all of the field is tumour, outline it as a polygon in GeoJSON"
        raise ContractError(file, "a mask that is set everywhere outlines no tumour", way_out)
    return mask


def _values(picture: "Picture") -> NDArray[np.int64]:
    """Return one number for each pixel, 0 only where every channel is black."""
    if picture.mode in ("1", "L", "I", "I;16"):
        return np.asarray(picture).astype(np.int64)
    colours = np.asarray(picture.convert("RGB")).astype(np.int64)
    return (colours[..., 0] << 16) + (colours[..., 1] << 8) + colours[..., 2]
