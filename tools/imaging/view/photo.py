"""The pixels of a PNG, a JPEG or a TIFF picture, as those of a DICOM image are."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from knowledge.errors import InputError, TooLargeError, UnreadableError
from tools.imaging.picture import AGAIN
from tools.imaging.view.pixels import MAX_PIXELS, Pixels

_FORMATS = ("PNG", "JPEG", "TIFF")
_SIXTEEN = frozenset({"I;16", "I;16B", "I;16L", "I", "F"})

# What Pillow raises on damaged files (see tools/imaging/picture.py).
_PARSE_ERRORS: tuple[type[Exception], ...] = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, EOFError,
    ArithmeticError, MemoryError, RecursionError,
)  # fmt: skip


def decode_photo(content: bytes, *, file: str) -> Pixels:
    """Return the pixels of a picture, turned as the camera says; the first page of a TIFF.

    Args:
        content: The whole file.
        file: Its name, for messages.

    Raises:
        UnreadableError: Damaged, or every pixel has the same value.
        TooLargeError: Over `MAX_PIXELS`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                if opened.size[0] * opened.size[1] > MAX_PIXELS:
                    raise TooLargeError(
                        file,
                        f"{opened.size[0]} x {opened.size[1]} pixels",
                        "give it in a smaller size",
                    )
                turned = ImageOps.exif_transpose(opened)
                values = _values(turned)
        except InputError:
            raise
        except Image.DecompressionBombError as error:
            raise TooLargeError(file, "too many pixels", "give it in a smaller size") from error
        except _PARSE_ERRORS as error:
            raise UnreadableError(
                file, f"damaged picture ({type(error).__name__} while decoding)", AGAIN
            ) from error
    if values.size == 0 or values.min() == values.max():
        raise UnreadableError(file, "every pixel has the same value: nothing is on it", AGAIN)
    return Pixels(values=values, ds={})


def _values(picture: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    if picture.mode in _SIXTEEN:
        return np.asarray(picture, dtype=np.float32)
    if picture.mode in ("L", "1", "LA"):
        return np.asarray(picture.convert("L"), dtype=np.float32)
    return np.asarray(picture.convert("RGB"), dtype=np.uint8)
