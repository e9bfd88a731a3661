"""What the images of a case are measured from, and what a person states of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from knowledge.film_measurements import View
from knowledge.ihc_measurements import IhcMarker
from knowledge.model import Frozen
from tools.imaging.model import ImageFile, Study

Kind = Literal["chest film", "ct", "slide", "ihc"]
Seed = tuple[float, float, float]


class StatedImage(Frozen):
    """What a person states of an image of the case that its file does not say.

    Args:
        file: The image, or one image of the series.
        of: What it is of.
        view, age_years: Of a chest film.
        seeds: A point in each nodule of a CT, mm LPS.
        calcium_mask, aorta_mask: Files of the case with masks on that CT: NIfTI, RTSTRUCT or SEG.
        calcium_structure, aorta_structure: Name of the structure in them, or number of a label,
            where they hold several.
        mpp_um: Size of a pixel of a slide or field, micrometres.
        stain: Which a slide should have.
        marker: Of a field of immunohistochemistry.
        region: File of the case with the tumour of that field: GeoJSON, or a mask as PNG.
        calibration: File of the case with the laboratory's calibration of the marker.
        missing_files: Which of these files the case does not have, by what they are. The intake
            sets it.
    """

    file: str
    of: Kind
    view: View | None = None
    age_years: float | None = Field(default=None, ge=0, le=130)
    seeds: tuple[Seed, ...] = ()
    calcium_mask: str | None = None
    aorta_mask: str | None = None
    calcium_structure: str = ""
    aorta_structure: str = ""
    mpp_um: float | None = None
    stain: str = ""
    marker: IhcMarker | None = None
    region: str | None = None
    calibration: str | None = None
    missing_files: Mapping[str, str] = Field(default_factory=dict)

    def beside(self) -> Mapping[str, str]:
        """Return the other files that it names, by what they are."""
        names = ("calcium_mask", "aorta_mask", "region", "calibration")
        found = {name: getattr(self, name) for name in names}
        return {name: file for name, file in found.items() if file is not None}


class MeasureLimits(Frozen):
    """What measuring one image or series may take.

    Args:
        seconds: Of wall time.
        memory_mib: Beyond what the libraries take, and the most that its files may hold.
    """

    seconds: float
    memory_mib: int


@dataclass(frozen=True, kw_only=True)
class ImageBytes:
    """The content of one file, with the SHA-256 it was identified by."""

    data: bytes = field(repr=False)
    sha256: str


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseImages:
    """The images of a case that belong to the patient.

    Args:
        images: File to what its header says.
        contents: File to its content; the files that statements name are among them.
        stated: Image to what a person states of it; the files beside it by their names in the case.
    """

    images: Mapping[str, ImageFile] = field(default_factory=dict)
    contents: Mapping[str, ImageBytes] = field(default_factory=dict, repr=False)
    stated: Mapping[str, StatedImage] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyImages:
    """What one measurement is made from: images of one study, the same on every machine.

    Args:
        study: The study.
        files: Those of its files that are measured together.
        contents: File to its content; those beside the images are among them.
        stated: What a person states of them; None where nobody does.
        limits: What it may take.
    """

    study: Study
    files: tuple[str, ...]
    contents: Mapping[str, ImageBytes] = field(repr=False)
    stated: StatedImage | None = None
    limits: MeasureLimits

    def key(self) -> dict[str, Any]:
        """Return what tells two of them apart, as plain JSON: hashes in place of contents."""
        return {
            "study": self.study.model_dump(mode="json"),
            "files": list(self.files),
            "sha256": {name: one.sha256 for name, one in sorted(self.contents.items())},
            "stated": None if self.stated is None else self.stated.model_dump(mode="json"),
            "limits": self.limits.model_dump(mode="json"),
        }

    def data(self, file: str) -> bytes:
        """Return the content of a file of it."""
        return self.contents[file].data

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "title": "StudyImages",
            "description": "Id of an imaging study of the case, as its assessment lists it",
        }
