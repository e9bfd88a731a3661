"""Drawn chest films of known widths, and small DICOM files of them."""

from evals.phantoms.film import (
    CR,
    SIDE,
    Drawn,
    chest,
    dicom,
    png,
)

__all__ = [
    "CR",
    "SIDE",
    "Drawn",
    "chest",
    "dicom",
    "png",
]
