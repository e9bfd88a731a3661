"""One picture, volume or tracing with what is known of it: what a model is shown."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from knowledge.model import Frozen
from knowledge.patient import Identity
from tools.models.vocabulary import InputKind


class InputRef(Frozen):
    """Which file a result is of.

    Args:
        file: Its name.
        sha256: Of its bytes.
        sop_instance_uid: Of the DICOM object; empty for other files.
        series_instance_uid: Likewise.
    """

    file: str
    sha256: str
    sop_instance_uid: str = ""
    series_instance_uid: str = ""


@dataclass(frozen=True, kw_only=True)
class GreyWindow:
    """One window of a file (PS3.3 C.11.2.1.2).

    Args:
        centre, width: In the unit of the pixels after the modality's rescaling.
        function: ``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID``.
    """

    centre: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a model is shown.

    Args:
        pixels: (rows, columns) or (rows, columns, 3) of a picture; (slices, rows, columns) of a
            volume; (leads, samples) of a tracing in mV; (members, numbers) of a bag.
        kind: Which of them.
        sources: The files it came from.
        modality: Code of DICOM; empty where not known.
        view, body_part: As stated; empty where not.
        photometric: MONOCHROME1, MONOCHROME2 or RGB; empty where not known.
        value_range: Lowest and highest value the file can hold, after rescaling; for inverting.
        windows: Of the file, in its order.
        spacing_mm: Along the axes of `pixels` without colour; None where not known.
        orientation: Of a volume: where columns, rows and slices lead to, ``LPS`` or the like.
        fs_hz: Samples a second of a tracing.
        leads: Names of the leads of a tracing.
        age_years: None where not known.
        embedding_of: Of a bag: id, version and hash of the model that made its vectors.
        identity: Who the file says the patient is; None where it says nothing.
        stated: Names of the facts that a person stated rather than the file.
        notes: What the reader saw that is doubtful.
    """

    pixels: NDArray[Any]
    kind: InputKind
    sources: tuple[InputRef, ...]
    modality: str = ""
    view: str = ""
    body_part: str = ""
    photometric: str = ""
    value_range: tuple[float, float] | None = None
    windows: tuple[GreyWindow, ...] = ()
    spacing_mm: tuple[float, ...] | None = None
    orientation: str = ""
    fs_hz: float | None = None
    leads: tuple[str, ...] = ()
    age_years: float | None = None
    embedding_of: tuple[str, str, str] | None = None
    identity: Identity | None = field(default=None, repr=False)
    stated: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "Sample",
            "description": "Image file, folder of a CT series, or recording",
        }

    @property
    def name(self) -> str:
        """What messages call it: its file, or the first of them."""
        if not self.sources:
            return "input"
        first = self.sources[0].file
        return first if len(self.sources) == 1 else f"{first} and {len(self.sources) - 1} more"

    @property
    def extent(self) -> tuple[int, ...]:
        """Sizes of the axes in space."""
        return self.pixels.shape[: 3 if self.kind == "volume3d" else 2]


def has_no_content(pixels: NDArray[Any]) -> bool:
    """Return whether all values are the same: nothing is on such a picture."""
    return bool(np.ptp(pixels) == 0) if pixels.size else True
