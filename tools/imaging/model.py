"""Types of the imaging tools: one image file as its header describes it, and one study of them."""

from typing import Literal

from pydantic import Field

from knowledge.clinical_time import ClinicalTime
from knowledge.evidence import DicomEvidence, Evidence, RecordEvidence
from knowledge.finding import Finding, NotAssessed, Why
from knowledge.model import Frozen
from knowledge.patient import Identity

Role = Literal["image", "slide", "picture"]

NO_MODEL = NotAssessed(why=Why.NO_MODEL, detail="no validated model configured")
"""Why nothing is said of what an image shows."""

NO_MORE = NotAssessed(
    why=Why.NO_MODEL, detail="what the plugged models did not say of it is not assessed"
)
"""Why nothing more is said where models were asked."""


class Fact(Frozen):
    """One thing the file says of itself.

    Args:
        name: What, in words: ``size``, ``view``, ``pixel spacing``.
        value: As shown, with its unit.
    """

    name: str
    value: str


class ImageProblem(Frozen):
    """A defect or doubt seen in the header or in the coding of the pixels.

    Args:
        code: Kebab-case, for example ``spacing-zero``.
        detail: In words.
        files: Of how many files of a study it is so; None for a single file.
    """

    code: str
    detail: str
    files: int | None = None


class ImageFile(Frozen):
    """One image file.

    Args:
        id: First 16 hex digits of the SHA-256 of the content.
        file: Its name, relative to the case.
        role: A DICOM image, a slide, or a picture without a header of a patient.
        source_format: ``dicom``, ``png``, ``jpeg`` or ``tiff``.
        modality: Code of DICOM (0008,0060); empty where not stated.
        body_part, view: As stated; empty where not.
        study, series, instance, frame: Unique identifiers of study, series, object and frame of
            reference; empty where there are none.
        frames: Images in the file.
        time: Of the acquisition.
        identity: Who the file says the patient is; empty for pictures.
        facts: What the file says of itself.
        problems: What was seen wrong or doubtful.
        notes: What the reader had to leave out.
    """

    id: str
    file: str
    role: Role
    source_format: str
    modality: str = ""
    body_part: str = ""
    view: str = ""
    study: str = ""
    series: str = ""
    instance: str = ""
    frame: str = ""
    frames: int = 1
    time: ClinicalTime | None = None
    identity: Identity
    facts: tuple[Fact, ...] = ()
    problems: tuple[ImageProblem, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def evidence(self) -> Evidence:
        """Where it stands."""
        if self.instance:
            return DicomEvidence(file=self.file, sop_instance_uid=self.instance)
        return RecordEvidence(file=self.file, record="image")


class StudyMeasures(Frozen):
    """What one tool measured on images of a study, or why it did not.

    Args:
        tool, version: Which.
        files: On which images.
        findings: Each value with unit, method and evidence, or the reason why there is none; no
            disease is ever said to be there or not.
        cautions: What must be read with every value.
        accuracy: What was measured of the method, with the data set; empty where nothing was.
    """

    tool: str
    version: str
    files: tuple[str, ...]
    findings: tuple[Finding, ...]
    cautions: tuple[str, ...] = ()
    accuracy: tuple[str, ...] = ()


class Study(Frozen):
    """The images of one modality of one examination, and that nothing is said of them.

    Args:
        id: Derived from the images.
        title, title_zh: Modality and body part, in words.
        modality: Code of DICOM.
        time: Of the earliest image.
        files: The files, by name.
        images: Images in them.
        series: Series in them.
        facts: What all files say alike.
        problems: Of any of them; a detail says of how many.
        not_assessed: Why nothing, or nothing more, is said of what the images show.
        said: What plugged models say of them, or why they say nothing.
        measured: What the tools measured on them, or why they did not; never a sign of disease.
        evidence: The files.
    """

    id: str
    title: str
    title_zh: str
    modality: str
    time: ClinicalTime | None = None
    files: tuple[str, ...]
    images: int
    series: int
    facts: tuple[Fact, ...] = ()
    problems: tuple[ImageProblem, ...] = ()
    not_assessed: NotAssessed = NO_MODEL
    said: tuple[Finding, ...] = Field(default=(), exclude_if=lambda found: not found)
    measured: tuple[StudyMeasures, ...] = Field(default=(), exclude_if=lambda found: not found)
    evidence: tuple[Evidence, ...]
