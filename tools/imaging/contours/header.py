"""Whether a file of structures is of the patient and the space of a series."""

import io
import warnings
from typing import Any

from knowledge.errors import ContractError, IdentityConflictError, InputError, UnreadableError
from tools.ecg.readers.dicom import parse_errors, silence_pydicom
from tools.ecg.readers.dicom_header import identity
from tools.imaging.ct.model import Volume
from tools.imaging.dicom_object import header
from tools.imaging.human import check_human
from tools.intake.identity import compare

AGAIN = "export it again"
_OF_IMAGES = ("ReferencedInstanceSequence", "SourceImageSequence", "ContourImageSequence")
"""Sequences of references to images; others refer to studies and series as a whole."""

_OF_THIS = "give the one that was drawn on this series"


def opened(content: bytes, file: str) -> Any:
    """Return the data set of a DICOM file of a human.

    Raises:
        UnreadableError: Damaged.
        UnsupportedError: A deflated data set.
        ContractError: Not of a human.
    """
    import pydicom

    header(content, file)  # refuses what only inflating could read
    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content))
            ds.decode()
            check_human(ds, file)
        except InputError:
            raise
        except damage() as error:
            raise UnreadableError(file, f"damaged DICOM ({type(error).__name__})", AGAIN) from error
    return ds


def check_patient(ds: Any, volume: Volume, file: str) -> tuple[str, ...]:
    """Refuse structures of another patient than the series.

    Returns:
        What must be known where nothing shows that they are of one patient.

    Raises:
        IdentityConflictError: Something that tells patients apart differs; names it, never values.
    """
    own = identity(ds, file=file, zone=None, notes=[])
    found = compare(volume.facts.identity, own)
    if found.result == "mismatch":
        raise IdentityConflictError(
            file,
            f"of another patient than the series: {', '.join(found.differ)} differ",
            "give files of one patient",
            files=(file, volume.facts.identity.source),
        )
    if own.is_empty:
        return ("it names no patient: that it is of this one is not shown",)
    if found.result != "match":
        return ("nothing that it says of the patient shows that it is of this one",)
    return ()


def check_images(ds: Any, volume: Volume, file: str) -> tuple[str, ...]:
    """Refuse structures that were drawn on other images than those of the series.

    One frame of reference holds several series, and another breath or phase lies elsewhere.

    Args:
        ds: A Segmentation or RT Structure Set.
        volume: The series.
        file: Name of the file, for messages.

    Returns:
        What must be known where it cannot be told.

    Raises:
        ContractError: It refers to images, and none is of the series.
    """
    named, own = _referred(ds), set(volume.facts.instances)
    if not named or not own:
        who = "it" if not named else "the series"
        return (f"{who} names no images: on which series it was drawn is not shown",)
    if not named & own:
        raise ContractError(file, "was drawn on other images than those of the series", _OF_THIS)
    return ()


def _referred(ds: Any) -> set[str]:
    """Return the images a file refers to (PS3.3 C.12.2, C.7.6.16.2.6, C.8.8.5 and C.8.8.6)."""
    found: set[str] = set()
    waiting = [ds]
    while waiting:
        for element in waiting.pop():
            if element.VR != "SQ":
                continue
            if element.keyword in _OF_IMAGES:
                found |= {str(one.get("ReferencedSOPInstanceUID", "")) for one in element.value}
            else:
                waiting.extend(element.value)
    return found - {""}


def check_frame(frame: object, volume: Volume, file: str, *, what: str) -> None:
    """Refuse structures in another space than the series.

    Args:
        frame: Frame of Reference UID that the structures name.
        volume: The series.
        file: Name of the file.
        what: Which structure, for the message.

    Raises:
        ContractError: One of them names none, or they differ.
    """
    stated, own = str(frame or "").strip(), volume.facts.frame
    if not stated or not own:
        who = what if not stated else "the series"
        raise ContractError(
            file, f"{who} names no frame of reference: its place is not known", _OF_THIS
        )
    if stated != own:
        raise ContractError(file, f"{what} lies in another frame of reference", _OF_THIS)


def damage() -> tuple[type[Exception], ...]:
    """Return what reading a damaged file raises."""
    return (*parse_errors(), LookupError)


def damaged(file: str, error: Exception) -> UnreadableError:
    """Return the error of a file whose parts do not fit together."""
    return UnreadableError(file, f"damaged: {type(error).__name__} while reading", AGAIN)
