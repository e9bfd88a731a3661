"""What a text, a code string or a code may be to stay: of a closed vocabulary, else emptied."""

import re
from functools import cache
from typing import Any

from knowledge.dicom_confidentiality import dicom_confidentiality
from tools.dicom_out.deidentify.elements import texts

_SIGN = re.compile(r"[A-Za-z]{1,2}\d{1,3}[a-z]?|\d{1,3}|\d\.\d{1,2}")
_SIZE = re.compile(r"\d{2}(CM|IN)X\d{2}(CM|IN)")
_PARTS = re.compile(r"[\s_,/;()]+")
_MODALITY = "Modality"


def keep_text(element: Any) -> int:
    """Empty a text that has a word beyond the known ones; return how many were emptied."""
    values = texts(element)
    if all(_known_text(one) for one in values):
        return 0
    element.value = ""
    return 1


def keep_codes(element: Any) -> int:
    """Empty each code string that is not known; return how many were emptied."""
    known = dicom_confidentiality().code_strings.keywords
    old = texts(element)
    new = [one if _known_code(one.strip(), known) else "" for one in old]
    element.value = new if len(new) != 1 else new[0]
    return sum(a != b for a, b in zip(old, new, strict=True))


def meaning_of(scheme: str, value: str) -> str:
    """Return the published meaning of a code; empty where it is of no known vocabulary.

    Examples:
        >>> meaning_of("SCT", "39607008"), meaning_of("HOSPITAL", "39607008")
        ('Lung structure (body structure)', '')
    """
    from pydicom.sr._snomed_dict import mapping

    if scheme in ("SRT", "SNM3", "99SDM"):
        scheme, value = "SCT", mapping["SRT"].get(value, "")
    return _meanings().get((scheme, value), "")


@cache
def _meanings() -> dict[tuple[str, str], str]:
    from pydicom.sr._concepts_dict import concepts

    stored: Any = concepts
    return {
        (scheme, code): str(stated[0])
        for scheme, names in stored.items()
        for codes in names.values()
        for code, stated in codes.items()
    }


def _known_text(text: str) -> bool:
    known = dicom_confidentiality().text_words.keywords
    return all(
        not word or word.strip(".").upper() in known or _SIGN.fullmatch(word)
        for word in _PARTS.split(text.strip())
    )


def _known_code(text: str, known: frozenset[str]) -> bool:
    if not text or text in known or _SIZE.fullmatch(text):
        return True
    return all(word in known for word in re.split(r"[ _]", text))
