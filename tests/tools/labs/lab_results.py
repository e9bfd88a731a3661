"""Laboratory results as intake makes them, and people they may be of."""

from collections.abc import Mapping
from typing import Any

from knowledge.finding import Finding
from knowledge.laboratory_site import LaboratoryReference
from knowledge.quantity import Interval
from tests.tools.intake.samples import UCUM, observation, only_fact
from tools.labs.interval import flag_result
from tools.labs.interval_model import Flag, ResultFlag, Subject

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def subject(
    sex: Any = None,
    age: float | None = 40,
    pregnant: bool | None = None,
    **circumstances: bool,
) -> Subject:
    return Subject(
        sex=sex,
        age=None if age is None else Interval.exact(age),
        pregnant=pregnant,
        circumstances=circumstances,
    )


MAN = subject("male")
WOMAN = subject("female", pregnant=False)


def finding(
    loinc: str,
    value: float | str | None,
    unit: str = "",
    *,
    printed: str | Mapping[str, Any] | None = None,
    said: str | None = None,
    comparator: str | None = None,
) -> Finding:
    """Return one result through the FHIR reader, with the laboratory's range and flag."""
    changes: dict[str, Any] = {}
    if isinstance(value, str):
        changes |= {"valueQuantity": None, "valueString": value}
    elif comparator:
        quantity = {"value": value, "unit": unit, "system": UCUM, "code": unit}
        changes["valueQuantity"] = quantity | {"comparator": comparator}
    if printed is not None:
        changes["referenceRange"] = [{"text": printed} if isinstance(printed, str) else printed]
    if said is not None:
        coding = [{"system": INTERPRETATION, "code": code} for code in said.split()]
        changes["interpretation"] = [{"coding": coding}]
    number = None if isinstance(value, str) else value
    return only_fact(observation(number, unit, loinc, **changes)).finding


def flagged(
    loinc: str,
    value: float | str,
    unit: str = "",
    person: Subject = MAN,
    reference: LaboratoryReference | None = None,
    **more: Any,
) -> ResultFlag:
    return flag_result(finding(loinc, value, unit, **more), person, reference)


def flag(
    loinc: str, value: float | str, unit: str = "", person: Subject = MAN, **more: Any
) -> Flag | None:
    return flagged(loinc, value, unit, person, **more).flag
