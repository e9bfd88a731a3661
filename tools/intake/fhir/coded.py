"""Coded elements that repeat through a chart: each distinct one is read once."""

from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from msgspec import ValidationError, convert
from msgspec.json import decode

from knowledge.analytes import analytes
from knowledge.codes import LABORATORY_CATEGORIES, LOINC, Concept
from knowledge.laboratory_vocabulary import laboratory_vocabulary
from knowledge.timeline import Category
from tools.intake.fhir.haemolysis import FLAG, concept_says_haemolysed
from tools.intake.fhir.resources import CodeableConcept, FhirQuantity, ReferenceRange
from tools.intake.fhir.source import codes, concept, words

_DISTINCT = 8192
"""Distinct elements kept; a chart of decades has a few hundred."""

_INTERPRETATION = {
    "H": "lab-high",
    "HH": "lab-critical-high",
    "HU": "lab-high",
    "L": "lab-low",
    "LL": "lab-critical-low",
    "LU": "lab-low",
    "N": "lab-normal",
    "A": "lab-abnormal",
    "AA": "lab-critical-abnormal",
    "S": "susceptible",
    "I": "intermediate",
    "R": "resistant",
    "SDD": "susceptible-dose-dependent",
    "NS": "non-susceptible",
    "POS": "reported-positive",
    "NEG": "reported-negative",
    "DET": "reported-detected",
    "ND": "reported-not-detected",
    "IND": "reported-indeterminate",
    "EQV": "reported-equivocal",
    "RR": "reported-reactive",
    "WR": "reported-weakly-reactive",
    "NR": "reported-non-reactive",
}
"""HL7 v3 ObservationInterpretation: what the laboratory says, kept as its word, never as ours."""

_NORMAL = "normal"
"""HL7 referencerange-meaning: of healthy people."""

_Elements = tuple[CodeableConcept, Any, list[CodeableConcept] | None, list[Any] | None]
"""Code, category, interpretation and reference ranges."""


class Coded(NamedTuple):
    """What of a result repeats through a chart: all but its number, its time and its name.

    Args:
        concept: The concept with its original codes and, where known, the analyte's key.
        analyte: Key of the analyte table, or None.
        loinc: The code the analyte was found by.
        disagree: Whether its codes name different analytes; then none is taken.
        category: Of the analyte where it is known, else as stated.
        flags: The laboratory's own interpretation.
        range_words: The laboratory's reference ranges; empty where none has a text or a bound.
        contradicted: Why no analyte is taken: the name is of another test than the code.
    """

    concept: Concept
    analyte: str | None
    loinc: str | None
    disagree: bool
    category: Category
    flags: tuple[str, ...]
    range_words: str
    contradicted: str | None = None


def coded(element: dict[str, Any], category: Any) -> Coded:
    """Return what the coded elements of an Observation or component say.

    A category or a range that is not valid is as one that is not stated.

    Args:
        element: With ``code``, and ``interpretation`` and ``referenceRange`` where it has them.
        category: ``Observation.category``.

    Raises:
        ValidationError: The code is not a CodeableConcept, or the interpretation no list of them.
    """
    get = element.get
    return _coded(
        orjson.dumps((get("code"), category, get("interpretation"), get("referenceRange")))
    )


def quantity_words(quantity: FhirQuantity | None) -> str:
    """Return a quantity as printed."""
    if quantity is None or quantity.value is None:
        return ""
    return f"{plain(quantity.value)} {quantity.unit or quantity.code or ''}".strip()[:80]


def plain(number: object) -> str:
    """Return a number as printed, without the ``.0`` of a whole one."""
    if isinstance(number, float) and number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return str(number)[:40]


@lru_cache(maxsize=_DISTINCT)
def _coded(elements: bytes) -> Coded:
    code, category, interpretation, ranges = decode(elements, type=_Elements)
    table = analytes()
    found = {key: c for c in codes(code, LOINC) if (key := table.for_loinc(c)) is not None}
    key, loinc = next(iter(found.items())) if len(found) == 1 else (None, None)
    contradicted = None if key is None else _contradicted(code, key, loinc)
    key, loinc = (key, loinc) if contradicted is None else (None, None)
    group = table.analytes[key].group if key is not None else None
    return Coded(
        concept=concept(code, default="observation without a name", analyte=key),
        analyte=key,
        loinc=loinc,
        disagree=len(found) > 1,
        category=_category(group, category, compared=bool(interpretation or ranges)),
        flags=_lab_flags(interpretation or []),
        range_words="; ".join(words for r in ranges or () if (words := _range_words(r))),
        contradicted=contradicted,
    )


def _contradicted(code: CodeableConcept, analyte: str, loinc: str | None) -> str | None:
    """Return that the name of a test is of another one than its code, or None."""
    displays = (c.display for c in code.coding if c.code == loinc)
    for name in (code.text, *displays):
        other = laboratory_vocabulary().contradicts(name, analyte) if name else None
        if other is not None:
            label = analytes().analytes[analyte].label
            return f"the code is of {label}, the name of {other}"
    return None


def _category(group: str | None, category: Any, *, compared: bool) -> Category:
    """Return what sort of fact an Observation is.

    One that states no category and was compared with an interval is a laboratory result.
    """
    try:
        kinds = convert(category, list[CodeableConcept] | None) or []
    except ValidationError:
        kinds = []
    stated = {c.code for kind in kinds for c in kind.coding}
    of_laboratory = bool(stated & LABORATORY_CATEGORIES) or (not kinds and compared)
    if group == "laboratory" or (group is None and of_laboratory):
        return Category.LABORATORY
    if group == "vital-sign" or "vital-signs" in stated:
        return Category.VITAL_SIGN
    return Category.OBSERVATION


def _lab_flags(stated: list[CodeableConcept]) -> tuple[str, ...]:
    said = (c.code for i in stated for c in i.coding if c.code)
    flags = [_INTERPRETATION[code] for code in said if code in _INTERPRETATION]
    if any(concept_says_haemolysed(i) for i in stated):
        flags.append(FLAG)
    return tuple(dict.fromkeys(flags))


def _range_words(element: Any) -> str:
    try:
        stated = convert(element, ReferenceRange)
    except ValidationError:
        return ""
    kind = _kind(stated.type)
    if stated.text:
        return f"{kind}{stated.text[:200]}"
    low, high = quantity_words(stated.low), quantity_words(stated.high)
    if low and high:
        return f"{kind}{low} to {high}"
    return f"{kind}from {low}" if low else f"{kind}up to {high}" if high else ""


def _kind(stated: CodeableConcept | None) -> str:
    """Return what sort of range it is, where it is not one of healthy people.

    A therapeutic or critical range is printed beside a result too; by FHIR R4 a range without a
    type is a normal one.
    """
    if stated is None or any(c.code == _NORMAL for c in stated.coding):
        return ""
    said = words(stated)
    return f"{said[:40]}: " if said else ""
