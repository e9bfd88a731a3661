"""The closed sets of words that a model's description may use."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat

from knowledge.model import Frozen

Task = Literal[
    "classification",
    "multi-label",
    "detection",
    "segmentation",
    "embedding",
    "multiple-instance",
]
"""One label of several; any of several; boxes; a class per pixel; a vector; one answer for a bag of
vectors."""

InputKind = Literal["image2d", "volume3d", "tile", "ecg12", "bag"]
"""A film or photograph, a stack of slices, a piece of a slide, a tracing, vectors of many tiles."""

OutputKind = Literal["scores", "mask", "boxes", "box_scores", "embedding", "attention"]

Modality = Literal[
    "CR", "DX", "MG", "CT", "MR", "US", "XA", "PT", "NM", "OP", "OPT", "XC", "ES", "SM", "ECG"
]
"""Codes of DICOM (0008,0060) that a model may be made for."""

Photometric = Literal["MONOCHROME2", "MONOCHROME1", "RGB"]
"""PS3.3 C.7.6.3.1.2. Colour of other kinds is turned into RGB by the reader."""


def _axes_of_a_body(letters: str) -> str:
    """Return three letters of which each stands for another axis of the patient."""
    pairs = ("LR", "AP", "IS")
    if len(letters) != 3 or any(sum(c in pair for c in letters) != 1 for pair in pairs):
        raise ValueError("one of L R, one of A P and one of I S, as in LPS")
    return letters


Orientation = Annotated[str, AfterValidator(_axes_of_a_body)]
"""Where columns, rows and slices lead to, in this order: ``LPS`` is that of DICOM (PS3.3
C.7.6.2.1), columns to the left of the patient, rows to the back and slices to the head."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
ModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]


def _says_something(text: str) -> str:
    """Return a text without space around it; it holds a letter of some writing and no control."""
    plain = text.strip()
    if not any(c.isalpha() for c in plain):
        raise ValueError("says nothing: write it in words")
    if any(ord(c) < ord(" ") and c not in "\n\t" for c in plain):
        raise ValueError("holds control characters: write plain text")
    return plain


Said = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_says_something)]
"""Words for people."""

VersionText = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,39}$")]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
Positive = Annotated[FiniteFloat, Field(gt=0)]


class Code(Frozen):
    """What a label means in a terminology.

    Args:
        system: URI of the terminology, as FHIR writes it (``http://snomed.info/sct``,
            ``http://radlex.org``).
        code: The code.
        display: Its name there.
    """

    system: Text
    code: Text
    display: Text
