"""Pixels by wsidicom: DICOM slides, faster than OpenSlide; an extra that need not be installed."""

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import MissingExtraError, UnreadableError
from tools.pathology.slide.model import Rgb

_AGAIN = "export the slide again"
_WHITE = 255


def installed() -> bool:
    """Return whether wsidicom is there."""
    return importlib.util.find_spec("wsidicom") is not None


class WsiDicomSource:
    """One DICOM slide opened by wsidicom, which may be read from several threads."""

    def __init__(self, files: Sequence[Path], *, file: str) -> None:
        """Open the levels of a slide.

        Args:
            files: Of the levels alone: no label, no overview.
            file: What messages call it.

        Raises:
            MissingExtraError: wsidicom is not installed.
            UnreadableError: Damaged, or not a slide by its rules.
        """
        if not installed():
            raise MissingExtraError(
                "wsidicom",
                "is not installed",
                "pip install 'epicrisis[wsi]', or --reader openslide",
            )
        import wsidicom  # type: ignore[import-not-found,import-untyped,unused-ignore]

        self._file = file
        self.name = f"wsidicom {wsidicom.__version__}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._slide: Any = wsidicom.WsiDicom.open(list(files))
                self._levels: list[Any] = list(self._slide.pyramid)
            except _errors() as error:
                raise _unreadable(file, error) from error

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Columns and rows of each level."""
        return [(int(one.size.width), int(one.size.height)) for one in self._levels]

    @property
    def mpp_um(self) -> tuple[float, float]:
        """Width and height of a pixel of the first level, micrometres."""
        mpp = self._levels[0].mpp
        return float(mpp.width), float(mpp.height)

    def read(self, level: int, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a region; see `PixelSource.read`.

        Raises:
            UnreadableError: It cannot be decoded.
        """
        columns, rows = self.levels[level]
        left, top = max(0, x), max(0, y)
        right, bottom = min(columns, x + width), min(rows, y + height)
        if right <= left or bottom <= top:
            return np.full((height, width, 3), _WHITE, np.uint8)
        try:
            found = self._slide.read_region(
                (left, top), self._levels[level].level, (right - left, bottom - top), as_array=True
            )
        except _errors() as error:
            raise _unreadable(self._file, error) from error
        pixels = _colour(np.asarray(found))
        if pixels.shape[:2] != (bottom - top, right - left):
            raise UnreadableError(self._file, "a region comes in another size", _AGAIN)
        if pixels.shape[:2] == (height, width):
            return pixels
        whole: Rgb = np.full((height, width, 3), _WHITE, np.uint8)
        whole[top - y : bottom - y, left - x : right - x] = pixels
        return whole

    def close(self) -> None:
        """Let go of the files."""
        self._slide.close()


def _colour(pixels: Any) -> Rgb:
    if pixels.ndim == 2 or pixels.shape[-1] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=-1)
    found: Rgb = np.ascontiguousarray(pixels[..., :3], dtype=np.uint8)
    return found


def _unreadable(file: str, error: Exception) -> UnreadableError:
    return UnreadableError(
        file, f"not readable as a DICOM slide ({type(error).__name__})", "export the slide again"
    )


def _errors() -> tuple[type[Exception], ...]:
    """Return what wsidicom and the libraries under it raise on damaged files."""
    import struct

    from wsidicom import errors

    own = (value for value in vars(errors).values() if isinstance(value, type))
    return (
        *(value for value in own if issubclass(value, Exception)),
        ArithmeticError, AttributeError, EOFError, LookupError, MemoryError,
        NotImplementedError, OSError, RuntimeError, TypeError, ValueError, struct.error,
    )  # fmt: skip
