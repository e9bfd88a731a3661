"""A slide as Deep Zoom tiles: its pyramid alone; label and overview picture are never read."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import (
    InvalidValueError,
    MissingExtraError,
    UnreadableError,
    UnsupportedError,
)
from tools.pathology.slide.guard import check_native

TILE = 254
"""Pixels of a tile without its overlap: the size the format was made for."""

OVERLAP = 1
_QUALITY = 85

AGAIN = "export the slide again"


@dataclass(frozen=True, kw_only=True)
class SlideScale:
    """What a slide says of its scale.

    Args:
        mpp_x, mpp_y: Micrometres of a pixel of the largest level; None where not stated.
        objective: Power; None where not stated.
    """

    mpp_x: float | None = None
    mpp_y: float | None = None
    objective: float | None = None


class DeepZoom:
    """One open slide. Tiles may be asked for from several threads.

    Args:
        path: The slide, or one file of a DICOM slide whose other files lie beside it.
        name: As messages call it.

    Raises:
        UnsupportedError: No slide that can be opened.
        UnreadableError: Damaged.
    """

    def __init__(self, path: Path, *, name: str) -> None:
        try:
            import openslide
            from openslide.deepzoom import DeepZoomGenerator
        except ImportError as error:
            raise MissingExtraError(
                "slides", "openslide is not installed", "install openslide-python and openslide-bin"
            ) from error
        check_native(path, name=name)
        self._name = name
        self._error: type[Exception] = openslide.OpenSlideError
        try:
            self._slide = openslide.OpenSlide(path)
            self._tiles = DeepZoomGenerator(
                self._slide, tile_size=TILE, overlap=OVERLAP, limit_bounds=True
            )
        except openslide.OpenSlideUnsupportedFormatError as error:
            raise UnsupportedError(name, "no slide that can be opened here", AGAIN) from error
        except (openslide.OpenSlideError, OSError) as error:
            raise UnreadableError(name, "the slide is damaged", AGAIN) from error

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the largest level that is shown."""
        width, height = self._tiles.level_dimensions[-1]
        return int(width), int(height)

    @property
    def levels(self) -> int:
        """Levels of the Deep Zoom pyramid, from one pixel up."""
        return int(self._tiles.level_count)

    @property
    def one_tile(self) -> int:
        """The largest level that is a single tile."""
        sizes = self._tiles.level_tiles
        return max(level for level, size in enumerate(sizes) if tuple(size) == (1, 1))

    @property
    def scale(self) -> SlideScale:
        """What the slide says of its scale."""
        stated = self._slide.properties
        if stated.get("openslide.vendor") == "generic-tiff":
            return SlideScale()  # the resolution of a plain TIFF is that of a print
        return SlideScale(
            mpp_x=_positive(stated.get("openslide.mpp-x")),
            mpp_y=_positive(stated.get("openslide.mpp-y")),
            objective=_positive(stated.get("openslide.objective-power")),
        )

    def describe(self) -> bytes:
        """Return the ``.dzi`` description."""
        return str(self._tiles.get_dzi("jpeg")).encode()

    def tile(self, level: int, column: int, row: int) -> bytes:
        """Return one tile as JPEG.

        Args:
            level: Of the Deep Zoom pyramid.
            column: Of the tile.
            row: Of the tile.

        Raises:
            InvalidValueError: There is no such tile.
            UnreadableError: Its part of the slide is damaged.
        """
        try:
            picture = self._tiles.get_tile(level, (column, row))
        except ValueError as error:
            raise InvalidValueError(self._name, "has no such tile") from error
        except self._error as error:
            raise UnreadableError(self._name, "this part of the slide is damaged", AGAIN) from error
        out = io.BytesIO()
        picture.convert("RGB").save(out, format="JPEG", quality=_QUALITY)
        return out.getvalue()

    def close(self) -> None:
        """Close the slide."""
        self._slide.close()


def _positive(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if 0 < value < float("inf") else None
