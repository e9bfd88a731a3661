"""Pixels by OpenSlide: slides of every scanner it knows, and DICOM slides."""

from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import UnreadableError, UnsupportedError
from tools.pathology.slide.model import Rgb

AGAIN = "export the slide again"
_WHITE = 255
_READ = (
    "openslide.vendor",
    "openslide.mpp-x",
    "openslide.mpp-y",
    "openslide.objective-power",
)


class OpenSlideSource:
    """One slide opened by OpenSlide, which may be read from several threads."""

    def __init__(self, path: Path, *, file: str) -> None:
        """Open it.

        Args:
            path: The file; of a DICOM slide any of its files.
            file: What messages call it.

        Raises:
            UnreadableError: Damaged.
            UnsupportedError: Of no format that OpenSlide knows.
        """
        import openslide

        self._file = file
        self._error = openslide.OpenSlideError
        self.name = f"openslide {openslide.__library_version__}"
        try:
            self._slide = openslide.OpenSlide(path)
        except openslide.OpenSlideUnsupportedFormatError as error:
            raise UnsupportedError(file, "no slide of a known format", AGAIN) from error
        except (openslide.OpenSlideError, OSError) as error:
            raise UnreadableError(file, f"cannot be opened ({_plain(error)})", AGAIN) from error

    @property
    def properties(self) -> dict[str, str]:
        """What is read of what the file says, by OpenSlide's names; the rest may name a patient."""
        found = {}
        for name in _READ:
            try:
                found[name] = str(self._slide.properties[name])
            except (KeyError, self._error):  # not stated, or named and not decodable
                continue
        return found

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Columns and rows of each level."""
        return [(int(c), int(r)) for c, r in self._slide.level_dimensions]

    @property
    def shrinks(self) -> list[float]:
        """How much each level is shrunk."""
        return [float(d) for d in self._slide.level_downsamples]

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of label, overview and the like; their pixels are never read."""
        return tuple(sorted(self._slide.associated_images))

    def read(self, level: int, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a region; see `PixelSource.read`.

        Raises:
            UnreadableError: It cannot be decoded.
        """
        shrink = self._slide.level_downsamples[level]
        at = (round(x * shrink), round(y * shrink))
        try:
            picture = self._slide.read_region(at, level, (width, height))
        except (self._error, MemoryError, OSError) as error:
            raise UnreadableError(
                self._file, f"pixels cannot be decoded ({_plain(error)})", AGAIN
            ) from error
        return on_white(np.asarray(picture))

    def close(self) -> None:
        """Let go of the file."""
        self._slide.close()


def on_white(rgba: Any) -> Rgb:
    """Return red, green and blue of (rows, columns, 4) over white, not premultiplied."""
    alpha = rgba[..., 3]
    rgb: Rgb = np.ascontiguousarray(rgba[..., :3])
    if alpha.min() < _WHITE:
        share = alpha[..., None].astype(np.float32) / _WHITE
        rgb = np.rint(rgb * share + _WHITE * (1 - share)).astype(np.uint8)
    return rgb


def _plain(error: Exception) -> str:
    """Return the kind of a decoder's complaint; its own words may quote the file."""
    said = str(error).splitlines()[0] if str(error) else ""
    known = (
        "Bogus marker",
        "Unsupported TIFF compression",
        "truncat",
        "Premature end",
        "Read error",
    )
    return next(
        (word for word in known if word.casefold() in said.casefold()), type(error).__name__
    )
