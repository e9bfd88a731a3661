"""CT phantoms of known truth: a chest with vessels and nodules; a series written as DICOM."""

from evals.phantoms.ct import (
    Floats,
    Nodule,
    block,
    chest,
    dicom_slice,
    series,
    volume_of,
    write,
)

__all__ = [
    "Floats",
    "Nodule",
    "block",
    "chest",
    "dicom_slice",
    "series",
    "volume_of",
    "write",
]
