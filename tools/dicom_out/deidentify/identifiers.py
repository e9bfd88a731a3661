"""The patient's own identifiers as they stand in an object, and whether any is left in another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.dicom_out.deidentify.elements import TEXT, elements, texts

_IDS = frozenset(
    {
        "PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "ServiceEpisodeID",
        "PatientTelephoneNumbers", "MilitaryRank", "StudyID", "DeviceSerialNumber",
    }
)  # fmt: skip
_PLACES = frozenset({"PatientAddress", "InstitutionAddress", "ReferringPhysicianAddress"})
_LEAST_NAME, _LEAST_ID, _LEAST_PLACE = 3, 4, 5
_LEAST_BYTES, _LEAST_DIGITS = 6, 8
_STANDARD = "1.2.840.10008."
_STRUCTURAL = frozenset(
    {"ImageType", "Modality", "PhotometricInterpretation", "SpecificCharacterSet"}
)


@dataclass(frozen=True, kw_only=True)
class Identifiers:
    """What must not be found.

    Args:
        words: Of names, numbers and addresses, in lower case.
        uids: Unique identifiers of the original that are not of the standard.
    """

    words: frozenset[str]
    uids: frozenset[str]

    def in_text(self, text: str) -> bool:
        """Return whether a text holds one of the words, as a word."""
        return any(word in self.words for word in _words(text.casefold(), 1))

    def left_in(self, content: bytes) -> bool:
        """Return whether a file holds one of them anywhere, pixels and names included.

        Short words and numbers are looked for in texts alone (`in_text`): by chance they stand in
        any binary data.
        """
        low = content.lower()
        long = [
            word
            for word in self.words
            if len(word) >= (_LEAST_DIGITS if word.isdigit() else _LEAST_BYTES)
        ]
        spelled = {
            spelling
            for word in long
            for spelling in (word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"))
        }
        if any(spelling in low for spelling in spelled):
            return True
        return any(uid.encode() in content for uid in self.uids if len(uid) >= _LEAST_DIGITS)


def identifiers_of(ds: Any) -> Identifiers:
    """Return what identifies the patient and the examination in an object."""
    words: set[str] = set()
    uids: set[str] = set()
    for element in elements(ds):
        for text in texts(element):
            if element.VR == "UI":
                if not text.startswith(_STANDARD):
                    uids.add(text)
            elif element.VR == "PN":
                words |= set(_words(text.casefold(), _LEAST_NAME))
            elif element.keyword in _IDS:
                words |= set(_words(text.casefold(), _LEAST_ID)) | _whole(text)
            elif element.keyword in _PLACES:
                words |= set(_words(text.casefold(), _LEAST_PLACE))
    return Identifiers(words=frozenset(words), uids=frozenset(uids))


def scrub(ds: Any, known: Identifiers) -> int:
    """Empty every text that still holds an identifier, and return how many there were."""
    count = 0
    for element in elements(ds):
        looked_at = element.VR in TEXT or element.VR == "CS"
        if not looked_at or element.tag.group == 0x0028 or element.keyword in _STRUCTURAL:
            continue
        if any(known.in_text(text) for text in texts(element)):
            element.value = ""
            count += 1
    return count


def _words(text: str, least: int) -> Iterator[str]:
    return (word for word in re.findall(r"\w+", text) if len(word) >= least)


def _whole(text: str) -> set[str]:
    """Return a number as written, where it is more than one word: MRN-0042/7."""
    text = text.strip().casefold()
    return {text} if len(text) >= _LEAST_BYTES else set()
