"""Which pictures of a DICOM slide may say who the patient is."""

from typing import Any

IDENTIFYING = frozenset({"LABEL", "OVERVIEW", "LOCALIZER"})
"""Values of Image Type (0008,0008) of a slide's pictures that may show its label: the label, and
the whole glass, which older files call localizer (PS3.3 C.8.12.4.1.1)."""

LABEL_KIND = "label or overview picture of a slide"
LABEL_INSIDE = "shows the label of the slide (Specimen Label in Image is YES)"

TAGS = ("ImageType", "SpecimenLabelInImage")
"""What has to be read for `identifying`."""


def image_types(ds: Any) -> tuple[str, ...]:
    """Return the values of Image Type in capitals."""
    words = ds.get("ImageType") or []
    each = words.split("\\") if isinstance(words, str) else words
    return tuple(str(word).strip().upper() for word in each)


def label_inside(ds: Any) -> bool:
    """Return whether Specimen Label in Image (0048,0010) says that the label is seen."""
    return str(ds.get("SpecimenLabelInImage", "") or "").strip().upper() == "YES"


def identifying(ds: Any) -> str:
    """Return why a picture of a slide may say who the patient is; empty where it does not.

    Examples:
        >>> identifying({"ImageType": ["DERIVED", "PRIMARY", "LOCALIZER", "RESAMPLED"]})
        'label or overview picture of a slide'
        >>> identifying({"ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]})
        ''
    """
    if IDENTIFYING & set(image_types(ds)):
        return LABEL_KIND
    return LABEL_INSIDE if label_inside(ds) else ""
