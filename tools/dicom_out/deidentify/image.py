"""One image without what identifies its patient (PS3.15 annex E, basic profile, and stricter)."""

import io
import re
import warnings
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from knowledge.dicom_confidentiality import dicom_confidentiality
from knowledge.errors import ContractError, InputError, UnreadableError, UnsupportedError
from tools.dicom_out.deidentify.dates import shifted_date, shifted_moment
from tools.dicom_out.deidentify.elements import TEXT, texts
from tools.dicom_out.deidentify.identifiers import identifiers_of, place_of, scrub
from tools.dicom_out.deidentify.pixel_data.clean import clean_pixels
from tools.dicom_out.deidentify.pseudonyms import Key
from tools.dicom_out.deidentify.refusals import NOT_LOOKED_AT, check_exportable
from tools.dicom_out.deidentify.uids import is_public
from tools.dicom_out.deidentify.vocabulary import keep_codes, keep_text, meaning_of
from tools.dicom_out.settle import IMPLEMENTATION
from tools.ecg.readers.dicom import parse_errors, silence_pydicom
from tools.imaging.dicom_object import AGAIN
from tools.imaging.human import check_human

_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_AGE = re.compile(r"\d{3}[DWMY]")
_TIME = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d(:?[0-6]\d(\.\d{1,6})?)?)?")
_DUMMY = "REMOVED"
_CODE = frozenset({"CodeValue", "CodingSchemeDesignator", "CodeMeaning"})
"""Of items whose code is public (`_has_own_code`)."""
_REPEATING = (0x5000, 0x6000)


@dataclass(frozen=True, kw_only=True)
class Deidentified:
    """An image that may leave.

    Args:
        content: The file.
        study, series, instance: Its new identifiers, to name it by.
        scrubbed: Texts, codes and numbers that held an identifier, and were emptied.
        emptied: Texts and code strings beyond the known vocabularies, that were emptied.
        pixels_changed: Whether comments or bytes beyond the image were taken from the pixel data.
        notices: What the one who exports must know.
    """

    content: bytes = field(repr=False)
    study: str
    series: str
    instance: str
    scrubbed: int
    emptied: int
    pixels_changed: bool
    notices: tuple[str, ...]


