"""Slides made for tests and benchmarks: one picture as a pyramidal TIFF and as a DICOM slide."""

from evals.phantoms.slides import (
    GLASS,
    NUCLEI,
    STROMA,
    TILE,
    UNCOMPRESSED,
    Blob,
    Rgb,
    drawn,
    inside,
    jpeg,
    pyramid,
    tiles_of,
    write_dicom_encoded,
    write_dicom_slide,
    write_encoded,
    write_svs,
)

__all__ = [
    "GLASS",
    "NUCLEI",
    "STROMA",
    "TILE",
    "UNCOMPRESSED",
    "Blob",
    "Rgb",
    "drawn",
    "inside",
    "jpeg",
    "pyramid",
    "tiles_of",
    "write_dicom_encoded",
    "write_dicom_slide",
    "write_encoded",
    "write_svs",
]
