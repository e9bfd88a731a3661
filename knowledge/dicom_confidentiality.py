"""What becomes of each attribute of an image that leaves the hospital, as data."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from knowledge.model import Frozen
from knowledge.reference import Table, load

FILE = "dicom_confidentiality"
Action = Literal["D", "Z", "X", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"]


class Methods(Frozen):
    """Code and meaning of the methods that are stated in what is written."""

    source: str
    review: str
    rows: Mapping[str, str]


class Keywords(Frozen):
    """Attributes, code strings or words."""

    source: str
    review: str
    keywords: frozenset[str]


class AtRisk(Frozen):
    """Images that may show text, by modality, SOP class or beginning of it, image type."""

    source: str
    review: str
    modalities: frozenset[str]
    sop_classes: tuple[str, ...]
    image_types: frozenset[str]


class ImageTypes(Frozen):
    """Values of the image type."""

    source: str
    review: str
    image_types: frozenset[str]


class Actions(Frozen):
    """Action by keyword, or by ``ggggeeee`` where the dictionary has no keyword."""

    source: str
    review: str
    rows: Mapping[str, Action]


class DicomConfidentiality(Table):
    """The whole file."""

    methods: Methods
    kept_text: Keywords
    kept_binary: Keywords
    text_words: Keywords
    code_strings: Keywords
    empty_sequences: Keywords
    public_schemes: Keywords
    at_risk: AtRisk
    films: AtRisk
    slide_left_out: ImageTypes
    never_shifted: Keywords
    actions: Actions

    def action(self, keyword: str, tag: int) -> Action | None:
        """Return the action of the profile on an attribute; None where it names none.

        Examples:
            >>> dicom_confidentiality().action("PatientName", 0x00100010)
            'Z'
            >>> dicom_confidentiality().action("Rows", 0x00280010) is None
            True
        """
        return self.actions.rows.get(keyword) or self.actions.rows.get(f"{tag:08X}")


@cache
def dicom_confidentiality() -> DicomConfidentiality:
    """Return the packaged profile.

    Raises:
        ReferenceDataError: A row is not valid.
    """
    return load(FILE, DicomConfidentiality)
