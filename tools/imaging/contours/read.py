"""A file of structures, RTSTRUCT or SEG, by what it holds."""

from dataclasses import replace
from typing import Any

from knowledge.errors import UnsupportedError
from tools.imaging.contours.header import check_images, check_patient, opened
from tools.imaging.contours.model import Structure
from tools.imaging.contours.rtstruct_in import rtstruct_structures
from tools.imaging.contours.seg_in import seg_structures
from tools.imaging.ct.model import Volume

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SEG = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""SOP classes (PS3.4 B.5): RT Structure Set, Segmentation, Label Map Segmentation."""

_PREAMBLE = 128


def is_dicom(content: bytes) -> bool:
    """Return whether a file begins as DICOM does (PS3.10 7.1)."""
    return content[_PREAMBLE : _PREAMBLE + 4] == b"DICM"


def read_structures(content: bytes, volume: Volume, *, file: str) -> tuple[Structure, ...]:
    """Return the structures of a file on the voxels of a series.

    Args:
        content: An RT Structure Set or a Segmentation.
        volume: The series they were made on.
        file: Name of the file, for messages.

    Raises:
        UnsupportedError: DICOM of another kind, or of an encoding that is not read.
        IdentityConflictError: Of another patient than the series.
        ContractError: Another frame of reference or grid; drawn on other images; nothing in it.
        UnreadableError: Damaged.
        TooLargeError: Too many points or frames.
    """
    ds: Any = opened(content, file)
    kind = str(ds.get("SOPClassUID", ""))
    if kind != RTSTRUCT and kind not in SEG:
        raise UnsupportedError(
            file, "DICOM, but neither RTSTRUCT nor SEG", "give the file with the contours"
        )
    notes = check_patient(ds, volume, file)
    read = rtstruct_structures if kind == RTSTRUCT else seg_structures
    found = read(ds, volume, file=file)  # says another frame of reference before other images
    notes += check_images(ds, volume, file)
    return tuple(replace(one, notes=(*one.notes, *notes)) for one in found)
