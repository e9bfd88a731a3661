"""Coded elements, numbers and names of HL7 v2 as the FHIR elements that the reader takes."""

from typing import Any

from knowledge.codes import ICD10, ICD10CM, LOINC, SNOMED
from tools.intake.hl7v2.message import Message, Segment

_SYSTEMS = {
    "LN": LOINC,
    "LOINC": LOINC,
    "SCT": SNOMED,
    "SNOMED-CT": SNOMED,
    "SNOMEDCT": SNOMED,
    "I10": ICD10,
    "ICD10": ICD10,
    "I10C": ICD10CM,
    "ICD-10-CM": ICD10CM,
    "ICD10CM": ICD10CM,
    "HL70078": "http://terminology.hl7.org/CodeSystem/v2-0078",
    "HL70493": "http://terminology.hl7.org/CodeSystem/v2-0493",
}
"""HL7 table 0396, and spellings senders use for the same."""

_LOCAL = ("", "L", "99")
_ALTERNATES = ((1, 2, 3), (4, 5, 6))
_ORIGINAL = 9


def system_of(name: str, facility: str) -> str:
    """Return the system a coding system's name stands for; a local one is its sender's own.

    Examples:
        >>> system_of("LN", "LAB"), system_of("L", "LAB")
        ('http://loinc.org', 'urn:hl7v2:LAB:L')
    """
    plain = name.strip().upper()
    if plain in _SYSTEMS:
        return _SYSTEMS[plain]
    if plain in _LOCAL or plain.startswith("99"):
        return f"urn:hl7v2:{facility}:{plain or 'local'}"
    return f"urn:hl7v2:{plain}"


def concept(segment: Segment, field: int, message: Message, *, rep: int = 1) -> dict[str, Any]:
    """Return a CE, CWE or CNE field as CodeableConcept; empty where it states nothing."""
    codings = []
    for code, words, system in _ALTERNATES:
        stated = segment.get(field, code, rep=rep)
        if stated:
            coding = {
                "system": system_of(segment.get(field, system, rep=rep), message.facility),
                "code": stated,
            }
            display = segment.get(field, words, rep=rep)
            codings.append({**coding, "display": display} if display else coding)
    text = next((t for n in (_ORIGINAL, 2, 5, 1, 4) if (t := segment.get(field, n, rep=rep))), "")
    made: dict[str, Any] = {}
    if codings:
        made["coding"] = codings
    if text:
        made["text"] = text
    return made


def key_of(segment: Segment, field: int, message: Message) -> str:
    """Return what a coded field says, as one text to compare; empty where it says nothing."""
    code = segment.get(field) or segment.get(field, 4) or segment.get(field, 2)
    system = segment.get(field, 3) if segment.get(field) else segment.get(field, 6)
    return f"{system_of(system, message.facility)}|{code}" if code else ""


def codes_of(segment: Segment, field: int) -> frozenset[str]:
    """Return every identifier of a coded field, whichever of its places it stands in.

    Where it has none, its words. Systems are left out: the same order, or the same patient's
    results, are what these are compared within.
    """
    found = {segment.get(field, n).upper() for n in (1, 4)} - {""}
    return frozenset(found or {segment.get(field, n).upper() for n in (2, 5)} - {""})


def number_of(segment: Segment, field: int, message: Message) -> str:
    """Return an entity identifier (EI) with who gave it; empty where there is none.

    A number that names no authority is the sending facility's.
    """
    number = segment.get(field)
    giver = segment.get(field, 3) or segment.get(field, 2) or message.facility
    return f"{giver}|{number}" if number else ""