def deidentified_image(content: bytes, key: Key, *, file: str) -> Deidentified:
    """Return an image without what identifies its patient.

    The same key gives the same identifiers, patient and shift of dates in every image, so that
    series and time courses stay. The result is searched for the original's identifiers before it
    is handed out.

    Args:
        content: The whole file.
        key: The secret of this export.
        file: Its name, for messages.

    Raises:
        UnreadableError: Damaged.
        UnsupportedError: No DICOM, no image, or a slide's label.
        ContractError: Text in the pixels, an animal, or an identifier that could not be removed.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    silence_pydicom()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = pydicom.dcmread(io.BytesIO(content))
            ds.decode()
            check_human(ds, file)
            stated = check_exportable(ds, file)
            return _made(ds, key, file, () if stated else (NOT_LOOKED_AT,))
        except InputError:
            raise
        except InvalidDicomError as error:
            raise UnsupportedError(
                file, "no DICOM file", "this is for DICOM images; leave it out, or convert it first"
            ) from error
        except parse_errors() as error:
            raise UnreadableError(file, f"damaged DICOM ({type(error).__name__})", AGAIN) from error


def _made(ds: Any, key: Key, file: str, notices: tuple[str, ...]) -> Deidentified:
    known = identifiers_of(ds)
    patient = _patient_of(ds)
    changed = clean_pixels(ds, file)
    emptied = _clean(ds, key, key.shift(patient))
    scrubbed = scrub(ds, known)
    place = place_of(ds, known)
    if place:
        raise _still(file, place)
    _stated(ds, key, patient)
    written = _written(ds)
    if known.left_in(written):
        raise _still(file, "the file as a whole")
    return Deidentified(
        content=written,
        study=str(ds.get("StudyInstanceUID", "")),
        series=str(ds.get("SeriesInstanceUID", "")),
        instance=str(ds.SOPInstanceUID),
        scrubbed=scrubbed,
        emptied=emptied,
        pixels_changed=changed,
        notices=notices,
    )


def _patient_of(ds: Any) -> str:
    """Return what tells the patient from others: number and issuer; else name and birth date.

    An image without any is of nobody who is known: its study stands for the patient.
    """
    number = str(ds.get("PatientID", "") or "").strip()
    if number:
        return f"id|{str(ds.get('IssuerOfPatientID', '') or '').strip()}|{number}"
    name = str(ds.get("PatientName", "") or "").strip("^ ").casefold()
    if name:
        return f"name|{name}|{ds.get('PatientBirthDate', '') or ''}"
    return f"study|{ds.get('StudyInstanceUID', '')}"


def _clean(ds: Any, key: Key, by: timedelta) -> int:
    """Go through every element of a data set and of its sequences; return how many were emptied."""
    emptied = 0
    for tag in list(ds.keys()):
        if (
            tag.is_private
            or tag.group == 0xFFFC
            or any(first <= tag.group < first + 0x100 for first in _REPEATING)
        ):
            del ds[tag]
            continue
        element = ds[tag]
        kept = _element(element, key, by)
        if not kept:
            del ds[tag]
        elif element.VR == "SQ":
            if _has_own_code(element):
                del ds[tag]
                continue
            for item in element.value or ():
                emptied += _clean(item, key, by)
        elif element.VR == "CS":
            emptied += keep_codes(element)
        elif element.keyword in dicom_confidentiality().kept_text.keywords and element.VR in TEXT:
            emptied += keep_text(element)
    if "CodeValue" in ds:
        ds.CodeMeaning = meaning_of(str(ds.CodingSchemeDesignator), str(ds.CodeValue))[:64]
    return emptied


def _element(element: Any, key: Key, by: timedelta) -> bool:
    """Change one element in place and return whether it stays."""
    profile = dicom_confidentiality()
    action = profile.action(element.keyword, int(element.tag))
    first = _done_of(action)
    vr = element.VR
    if vr == "UI":
        return _uid(element, key, first)
    if vr in ("DA", "DT", "TM") and element.keyword not in profile.never_shifted.keywords:
        return _moved(element, by)
    if first == "X":
        return False
    if first == "Z" and vr == "SQ":
        element.value = []
        return action == "Z" or element.keyword in profile.empty_sequences.keywords
    if first == "Z":
        element.value = ""
        return True
    if vr == "SQ":
        return True  # gone through item by item
    if first == "D":
        element.value = _DUMMY if vr in TEXT else ""
        return vr in TEXT
    return _unlisted(element, vr)


def _has_own_code(element: Any) -> bool:
    """Return whether a sequence holds a code that is of no public vocabulary."""
    public = dicom_confidentiality().public_schemes.keywords
    for item in element.value or ():
        if any(
            one in item for one in ("CodeMeaning", "CodeValue", "LongCodeValue", "URNCodeValue")
        ):
            scheme = str(item.get("CodingSchemeDesignator", "") or "")
            if scheme not in public or not meaning_of(scheme, str(item.get("CodeValue", "") or "")):
                return True
    return False


def _done_of(action: str | None) -> str:
    """Return what is done of several that the profile allows: empty before removed before dummy.

    An empty attribute keeps an object valid where it is of type 2. ``X/Z/U*`` is a sequence of
    references, which stays with new identifiers.
    """
    if action is None or action == "X/Z/U*":
        return ""
    return next(one for one in ("Z", "X", "U", "D") if one in action.split("/"))


def _unlisted(element: Any, vr: str) -> bool:
    """Keep what holds no free words: numbers, codes, and texts that are named as harmless."""
    if vr in TEXT:
        kept = dicom_confidentiality().kept_text.keywords
        return element.keyword in kept or element.keyword in _CODE
    if vr in _BINARY:
        return element.keyword in dicom_confidentiality().kept_binary.keywords
    if vr == "AS":
        return all(_AGE.fullmatch(one) for one in texts(element))
    return bool(element.keyword)


def _uid(element: Any, key: Key, first: str) -> bool:
    if first == "X":
        return False
    values = texts(element)
    new = [v if not v or is_public(v) else key.uid(v) for v in values]
    element.value = new if len(new) != 1 else new[0]
    return True


def _moved(element: Any, by: timedelta) -> bool:
    if element.VR == "TM":
        return all(_TIME.fullmatch(one.strip()) for one in texts(element) if one)
    move = shifted_date if element.VR == "DA" else shifted_moment
    new = [move(one, by) for one in texts(element)]
    element.value = new if len(new) != 1 else new[0]
    return True


def _stated(ds: Any, key: Key, patient: str) -> None:
    """State the pseudonym, what was done, and how (PS3.15 E.1.1)."""
    from pydicom.dataset import Dataset

    number = key.patient_id(patient)
    ds.PatientID = number
    ds.PatientName = f"ANON^{number[:8]}"
    for keyword in ("PatientBirthDate", "PatientSex"):
        ds.setdefault(keyword, "")
    ds.PatientIdentityRemoved = "YES"
    ds.LongitudinalTemporalInformationModified = "MODIFIED"
    ds.DeidentificationMethod = "Epicrisis: PS3.15 basic profile, dates shifted, text removed"
    methods = []
    for code, meaning in dicom_confidentiality().methods.rows.items():
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", meaning[:64]
        methods.append(item)
    ds.DeidentificationMethodCodeSequence = methods
    ds.SpecificCharacterSet = "ISO_IR 192"


def _written(ds: Any) -> bytes:
    """Return the file, with a preamble and a meta header that hold nothing of the original."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ds.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    ds.file_meta = meta
    ds.preamble = b"\x00" * 128
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _still(file: str, place: str) -> ContractError:
    return ContractError(
        file,
        f"an identifier of the patient is still in it: {place}",
        "this image is not exported; look at it at the source",
    )
