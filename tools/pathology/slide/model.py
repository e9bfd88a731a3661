"""What is known of a slide, and how its pixels are asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from knowledge.errors import ContractError
from knowledge.model import Frozen

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]

NO_SCALE = (
    "the size of a pixel is not stated: nothing in micrometres can be said",
    "export it with its pixel size, or state it",
)


class SlideLevel(Frozen):
    """One level of a pyramid.

    Args:
        columns, rows: Its size, pixels.
        shrink: How many pixels of the first level one of its pixels is wide.
    """

    columns: int
    rows: int
    shrink: float


class SlideProblem(Frozen):
    """A defect or doubt.

    Args:
        code: Kebab-case: ``mpp-missing``, ``objective-missing``, ``label-inside``, ...
        detail: In words.
        blocks: What is refused because of it: ``micrometres`` or nothing.
    """

    code: str
    detail: str
    blocks: str = ""


class SlideFacts(Frozen):
    """What a slide's file says of itself.

    Args:
        file: Its name, or that of the folder of a DICOM slide.
        format, format_name: As OpenSlide names it, and in words.
        tried: On what the format was tried here; empty: it is read via the library, untried.
        reader: Which library reads it.
        levels: From the largest.
        mpp_um: Width and height of a pixel of the first level, micrometres; None where not stated
            or not believable.
        objective: Magnification, as stated; None where not.
        pictures_left_out: Names of label, overview and the like, which are never passed on.
        problems: What was seen wrong or doubtful.
    """

    file: str
    format: str
    format_name: str
    tried: str
    reader: str
    levels: tuple[SlideLevel, ...]
    mpp_um: tuple[float, float] | None
    objective: float | None
    pictures_left_out: tuple[str, ...] = ()
    problems: tuple[SlideProblem, ...] = ()

    @property
    def columns(self) -> int:
        """Of the first level."""
        return self.levels[0].columns

    @property
    def rows(self) -> int:
        """Of the first level."""
        return self.levels[0].rows


class PixelSource(Protocol):
    """A library that decodes one slide."""

    name: str

    def read(self, level: int, x: int, y: int, width: int, height: int) -> Rgb:
        """Return (height, width, 3) from a place in the pixels of that level.

        What lies beyond the level or was not scanned is white.
        """

    def close(self) -> None:
        """Let go of the file."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Slide:
    """An open slide.

    Args:
        facts: What its file says.
        pixels: What decodes it.
        files: Of which it is made.
    """

    facts: SlideFacts
    pixels: PixelSource
    files: tuple[Path, ...]

    def __enter__(self) -> "Slide":
        """Return the slide."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.pixels.close()

    def read(self, level: int, x: int, y: int, width: int, height: int) -> Rgb:
        """Return a region; see `PixelSource.read`.

        Raises:
            UnreadableError: The region cannot be decoded.
            ContractError: There is no such level, or the region has no pixel.
        """
        if not 0 <= level < len(self.facts.levels) or width < 1 or height < 1:
            raise ContractError(self.facts.file, f"no such region of level {level}", "")
        return self.pixels.read(level, x, y, width, height)

    @property
    def mpp_um(self) -> float:
        """Side of a pixel of the first level, micrometres (mean of both directions).

        Raises:
            ContractError: It is not stated.
        """
        mpp = self.facts.mpp_um
        if mpp is None:
            raise ContractError(self.facts.file, *NO_SCALE)
        return (mpp[0] + mpp[1]) / 2

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Take an open slide as it is."""
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe it to those who call tools: a slide is opened before, by `open_slide`."""
        return {"type": "string", "description": "an open slide"}
