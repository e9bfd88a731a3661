"""Patient to an identity, and which patient every other resource is about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs

from knowledge.clinical_time import ClinicalTime
from knowledge.patient import Identity, Sex
from tools.intake.fhir.bundle import Entry, FhirFile, contained
from tools.intake.fhir.resources import HumanName, PatientResource
from tools.intake.fhir.source import Lookup, Source, short_reference, validated
from tools.intake.fhir.version import current

_OFFICIAL_FIRST = {"official": 0, "usual": 1, None: 2}
_OTHER_SUBJECTS = ("Group/", "Device/", "Location/", "Practitioner/", "Substance/")


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """One Patient resource as read.

    Args:
        entry: Where it stands.
        identity: What it says of who the patient is.
        deceased: Whether and when the patient died.
    """

    entry: Entry
    identity: Identity
    deceased: ClinicalTime | bool | None


def patients(files: Iterable[FhirFile], problems: dict[str, list[str]]) -> list[PatientRecord]:
    """Return every Patient resource, contained ones too.

    Of several versions in one file the newest counts; versions in different files are all compared.
    """
    found: list[PatientRecord] = []
    for file in files:
        noted = problems.setdefault(file.file, [])
        for entry in _newest(file):
            for candidate in (entry, *contained(entry)):
                if candidate.type == "Patient":
                    record = _record(candidate, noted)
                    if record is not None:
                        found.append(record)
    return found


def subjects(file: FhirFile) -> Iterator[tuple[Entry, str]]:
    """Yield each resource that names a patient as its subject, with the reference.

    A logical reference (by identifier only) and a conditional one are given as
    ``identifier|system|value``. Subjects that are no patient are left out.
    """
    for entry in file.entries:
        reference = entry.resource.get("subject") or entry.resource.get("patient")
        if entry.type == "Patient" or not isinstance(reference, dict):
            continue
        text = reference.get("reference")
        if isinstance(text, str) and text:
            if not short_reference(text).startswith(_OTHER_SUBJECTS):
                yield entry, _conditional(text) or text
        elif isinstance(inner := reference.get("identifier"), dict):
            yield entry, f"identifier|{inner.get('system') or ''}|{inner.get('value') or ''}"


def is_about_no_patient(entry: Entry) -> bool:
    """Return whether the subject of a resource is a group, device or place."""
    reference = entry.resource.get("subject")
    text = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(text, str) or text.startswith(("Patient/", "urn:", "#")):
        return False
    return short_reference(text).startswith(_OTHER_SUBJECTS)


def refers_to(text: str, record: PatientRecord, asked_by: Entry) -> bool:
    """Return whether a reference means this Patient resource."""
    entry = record.entry
    if text.startswith("#"):
        outer = (asked_by.within or asked_by).resource
        inner = entry.within.resource if entry.within is not None else None
        return inner is outer and entry.id == text[1:]
    if text.startswith("identifier|"):
        _, system, value = text.split("|", 2)
        return (system, value) in record.identity.identifiers
    if entry.full_url is not None and text == entry.full_url:
        return True
    if text.startswith("urn:uuid:"):
        return entry.id == text.removeprefix("urn:uuid:")
    return entry.id is not None and short_reference(text) in (f"Patient/{entry.id}", entry.id)


def _newest(file: FhirFile) -> list[Entry]:
    kept, _ = current([file])
    unclear = {e.id for e in kept if e.type == "Patient" and e.conflicting}
    every = [e for e in file.entries if e.type == "Patient" and e.id in unclear]
    return [e for e in kept if not (e.type == "Patient" and e.conflicting)] + every


def _conditional(text: str) -> str | None:
    kind, question, query = text.partition("?")
    if not question or kind.rpartition("/")[2] != "Patient":
        return None
    system, _, value = parse_qs(query).get("identifier", ["|"])[0].partition("|")
    return f"identifier|{system}|{value}"


def _record(entry: Entry, problems: list[str]) -> PatientRecord | None:
    resource = validated(entry, PatientResource, problems)
    if resource is None:
        return None
    source = Source(entry=entry, zone=None, lookup=Lookup(()), problems=problems)
    name = min(resource.name, key=_name_rank, default=HumanName())
    identity = Identity(
        source=entry.file,
        identifiers=tuple(
            sorted(
                (i.system or "", i.value) for i in resource.identifier if i.value and i.use != "old"
            )
        ),
        family=name.family or (name.text if not name.given else None),
        given=tuple(g for g in name.given if g),
        birth_date=source.time(resource.birthDate),
        sex=_sex(resource.gender),
    )
    deceased = source.time(resource.deceasedDateTime) or resource.deceasedBoolean
    return PatientRecord(entry=entry, identity=identity, deceased=deceased)


def _name_rank(name: HumanName) -> int:
    return _OFFICIAL_FIRST.get(name.use, 3)


def _sex(gender: str | None) -> Sex | None:
    if gender == "female":
        return "female"
    return "male" if gender == "male" else None
