"""The patient's own identifiers as they stand in an object, and whether any is left in another."""

import re
from dataclasses import dataclass, field
from typing import Any

from tools.dicom_out.deidentify.elements import TEXT, elements, texts
from tools.dicom_out.deidentify.spellings import (
    birth_spellings,
    dates_in,
    is_chinese,
    joined_names,
    name_words,
    squeezed,
    words_of,
)
from tools.dicom_out.deidentify.uids import is_public

_IDS = frozenset(
    {
        "PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "ServiceEpisodeID",
        "PatientTelephoneNumbers", "MilitaryRank", "StudyID", "DeviceSerialNumber",
        "MedicalRecordLocator",
    }
)  # fmt: skip
_PATIENT = frozenset({"PatientID", "OtherPatientIDs"})
_PLACES = frozenset({"PatientAddress", "InstitutionAddress", "ReferringPhysicianAddress"})
_LEAST_ID, _LEAST_PLACE, _LEAST_PART = 4, 5, 4
_LEAST_BYTES, _LEAST_DIGITS = 6, 8
_LEAST_CHINESE, _SHORT_IN = 4, 16 << 20
_NUMBERS = frozenset(
    {"IS", "DS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"}
)  # fmt: skip
_CODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
_STRUCTURAL = frozenset({"Modality", "SpecificCharacterSet", "PhotometricInterpretation"})
_TYPES = frozenset({"ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY"})
_IMAGE = 0x0028
_GEOMETRY = frozenset(
    {
        "ImagePositionPatient", "ImageOrientationPatient", "TotalPixelMatrixColumns",
        "TotalPixelMatrixRows", "DimensionIndexValues", "ColumnPositionInTotalImagePixelMatrix",
        "RowPositionInTotalImagePixelMatrix", "XOffsetInSlideCoordinateSystem",
        "YOffsetInSlideCoordinateSystem", "ZOffsetInSlideCoordinateSystem",
    }
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Identifiers:
    """What must not be found.

    Args:
        words: Of names, numbers and addresses, in lower case.
        joined: Names without a space, and long parts of names.
        numbers: Digits of the patient's numbers, at least four, and of the birth date.
        births: Spellings of birth dates.
        uids: Unique identifiers of the original that are not of the standard.
    """

    words: frozenset[str]
    joined: frozenset[str]
    numbers: frozenset[str]
    births: frozenset[str]
    uids: frozenset[str]
    _spelled: dict[bool, frozenset[bytes]] = field(default_factory=dict, repr=False, compare=False)

    def in_text(self, text: str) -> bool:
        """Return whether a text holds one: a word, a name written together, a number, a date."""
        words = words_of(text)
        if any(word in self.words or self._is_number(word) for word in words):
            return True
        whole = squeezed(text)
        if any(one in whole for one in self.joined):
            return True
        if any(is_chinese(one) and one in whole for one in self.words):
            return True
        runs = re.findall(r"\d+", text)
        if any(self._is_number(run) for run in runs) or dates_in(text) & self.births:
            return True
        return any(uid in text for uid in self.uids if len(uid) >= _LEAST_DIGITS)

    def is_number(self, value: Any) -> bool:
        """Return whether a numeric value is the patient's number or birth date."""
        try:
            number = float(str(value))
        except ValueError:
            return self.in_text(str(value))
        if not number.is_integer():
            return False
        return self._is_number(str(abs(int(number))))

    def left_in(self, content: bytes) -> bool:
        """Return whether bytes hold one of them anywhere, pixels and names included.

        Short words and numbers are looked for in texts alone (`in_text`): by chance they stand in
        any binary data.
        """
        low = content.lower()
        return any(one in low for one in self._bytes(len(content) <= _SHORT_IN))

    def _is_number(self, digits: str) -> bool:
        return digits.lstrip("0") in self.numbers

    def _bytes(self, short: bool) -> frozenset[bytes]:
        if short not in self._spelled:
            long = [one for one in (*self.words, *self.joined, *self.births) if _is_long(one)]
            found = {one.encode(coding).lower() for one in long for coding in _CODINGS}
            found |= {uid.encode() for uid in self.uids if len(uid) >= _LEAST_DIGITS}
            least = _LEAST_CHINESE if short else _LEAST_BYTES
            self._spelled[short] = frozenset(one for one in found if len(one) >= least)
        return self._spelled[short]


def identifiers_of(ds: Any) -> Identifiers:
    """Return what identifies the patient and the examination in an object."""
    words: set[str] = set()
    joined: set[str] = set()
    numbers: set[str] = set()
    births: set[str] = set()
    uids: set[str] = set()
    for element in elements(ds):
        for text in texts(element):
            if element.VR == "UI":
                if text and not is_public(text):
                    uids.add(text)
            elif element.VR == "PN":
                found = name_words(text)
                words |= found
                joined |= joined_names(text)
                joined |= {one for one in found if len(one) >= _LEAST_PART}
            elif element.keyword == "PatientBirthDate":
                births |= birth_spellings(text)
            elif element.keyword in _IDS:
                words |= {one for one in words_of(text) if len(one) >= _LEAST_ID} | _whole(text)
                if element.keyword in _PATIENT:
                    numbers |= _numbers(text)
            elif element.keyword in _PLACES:
                words |= {one for one in words_of(text) if len(one) >= _LEAST_PLACE}
    numbers |= {one.lstrip("0") for one in births}
    return Identifiers(
        words=frozenset(words),
        joined=frozenset(joined),
        numbers=frozenset(numbers),
        births=frozenset(births),
        uids=frozenset(uids),
    )


def scrub(ds: Any, known: Identifiers) -> int:
    """Empty every text and number that still holds an identifier, and return how many there were.

    Numbers that place and describe the pixels are left, for without them there is no image:
    `place_of` finds them and the image is refused.
    """
    count = 0
    for element in elements(ds):
        if element.VR in _NUMBERS and not _of_image(element):
            if any(known.is_number(text) for text in texts(element)):
                element.value = None
                count += 1
        elif element.VR == "CS":
            count += _scrub_codes(element, known)
        elif (element.VR in TEXT or element.VR == "AS") and any(
            known.in_text(text) for text in texts(element)
        ):
            element.value = ""
            count += 1
    return count


def place_of(ds: Any, known: Identifiers) -> str:
    """Return the attribute that still holds an identifier; empty where none does."""
    for element in elements(ds):
        name = f"{element.keyword or 'unknown'} {element.tag}"
        if isinstance(element.value, bytes | bytearray):
            if known.left_in(bytes(element.value)):
                return name
        elif element.VR in _NUMBERS and _of_image(element):
            if any(len(one) >= _LEAST_BYTES and known.is_number(one) for one in texts(element)):
                return name
        elif element.VR in TEXT and any(known.in_text(one) for one in texts(element)):
            return name
    return ""


def _of_image(element: Any) -> bool:
    return element.tag.group == _IMAGE or element.keyword in _GEOMETRY


def _scrub_codes(element: Any, known: Identifiers) -> int:
    if element.keyword in _STRUCTURAL:
        return 0
    old = texts(element)
    kept = _TYPES if element.keyword in ("ImageType", "FrameType") else frozenset()
    new = ["" if one.strip() not in kept and known.in_text(one) else one for one in old]
    element.value = new if len(new) != 1 else new[0]
    return sum(a != b for a, b in zip(old, new, strict=True))


def _numbers(text: str) -> set[str]:
    runs = {*re.findall(r"\d+", text), re.sub(r"\D", "", text)}
    return {run.lstrip("0") for run in runs if len(run.lstrip("0")) >= _LEAST_ID}


def _is_long(word: str) -> bool:
    if word.isdigit():
        return len(word) >= _LEAST_DIGITS
    return len(word) >= (_LEAST_BYTES if word.isascii() else 2)


def _whole(text: str) -> set[str]:
    """Return a number as written, where it is more than one word: MRN-0042/7."""
    text = text.strip().casefold()
    return {text} if len(text) >= _LEAST_BYTES else set()
