"""One picture of an immunohistochemistry slide with the size of its pixels."""

import hashlib
import io
import math
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from knowledge.errors import ContractError, TooLargeError, UnreadableError, UnsupportedError
from knowledge.ihc_measurements import limit

MAX_BYTES = 150_000_000
_FORMATS = ("PNG", "JPEG", "TIFF")
_CLOSE = 0.02

# What Pillow 13 raises on damaged files, seen or read in its source.
_PARSE_ERRORS: tuple[type[Exception], ...] = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, EOFError,
    ArithmeticError, MemoryError, RecursionError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class IhcField:
    """One field.

    Args:
        rgb: (rows, columns, 3) uint8.
        mpp: µm per pixel.
        file: Its name.
        sha256: Of the file.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mpp: float
    file: str
    sha256: str = ""

    @property
    def size_px(self) -> tuple[int, int]:
        """Columns and rows."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def at(self, mpp: float) -> NDArray[np.uint8]:
        """Return the picture with pixels of another size, averaged where they become larger."""
        from PIL import Image

        if abs(self.mpp / mpp - 1) < _CLOSE:
            return self.rgb
        columns, rows = (max(1, round(n * self.mpp / mpp)) for n in self.size_px)
        smaller = Image.fromarray(self.rgb).resize((columns, rows), Image.Resampling.BILINEAR)
        return np.asarray(smaller)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "IhcField",
            "description": "File with one RGB picture of an immunohistochemistry slide",
        }


def read_field(path: Path, *, mpp: float | None) -> IhcField:
    """Return a field.

    Args:
        path: PNG, JPEG or TIFF, 8 bits per channel.
        mpp: µm per pixel, as the scanner states it; a picture alone does not say it.

    Raises:
        ContractError: No `mpp`, or one on which nuclei cannot be measured.
        UnreadableError: Damaged.
        UnsupportedError: Not a picture in colour of 8 bits.
        TooLargeError: Over `MAX_BYTES` or the longest side.
    """
    checked = _checked_mpp(mpp)
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableError(
            path.name, f"cannot be opened: {error.strerror}", "name a picture of the field"
        ) from error
    if len(content) > MAX_BYTES:
        raise TooLargeError(path.name, f"over {MAX_BYTES // 10**6} MB", "cut out a smaller field")
    return IhcField(
        rgb=_decoded(content, path.name),
        mpp=checked,
        file=path.name,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _checked_mpp(mpp: float | None) -> float:
    if mpp is None:
        raise ContractError(
            "mpp", "the size of a pixel is not stated", "give --mpp, in µm per pixel"
        )
    low, high = limit("mpp_min"), limit("mpp_max")
    if not math.isfinite(mpp) or not low <= mpp <= high:
        raise ContractError(
            "mpp",
            f"{mpp:g} µm per pixel; nuclei are measured at {low:g} to {high:g}",
            "take the field at the magnification of 20 or 40",
        )
    return mpp


def _decoded(content: bytes, file: str) -> NDArray[np.uint8]:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes; they are checked here
        try:
            with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
                _check_kind(picture.size, picture.mode, file)
                rgb = np.asarray(picture.convert("RGB"))
        except _PARSE_ERRORS as error:
            raise UnreadableError(
                file, f"not a whole PNG, JPEG or TIFF: {type(error).__name__}", "export it again"
            ) from error
    return rgb


def _check_kind(size: tuple[int, int], mode: str, file: str) -> None:
    most = limit("side_max")
    if max(size) > most:
        raise TooLargeError(
            file, f"{size[0]} x {size[1]} pixels; at most {most:g} a side", "cut out fields"
        )
    if mode not in ("RGB", "RGBA", "P", "CMYK", "YCbCr"):
        raise UnsupportedError(
            file, f"mode {mode}: not a picture in colour of 8 bits", "export it as RGB"
        )
