"""What an Observation says of its specimen and of where it was measured; nothing is concluded.

Read apart from the result itself, so that an element that is not valid never costs the result.
"""

from typing import Any

import msgspec
from msgspec import ValidationError

from knowledge.finding import MethodKind
from knowledge.result_sources import (
    known_specimen,
    result_sources,
    stated_method,
    stated_specimen,
)
from tools.intake.fhir.bundle import Entry
from tools.intake.fhir.resources import NONE, CodeableConcept, ObservationResource, Reference, Thin
from tools.intake.fhir.source import Source, words

_TABLE_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"


class _SpecimenKind(Thin):
    """What of a Specimen names its kind, and whether the laboratory registered it."""

    type: CodeableConcept | None = None
    accessionIdentifier: Any = None


class _Where(Thin):
    """What of an Observation may name where it was measured."""

    performer: list[Any] = NONE
    category: list[Any] = NONE


def measured_in(
    source: Source, observation: ObservationResource, method: str | None
) -> tuple[str | None, MethodKind | None]:
    """Return the specimen and the kind of method of a result, each None where not stated.

    Args:
        source: The resource with what it refers to.
        observation: The same, thin.
        method: Method and device in words.
    """
    specimen = _specimen(source, observation.specimen)
    kind = None if specimen is None else _kind_of(specimen)
    stated = _specimen_words(kind, observation.specimen)
    return stated, _method(source, method, registered=bool(kind and kind.accessionIdentifier))


def _specimen(source: Source, reference: Reference | None) -> Entry | None:
    if reference is None:
        return None
    entry = source.lookup.find(reference, source.entry)
    return entry if entry is not None and entry.type == "Specimen" else None


def _kind_of(entry: Entry) -> _SpecimenKind | None:
    try:
        return msgspec.convert(entry.resource, _SpecimenKind)
    except ValidationError:
        return None


def _specimen_words(kind: _SpecimenKind | None, reference: Reference | None) -> str | None:
    """Return the kind by code, by words, or the words; a reference's display only if it is known.

    A display is often the tube, which is not a specimen.
    """
    if kind is not None and kind.type is not None:
        for coding in kind.type.coding:
            if coding.system == _TABLE_0487 and coding.code:
                by_code = result_sources().specimen_of_code(coding.code)
                if by_code is not None:
                    return by_code
        texts = (kind.type.text, *(c.display for c in kind.type.coding))
        known = next((found for t in texts if t and (found := known_specimen(t))), None)
        return known or stated_specimen(words(kind.type))
    display = reference.display if reference is not None else None
    return known_specimen(display) if display else None


def _method(source: Source, method: str | None, *, registered: bool) -> MethodKind | None:
    """Return the one kind that method, device, category and performer name; None for two."""
    named = {stated_method(text) for text in (method or "", *_where(source))} - {None}
    if registered and result_sources().methods["laboratory"].accession:
        named.add("laboratory")
    if "point-of-care" in named and registered:
        return None
    return named.pop() if len(named) == 1 else None


def _where(source: Source) -> list[str]:
    """Return the category beside the standard ones, and the performers, in words."""
    resource = source.entry.resource
    if "performer" not in resource and "category" not in resource:
        return []
    try:
        where = msgspec.convert(resource, _Where)
    except ValidationError:
        return []
    found = []
    for element in where.category:
        kind = _or_none(element, CodeableConcept)
        # the standard category "laboratory" says what sort of fact it is, not where it was measured
        found += [] if kind is None or stated_method(words(kind)) == "laboratory" else [words(kind)]
        found += [] if kind is None else [c.code for c in kind.coding if c.code == "POC"]
    for element in where.performer:
        performer = _or_none(element, Reference)
        is_person = performer is not None and "Practitioner" in (performer.reference or "")
        if performer is not None and performer.display and not is_person:
            found.append(performer.display)
    return found


def _or_none(element: Any, model: Any) -> Any:
    try:
        return msgspec.convert(element, model)
    except ValidationError:
        return None
