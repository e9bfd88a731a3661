"""PID to Patient: every number with who gave it, every name; compared before anything is fused."""

import re
from typing import Any

from knowledge.errors import InvalidValueError
from tools.intake.hl7v2.message import Message, Segment
from tools.intake.hl7v2.moment import moment

_NOT_OF_A_PERSON = frozenset({"AN", "VN", "ANON", "VS"})
"""Identifier types (HL7 table 0203) that number an account or a visit."""

_NAME_USE = {"L": "official", "D": "usual", "C": "official", "": None}
"""Name types (HL7 table 0200) that a patient is known by; any other is an alias or earlier name."""

_SEX = {"F": "female", "M": "male"}
_ISO = "ISO"
_PATIENT_IDS = (3, 2, 4)
"""PID-3, and PID-2 and PID-4 of messages before v2.3.1."""


def patient_of(pid: Segment, message: Message, problems: list[str]) -> dict[str, Any]:
    """Return the Patient resource of a PID segment; what cannot be read is told."""
    made: dict[str, Any] = {"resourceType": "Patient"}
    identifiers = _identifiers(pid, message)
    names = [name for rep in range(1, pid.repetitions(5) + 1) if (name := _name(pid, rep))]
    if identifiers:
        made["identifier"] = identifiers
    if names:
        made["name"] = names
    sex = pid.get(8).upper()
    if sex in _SEX:
        made["gender"] = _SEX[sex]
    for field, element, cut in ((7, "birthDate", True), (29, "deceasedDateTime", False)):
        stated = pid.get(field)
        if not stated:
            continue
        try:
            read = moment(stated, None)
        except InvalidValueError as error:
            problems.append(f"PID-{field}: {error.reason}")
            continue
        made[element] = read.partition("T")[0] if cut else read
    if pid.get(30).upper() == "Y" and "deceasedDateTime" not in made:
        made["deceasedBoolean"] = True
    if not identifiers and not names:
        problems.append("PID states no number and no name")
    return made


def assigner(segment: Segment, field: int, message: Message, *, rep: int = 1) -> str:
    """Return who gave a number (CX-4): an OID where one is stated, else a name, else the sender.

    Empty where the message names none of them: such a number is comparable with no other.
    """
    universal = segment.get(field, 4, 2, rep=rep)
    kind = segment.get(field, 4, 3, rep=rep).upper()
    if universal and (kind == _ISO or re.fullmatch(r"[0-9]+(\.[0-9]+)+", universal)):
        return f"urn:oid:{universal}"
    named = segment.get(field, 4, 1, rep=rep) or universal
    giver = named or message.facility
    return f"urn:hl7v2:{giver}" if giver else ""


def numbers(pid: Segment, message: Message) -> list[tuple[str, str]]:
    """Return every number of the person: who gave it, and the number."""
    found = []
    for field in _PATIENT_IDS:
        for rep in range(1, pid.repetitions(field) + 1):
            value = pid.get(field, rep=rep)
            if value and pid.get(field, 5, rep=rep).upper() not in _NOT_OF_A_PERSON:
                found.append((assigner(pid, field, message, rep=rep), value))
        if found:
            break
    return list(dict.fromkeys(found))


def _identifiers(pid: Segment, message: Message) -> list[dict[str, str]]:
    found = [{"system": system, "value": value} for system, value in numbers(pid, message)]
    return [{name: said for name, said in one.items() if said} for one in found]


def _name(pid: Segment, rep: int) -> dict[str, Any]:
    family, given = pid.get(5, 1, rep=rep), [pid.get(5, n, rep=rep) for n in (2, 3)]
    kind = pid.get(5, 7, rep=rep).upper()
    use = _NAME_USE.get(kind, "old")
    if not kind and rep > 1:
        use = "old"
    made: dict[str, Any] = {}
    if family:
        made["family"] = family
    if any(given):
        made["given"] = [g for g in given if g]
    return {**made, "use": use} if made and use else made
