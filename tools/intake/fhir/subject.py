"""Which patient a resource says it is about, and whether that is a given Patient resource."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tools.intake.fhir.bundle import Entry, FhirFile, contained
from tools.intake.fhir.patient import PatientRecord
from tools.intake.fhir.server import server_in, server_of
from tools.intake.fhir.source import short_reference

UNREADABLE = "the subject cannot be read, so that it is not shown to be of this patient"

_OTHER_SUBJECTS = ("Group/", "Device/", "Location/", "Practitioner/", "Substance/")
_ELEMENTS = ("subject", "patient")


@dataclass(frozen=True, slots=True)
class Subject:
    """What one resource says of whom it is about.

    Args:
        entry: The resource, contained ones too.
        reference: The reference as written; None where there is none.
        identifier: (system, value) of a logical or conditional reference; the system may be empty.
        display: The name shown beside it.
        readable: Whether the element has the types of FHIR R4.
    """

    entry: Entry
    reference: str | None = None
    identifier: tuple[str, str] | None = None
    display: str | None = None
    readable: bool = True


def subjects(file: FhirFile) -> Iterator[Subject]:
    """Yield whom each resource is about, where it says so; groups, devices and places left out."""
    for outer in file.entries:
        for entry in (outer, *contained(outer)):
            if entry.type == "Patient":
                continue
            for element in _ELEMENTS:
                found = _subject(entry, entry.resource.get(element))
                if found is not None:
                    yield found


def is_about_no_patient(entry: Entry) -> bool:
    """Return whether the subject of a resource is a group, device or place."""
    reference = entry.resource.get("subject")
    text = reference.get("reference") if isinstance(reference, dict) else None
    return isinstance(text, str) and _is_other(text)


def refers_to(subject: Subject, record: PatientRecord) -> bool:
    """Return whether the reference of a subject means this Patient resource.

    A relative reference is of the server of the resource it stands in. Where both servers are
    known, they must be the same.
    """
    text, asked_by, entry = subject.reference or "", subject.entry, record.entry
    if text.startswith("#"):
        outer = asked_by.within or asked_by
        if text == "#":
            return asked_by.within is not None and outer.resource is entry.resource
        inner = entry.within.resource if entry.within is not None else None
        return inner is outer.resource and entry.id == text[1:]
    if entry.full_url is not None and text == entry.full_url:
        return True
    if text.startswith("urn:uuid:"):
        return entry.id == text.removeprefix("urn:uuid:")
    if entry.id is None or short_reference(text) not in (f"Patient/{entry.id}", entry.id):
        return False
    asked = server_in(text, "Patient") or server_of(asked_by.within or asked_by)
    held = server_of(entry)
    return asked is None or held is None or asked == held


def _subject(entry: Entry, stated: Any) -> Subject | None:
    """Return what one element says, or None where it says nothing of a patient."""
    if stated is None:
        return None
    if not isinstance(stated, dict):
        return Subject(entry, readable=False)
    text, display, logical = (stated.get(k) for k in ("reference", "display", "identifier"))
    well_formed = all(x is None or isinstance(x, str) for x in (text, display))
    if not isinstance(logical, dict | None):
        return Subject(entry, readable=False)
    system, value = (logical.get(k) for k in ("system", "value")) if logical else (None, None)
    well_formed &= all(x is None or isinstance(x, str) for x in (system, value))
    if not well_formed:
        return Subject(entry, readable=False)
    if text and _is_other(text):
        return None
    identifier = (system or "", value) if value else None
    if text and (conditional := _conditional(text)) is not None:
        return Subject(entry, None, conditional, display)
    if not (text or identifier or display):
        return None
    return Subject(entry, text or None, identifier, display or None)


def _is_other(text: str) -> bool:
    if text.startswith(("Patient/", "urn:", "#")):
        return False
    return short_reference(text).startswith(_OTHER_SUBJECTS)


def _conditional(text: str) -> tuple[str, str] | None:
    kind, question, query = text.partition("?")
    if not question or kind.rpartition("/")[2] != "Patient":
        return None
    system, _, value = parse_qs(query).get("identifier", ["|"])[0].partition("|")
    return system, value
