"""Our values in FHIR's words: concepts, quantities, and why something is absent."""

from collections.abc import Mapping
from typing import Any

from knowledge.clinical_time import ClinicalTime, Precision
from knowledge.codes import EPICRISIS, SNOMED, Concept
from knowledge.finding import Finding, NotAssessed, State, Why
from knowledge.plain_text import visible
from knowledge.quantity import Choice, Interval, Quantity, QuantityInterval, Text

UCUM = "http://unitsofmeasure.org"
ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
ABSENT_EXTENSION = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ANSWER = "urn:epicrisis:answer"

PRESENT = {"system": SNOMED, "code": "52101004", "display": "Present (qualifier value)"}
ABSENT = {"system": SNOMED, "code": "2667000", "display": "Absent (qualifier value)"}

_EMPTY: tuple[Any, ...] = (None, "", [], {})
_LONGEST = 4000
_FORMS = {Precision.YEAR: "%Y", Precision.MONTH: "%Y-%m", Precision.DAY: "%Y-%m-%d"}

WHY: Mapping[Why, str] = {
    Why.MISSING: "unknown",
    Why.UNCONFIRMED: "temp-unknown",
    Why.UNIT_NOT_RECOGNISED: "error",
    Why.VALUE_IMPOSSIBLE: "error",
    Why.TIME_NOT_GIVEN: "unknown",
    Why.TIME_ZONE_UNKNOWN: "unknown",
    Why.FUTURE_TIME: "error",
    Why.OUTSIDE_WINDOW: "not-applicable",
    Why.STALE: "temp-unknown",
    Why.ASSAY_NOT_NAMED: "unknown",
    Why.NOT_AVAILABLE_FOR_ASSAY: "not-applicable",
    Why.CENSORED: "unknown",
    Why.CONFLICTING: "unknown",
    Why.OUTSIDE_CONTRACT: "not-applicable",
    Why.QUALITY: "error",
    Why.UNREADABLE: "error",
    Why.SWITCHED_OFF: "not-performed",
    Why.NO_MODEL: "not-performed",
    Why.RETRACTED: "error",
    Why.DEPENDS: "unknown",
    Why.FAILED: "error",
}
"""Our reasons as codes of FHIR's value set; the words go beside them, so that nothing is lost."""


def text(value: str) -> str:
    """Return text that FHIR takes: visible characters, at most 4000 of them."""
    return visible(value).strip()[:_LONGEST]


def codeable(concept: Concept) -> dict[str, Any]:
    """Return a concept with the codes it has; standard systems first."""
    codings = sorted(concept.codings, key=lambda coding: coding.system.startswith("urn:"))
    found: dict[str, Any] = {"text": text(concept.text)}
    if codings:
        found["coding"] = [{"system": c.system, "code": c.code} for c in codings]
    return found


def coded(system: str, code: str, words: str) -> dict[str, Any]:
    """Return a concept of one code and its words."""
    return {"coding": [{"system": system, "code": code}], "text": text(words)}


def absent(reason: NotAssessed | None) -> dict[str, Any]:
    """Return why a value is not there."""
    if reason is None:
        return coded(ABSENT_REASON, "unknown", "not assessed")
    return coded(ABSENT_REASON, WHY[reason.why], f"not assessed: {reason.detail}")


def absent_words(words: str) -> dict[str, Any]:
    """Return a concept that says in words that, and why, there is no value."""
    return {
        "extension": [{"url": ABSENT_EXTENSION, "valueCode": "unknown"}],
        "text": text(words),
    }


def quantity(value: float, unit: str, comparator: str = "") -> dict[str, Any]:
    """Return a number with its UCUM unit."""
    found: dict[str, Any] = {"value": value, "system": UCUM, "code": unit, "unit": unit}
    if comparator:
        found["comparator"] = comparator
    return found


def value_of(finding: Finding) -> dict[str, Any]:
    """Return the value element of an Observation or of a component: never both value and reason.

    Present and absent are coded; not assessed is a `dataAbsentReason`; an interval with two bounds
    is said in words, since FHIR's range cannot say whether its ends belong to it.
    """
    match finding.state:
        case State.NOT_ASSESSED:
            return {"dataAbsentReason": absent(finding.not_assessed)}
        case State.ABSENT:
            return {"valueCodeableConcept": {"coding": [ABSENT], "text": "absent"}}
        case State.PRESENT:
            return _present(finding)


def _present(finding: Finding) -> dict[str, Any]:
    match finding.value:
        case None:
            began = when(finding.time) if finding.concept.has(EPICRISIS, "onset") else ""
            return {"valueDateTime": began} if began else _yes()
        case Quantity() as found:
            return {"valueQuantity": quantity(found.value, found.unit)}
        case QuantityInterval() as found:
            return _interval(found)
        case Choice() as found:
            return {"valueCodeableConcept": coded(ANSWER, found.choice, found.choice)}
        case Text() as found:
            return {"valueString": text(found.text)}


def _yes() -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [PRESENT], "text": "present"}}


def _interval(found: QuantityInterval) -> dict[str, Any]:
    bounds: Interval = found.interval
    if bounds.low is None and bounds.high is not None:
        sign = "<=" if bounds.high_closed else "<"
        return {"valueQuantity": quantity(bounds.high, found.unit, sign)}
    if bounds.high is None and bounds.low is not None:
        sign = ">=" if bounds.low_closed else ">"
        return {"valueQuantity": quantity(bounds.low, found.unit, sign)}
    return {"valueString": text(str(found))}


def when(time: ClinicalTime | None) -> str:
    """Return a FHIR dateTime, or nothing for a time of unknown zone: FHIR needs the offset."""
    if time is None:
        return ""
    form = _FORMS.get(time.precision)
    if form is not None:
        return time.at.strftime(form)
    return "" if time.at.tzinfo is None else time.at.isoformat(timespec="seconds")


def tidy(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without empty elements: FHIR allows none."""
    return {key: item for key, found in resource.items() if (item := _tidy(found)) not in _EMPTY}


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return tidy(value)
    if isinstance(value, list | tuple):
        return [item for found in value if (item := _tidy(found)) not in _EMPTY]
    return value
