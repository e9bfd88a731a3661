"""Types of the chest-film tools: a film, its gate, and what was measured on it."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from knowledge.film_measurements import View
from knowledge.finding import NotAssessed, State
from knowledge.model import Frozen
from tools.imaging.model import ImageFile

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]
Told = Literal["header", "pixels", "person", "nobody"]
Measure = Literal["lung-fields", "cardiothoracic-ratio", "ratio-against-limit"]
Side = Literal["right", "left"]

NOT_STATED = "not stated"


class StatedFilm(Frozen):
    """What a person says of a film whose file does not say it.

    Args:
        view: PA, AP or lateral; None for not stated.
        age_years: Of the patient when the film was taken; None for not stated.
    """

    view: View | None = None
    age_years: float | None = Field(default=None, ge=0, le=130)


class FilmFacts(Frozen):
    """What is known of a film before it is looked at.

    Args:
        image: What its header says.
        picture: A PNG or JPEG, without any header of a patient.
        modality, body_part: As stated, lower case; empty where not.
        view: As stated and understood; None where not.
        view_said: As the header writes it; empty where it does not.
        age_years: None where not stated.
        told: Who says view and age, by their names.
        photometric: As stated; empty for pictures.
        inverse_shape: The presentation LUT shape is INVERSE.
        windows: How many windows or VOI LUTs the file holds.
        orientation: Patient orientation (0020,0020); empty where not stated.
        turned: What was done to bring the patient's right to the left side and the head up.
        bedside: Word of the header that says portable or supine; empty for none.
        captured: A secondary capture.
        rows, columns: Of the pixels.
        coloured: Share of coloured pixels, 0 to 1.
        lossy: Compressed with loss.
    """

    image: ImageFile
    picture: bool
    modality: str = ""
    body_part: str = ""
    view: View | None = None
    view_said: str = ""
    age_years: float | None = None
    told: dict[str, Told] = Field(default_factory=dict)
    photometric: str = ""
    inverse_shape: bool = False
    windows: int = 0
    orientation: tuple[str, ...] = ()
    turned: str = ""
    bedside: str = ""
    captured: bool = False
    rows: int
    columns: int
    coloured: float = 0.0
    lossy: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """One film as it is shown: air dark, the head up, the patient's right on the left.

    Args:
        grey: (rows, columns) float32, before any window; 0 and 1 are the 1st and 99th percentile.
        lowest, highest: Share of pixels that hold the lowest and the highest value of the file.
        facts: What is known of it.
    """

    grey: Grey = field(repr=False)
    lowest: float
    highest: float
    facts: FilmFacts

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "ChestFilm",
            "description": "One chest film: a DICOM, PNG or JPEG file",
        }


class GateItem(Frozen):
    """One thing that can be wrong or doubtful with a film.

    Args:
        id: Kebab-case, for example ``lateral``.
        label: In words, so that `present` is the defect.
        state: Present, absent, or not assessed with the reason.
        detail: What was seen.
        told: By whom.
        stops: What must not be measured since it is present.
    """

    id: str
    label: str
    state: State
    detail: str
    not_assessed: NotAssessed | None = None
    told: Told
    stops: tuple[Measure, ...] = ()

    @model_validator(mode="after")
    def _three_valued(self) -> "GateItem":
        if (self.state is State.NOT_ASSESSED) != (self.not_assessed is not None):
            raise ValueError("a reason is given exactly when the state is not_assessed")
        return self


class FilmGate(Frozen):
    """What is wrong or doubtful with a film, and what may be measured on it.

    Args:
        items: In the order of a report.
        may: What may be tried.
        refused: What may not, and why.
    """

    items: tuple[GateItem, ...]
    may: tuple[Measure, ...]
    refused: dict[Measure, NotAssessed] = Field(default_factory=dict)

    def item(self, name: str) -> GateItem:
        """Return one item.

        Raises:
            KeyError: There is no such item.
        """
        for one in self.items:
            if one.id == name:
                return one
        raise KeyError(name)


class Edges(Frozen):
    """Where a width was measured, as fractions of the picture's columns and rows.

    Args:
        right, left: (column, row) of the patient's right and left border.
    """

    right: tuple[float, float]
    left: tuple[float, float]


class LungField(Frozen):
    """The outline of one lung field.

    Args:
        side: Of the patient, where the film lies as usual.
        outline: (column, row), fractions of the picture; closed.
        area: Share of the picture.
        top, bottom: Rows of its ends, fractions.
    """

    side: Side
    outline: tuple[tuple[float, float], ...]
    area: float
    top: float
    bottom: float


class HeartRatio(Frozen):
    """The widths behind a cardiothoracic ratio, in shares of the picture's width, and the ratio.

    Args:
        ratio: Heart width by thoracic width; approximate.
        spread: Difference of the highest and lowest ratio with other settings of the outline.
        heart: The two borders of the heart, measured from the midline.
        thorax: The inner borders of the chest wall where it is widest.
        midline: Column of the spine.
        heart_width, thorax_width: Shares of the picture's width.
        judged: Which side of the limit it is on; None where that is not said.
        why_not_judged: The reason.
        limit: What it was held against.
    """

    ratio: float
    spread: float
    heart: Edges
    thorax: Edges
    midline: float
    heart_width: float
    thorax_width: float
    judged: Literal["above", "below"] | None = None
    why_not_judged: NotAssessed | None = None
    limit: float | None = None
