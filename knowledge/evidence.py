"""Where a statement comes from: one click back to the original.

Each kind names a place exactly enough for a person to find it. A span is a half-open range of
characters ``[start, end)``.
"""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from knowledge.model import Frozen


class FhirEvidence(Frozen):
    """An element of a FHIR resource."""

    kind: Literal["fhir"] = "fhir"
    file: str
    resource: str
    """Relative reference, for example ``Observation/hs-tnt-1``."""
    path: str
    """FHIRPath of the element, for example ``Observation.valueQuantity``."""


class DicomEvidence(Frozen):
    """A DICOM instance, and where in it."""

    kind: Literal["dicom"] = "dicom"
    file: str
    sop_instance_uid: str
    lead: str | None = None
    frame: NonNegativeInt | None = None
    region: tuple[float, ...] | None = None
    """Pixel bounds (left, top, right, bottom), or samples (start, end) of a waveform."""


class RecordEvidence(Frozen):
    """A file that is not FHIR or DICOM, and a record, lead, line or key in it."""

    kind: Literal["record"] = "record"
    file: str
    record: str


class NoteEvidence(Frozen):
    """A span of characters in a clinical note."""

    kind: Literal["note"] = "note"
    file: str
    document: str
    start: NonNegativeInt
    end: NonNegativeInt


class ReferenceEvidence(Frozen):
    """A row of our reference data."""

    kind: Literal["reference"] = "reference"
    table: str
    row: str


class GuidelineEvidence(Frozen):
    """A span of a guideline passage or of our summary of it."""

    kind: Literal["guideline"] = "guideline"
    passage: str
    start: NonNegativeInt
    end: NonNegativeInt


class ToolEvidence(Frozen):
    """An output of one of our tools, computed from the `inputs` findings."""

    kind: Literal["tool"] = "tool"
    tool: str
    version: str
    output: str
    inputs: tuple[str, ...] = ()


Evidence = Annotated[
    FhirEvidence
    | DicomEvidence
    | RecordEvidence
    | NoteEvidence
    | ReferenceEvidence
    | GuidelineEvidence
    | ToolEvidence,
    Field(discriminator="kind"),
]


def describe(evidence: Evidence) -> str:
    """Return the place in words, as a report shows it.

    Examples:
        >>> describe(RecordEvidence(file="case.yaml", record="facts.pain_radiation"))
        'case.yaml: facts.pain_radiation'
    """
    match evidence:
        case FhirEvidence():
            return f"{evidence.file}: {evidence.resource}"
        case DicomEvidence():
            return f"{evidence.file}" + (f": lead {evidence.lead}" if evidence.lead else "")
        case RecordEvidence():
            return f"{evidence.file}: {evidence.record}"
        case NoteEvidence():
            return f"{evidence.file}: characters {evidence.start}-{evidence.end}"
        case ReferenceEvidence():
            return f"reference table {evidence.table}: {evidence.row}"
        case GuidelineEvidence():
            return f"guideline {evidence.passage}"
        case ToolEvidence():
            return f"{evidence.tool} {evidence.version}: {evidence.output}"
