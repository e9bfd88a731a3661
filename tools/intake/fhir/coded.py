"""Coded elements that repeat through a chart: each distinct one is read once."""

from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from knowledge.analytes import analytes
from knowledge.codes import LOINC, Concept
from tools.intake.fhir.resources import CodeableConcept, FhirQuantity, ReferenceRange, Thin
from tools.intake.fhir.source import codes, concept

_DISTINCT = 8192
"""Distinct elements kept; a chart of decades has a few hundred."""


class Coded(NamedTuple):
    """What a test's code says.

    Args:
        concept: The concept with its original codes and, where known, the analyte's key.
        analyte: Key of the analyte table, or None.
        loinc: The code the analyte was found by.
        disagree: Whether its codes name different analytes; then none is taken.
    """

    concept: Concept
    analyte: str | None
    loinc: str | None
    disagree: bool


class _Categories(Thin):
    category: list[CodeableConcept]


def coded(element: Any) -> Coded:
    """Return what ``Observation.code`` says.

    Raises:
        ValidationError: Not a CodeableConcept.
    """
    return _coded(orjson.dumps(element))


def category_codes(element: Any) -> frozenset[str]:
    """Return the codes of ``Observation.category``; none where it is absent or not valid."""
    return _category_codes(orjson.dumps({"category": element})) if element else frozenset()


def range_words(element: Any) -> str:
    """Return a laboratory's reference range in words; empty where it has no text and no bound."""
    return _range_words(orjson.dumps(element))


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
def _coded(element: bytes) -> Coded:
    stated = CodeableConcept.model_validate_json(element)
    table = analytes()
    found = {key: c for c in codes(stated, LOINC) if (key := table.for_loinc(c)) is not None}
    key, loinc = next(iter(found.items())) if len(found) == 1 else (None, None)
    named = concept(stated, default="observation without a name", analyte=key)
    return Coded(named, key, loinc, len(found) > 1)


@lru_cache(maxsize=_DISTINCT)
def _category_codes(element: bytes) -> frozenset[str]:
    try:
        stated = _Categories.model_validate_json(element)
    except ValidationError:
        return frozenset()
    return frozenset(c.code for k in stated.category for c in k.coding if c.code)


@lru_cache(maxsize=_DISTINCT)
def _range_words(element: bytes) -> str:
    try:
        stated = ReferenceRange.model_validate_json(element)
    except ValidationError:
        return ""
    if stated.text:
        return stated.text[:200]
    low, high = quantity_words(stated.low), quantity_words(stated.high)
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}" if high else ""
