"""The value of an Observation or component: a number with its unit, words, yes/no, or why none."""

import math
from typing import Any

import msgspec

from knowledge.analytes import Converted, analytes, convert, convert_number
from knowledge.finding import NotAssessed, State, Why
from knowledge.model import put_together
from knowledge.plain_text import quotation
from knowledge.quantity import Interval, Quantity, Text, Value, measured
from knowledge.units import bounded, parse_stated
from tools.intake.fhir.coded import plain, quantity_words
from tools.intake.fhir.resources import FhirQuantity, FhirRange, OtherValue, WithValue
from tools.intake.fhir.source import MAX_TEXT, words

UCUM = "http://unitsofmeasure.org"

_OTHER_VALUES = frozenset(OtherValue.__struct_fields__)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a value[x] says.

    Args:
        path: The element it was read from, below the resource or component.
        state, value, not_assessed: As in `Finding`.
        reported: The value as printed, where it was converted or could not be used.
        flags: Quality flags.
    """

    path: str
    state: State
    value: Value | None = None
    not_assessed: NotAssessed | None = None
    reported: str | None = None
    flags: tuple[str, ...] = ()


def read_value(
    source: WithValue, element: dict[str, Any], *, analyte: str | None, loinc: str | None
) -> Reading | None:
    """Return what the value says, or None where there is no value and no reason for it.

    Args:
        source: The resource or component.
        element: The same as plain JSON, for the types of value that are rare.
        analyte: Key of the analyte table, where the code is known.
        loinc: The code it was found by.

    Raises:
        ValidationError: A value of a rare type is not valid.
    """
    if source.dataAbsentReason is not None:
        reason = words(source.dataAbsentReason)
        said = quotation(reason) if reason else "no reason"
        why = NotAssessed(why=Why.MISSING, detail=f"data absent: {said}")
        return _not_assessed("dataAbsentReason", why, _printed(source))
    if source.valueQuantity is not None:
        return _quantity(source.valueQuantity, analyte, loinc)
    if source.valueString is not None:
        return _string(source.valueString, analyte, loinc)
    if source.valueCodeableConcept is not None:
        return _words("valueCodeableConcept", words(source.valueCodeableConcept), analyte)
    if element.keys() & _OTHER_VALUES:
        return _other(msgspec.convert(element, OtherValue), analyte, loinc)
    return None


def _other(source: OtherValue, analyte: str | None, loinc: str | None) -> Reading | None:
    if source.valueBoolean is not None:
        state = State.PRESENT if source.valueBoolean else State.ABSENT
        return Reading(path="valueBoolean", state=state)
    if source.valueInteger is not None:
        return _number("valueInteger", float(source.valueInteger), analyte, loinc)
    if source.valueRange is not None:
        return _range(source.valueRange, analyte, loinc)
    if source.valueRatio is not None:
        ends = (source.valueRatio.numerator, source.valueRatio.denominator)
        return _words("valueRatio", " : ".join(quantity_words(q) for q in ends), analyte)
    if source.valueDateTime is not None or source.valueTime is not None:
        return _words("valueDateTime", source.valueDateTime or source.valueTime or "", analyte)
    if source.valuePeriod is not None:
        period = source.valuePeriod
        return _words("valuePeriod", f"{period.start or ''} - {period.end or ''}", analyte)
    why = NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="sampled data are not read from FHIR")
    return _not_assessed("valueSampledData", why, None)


def with_range(reading: Reading, printed: str) -> str | None:
    """Return the printed value with the laboratory's own range, where it printed one."""
    if not printed:
        return reading.reported
    value = reading.reported or (str(reading.value) if reading.value is not None else "")
    return f"{value} (laboratory's range: {printed})".strip()[:MAX_TEXT]


def _quantity(quantity: FhirQuantity, analyte: str | None, loinc: str | None) -> Reading:
    path = "valueQuantity"
    number = quantity.value
    if number is None:
        return _not_assessed(path, NotAssessed(why=Why.MISSING, detail="no number stated"), None)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        detail = "the value is not a JSON number"
        return _not_assessed(path, NotAssessed(why=Why.UNREADABLE, detail=detail), str(number)[:80])
    sign = quantity.comparator
    if sign not in (None, "<", "<=", ">=", ">"):
        detail = "the comparator is not one of <, <=, >=, >"
        printed = f"{str(sign)[:8]} {plain(number)} {quantity.unit or quantity.code or ''}".strip()
        return _not_assessed(path, NotAssessed(why=Why.UNREADABLE, detail=detail), printed)
    code = _coded_unit(quantity)
    if analyte is None:
        unit = code or quantity.unit or ""
        if sign is None:
            stated = {"kind": "quantity", "value": float(number), "unit": unit}
            return Reading(path, State.PRESENT, put_together(Quantity, stated))
        value = measured(bounded(float(number), sign), unit)
        return Reading(path=path, state=State.PRESENT, value=value)
    if sign is None and (code is None or quantity.unit in (None, code)):
        result = convert_number(analyte, float(number), code or quantity.unit, loinc)
    else:
        result = _in_canonical(analyte, bounded(float(number), sign), quantity, loinc)
    if isinstance(result, Converted) and not result.changed:
        return Reading(path, State.PRESENT, result.value, flags=result.flags)
    printed = f"{sign or ''}{plain(number)} {quantity.unit or quantity.code or ''}".strip()
    return _as_reading(path, result, printed)


