"""Names that a reading has in FHIR, the same on the way out and on the way in."""

import uuid
from typing import Any

from knowledge.codes import SNOMED
from knowledge.finding import State

_URN = "urn:epicrisis:reading"
FORM = f"{_URN}-form"
DETAIL = f"{_URN}-detail"
"""Side, zone, size, certainty, margin, change, answers: components of an item's Observation."""
ANSWER = f"{_URN}-answer"
TABLE = f"{_URN}-table"
STATE = f"{_URN}-state"
WHY = f"{_URN}-why"
ENTRY = f"{_URN}-entry"
READING = f"{_URN}-id"
PATH = f"{_URN}-path"
SAID = f"{_URN}-said"
ABOUT = f"{_URN}-about"
BEFORE = f"{_URN}-before"
UCUM = "http://unitsofmeasure.org"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
DICOM_UID = "urn:dicom:uid"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
RADIOLOGY = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}
IMAGING = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "imaging"}
    ]
}
_SNOMED = {State.PRESENT: "52101004", State.ABSENT: "2667000"}
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, _URN)


def item_system(form_id: str) -> str:
    """Return the code system of a form's items."""
    return f"{_URN}-item:{form_id}"


def urn(*parts: str) -> str:
    """Return the address of a resource within its bundle; the same parts give the same."""
    return f"urn:uuid:{uuid.uuid5(_SPACE, chr(31).join(parts))}"


def concept(system: str, code: str, text: str) -> dict[str, Any]:
    """Return a concept of one code, with its name."""
    return {"coding": [{"system": system, "code": code}], "text": text}


def state_concept(state: State) -> dict[str, Any]:
    """Return a state as a concept: SNOMED CT, and ours."""
    codes = [{"system": STATE, "code": state.value}]
    if state in _SNOMED:
        codes.insert(0, {"system": SNOMED, "code": _SNOMED[state]})
    return {"coding": codes, "text": state.value.replace("_", " ")}


def code_of(value: Any, system: str) -> str | None:
    """Return the code of a system in a concept; None where there is none."""
    for coding in (value or {}).get("coding", ()):
        if coding.get("system") == system:
            return str(coding.get("code"))
    return None
