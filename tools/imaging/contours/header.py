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


def check_patient(ds: Any, volume: Volume, file: str) -> None:
    """Refuse structures of another patient than the series.

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