def _in_canonical(
    analyte: str, interval: Interval, quantity: FhirQuantity, loinc: str | None
) -> Converted | NotAssessed:
    """Return the value by the unit's code and, where it says something too, the unit's text."""
    code, text = _coded_unit(quantity), quantity.unit
    if code is None or text is None or code == text:
        return convert(analyte, interval, code or text, loinc)
    by_code = convert(analyte, interval, code, loinc)
    if not analytes().rows(analyte, text):
        return by_code
    by_text = convert(analyte, interval, text, loinc)
    if isinstance(by_code, Converted) and isinstance(by_text, Converted):
        if by_code.value == by_text.value:
            return by_code
        return NotAssessed(why=Why.CONFLICTING, detail="the unit's code and its text disagree")
    for result in (by_code, by_text):
        if isinstance(result, NotAssessed) and result.why is not Why.UNIT_NOT_RECOGNISED:
            return result
    if not analytes().rows(analyte, code):
        return by_code
    return by_text if isinstance(by_text, Converted) else by_code


def _coded_unit(quantity: FhirQuantity) -> str | None:
    return quantity.code if quantity.code and quantity.system in (UCUM, None) else None


def _number(path: str, value: float, analyte: str | None, loinc: str | None) -> Reading:
    interval = Interval.exact(value)
    if analyte is None:
        return Reading(path=path, state=State.PRESENT, value=measured(interval, "1"))
    return _as_reading(path, convert(analyte, interval, None, loinc), plain(value))


def _range(stated: FhirRange, analyte: str | None, loinc: str | None) -> Reading:
    path = "valueRange"
    ends = [q.value if q is not None else None for q in (stated.low, stated.high)]
    numbers = [e for e in ends if isinstance(e, int | float) and not isinstance(e, bool)]
    units = {_coded_unit(q) or q.unit for q in (stated.low, stated.high) if q is not None}
    given = [e for e in ends if e is not None]
    ordered = numbers == sorted(numbers)
    if not numbers or len(numbers) != len(given) or len(units) != 1 or not ordered:
        why = NotAssessed(why=Why.UNREADABLE, detail="the range is not two numbers of one unit")
        return _not_assessed(path, why, None)
    low, high = (float(e) if e is not None else None for e in ends)
    interval = Interval(low=low, high=high)
    unit = units.pop()
    if analyte is None:
        return Reading(path=path, state=State.PRESENT, value=measured(interval, unit or ""))
    return _as_reading(path, convert(analyte, interval, unit, loinc), f"{interval} {unit or ''}")


def _string(text: str, analyte: str | None, loinc: str | None) -> Reading:
    path = "valueString"
    stated = parse_stated(text)
    if analyte is not None:
        if stated is None:
            why = NotAssessed(why=Why.UNREADABLE, detail="the result is words, not a number")
            return _not_assessed(path, why, text[:MAX_TEXT])
        interval, unit = stated
        return _as_reading(path, convert(analyte, interval, unit, loinc), text.strip()[:MAX_TEXT])
    if stated is not None and stated[1] is not None and analytes().knows_spelling(stated[1]):
        interval, unit = stated[0], stated[1]
        return Reading(path=path, state=State.PRESENT, value=measured(interval, unit))
    return _text(path, text)


def _words(path: str, text: str, analyte: str | None) -> Reading:
    """Return a value that is words; for an analyte that is a number, why it is not one."""
    if analyte is not None:
        why = NotAssessed(why=Why.UNREADABLE, detail="the result is words, not a number")
        return _not_assessed(path, why, text[:MAX_TEXT])
    return _text(path, text)


def _text(path: str, text: str) -> Reading:
    if not text.strip():
        return _not_assessed(path, NotAssessed(why=Why.MISSING, detail="the value is blank"), None)
    flags = ("text-truncated",) if len(text) > MAX_TEXT else ()
    return Reading(path=path, state=State.PRESENT, value=Text(text=text[:MAX_TEXT]), flags=flags)


def _as_reading(path: str, result: Converted | NotAssessed, printed: str) -> Reading:
    if isinstance(result, NotAssessed):
        return _not_assessed(path, result, printed)
    return Reading(
        path=path,
        state=State.PRESENT,
        value=result.value,
        reported=printed if result.changed else None,
        flags=result.flags,
    )


def _not_assessed(path: str, why: NotAssessed, printed: str | None) -> Reading:
    return Reading(path=path, state=State.NOT_ASSESSED, not_assessed=why, reported=printed or None)


def _printed(source: WithValue) -> str | None:
    if source.valueQuantity is not None:
        return quantity_words(source.valueQuantity) or None
    return source.valueString[:MAX_TEXT] if source.valueString else None
