"""Patient to an identity."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import ValidationError

from knowledge.clinical_time import ClinicalTime
from knowledge.patient import Identity, Sex
from tools.intake.fhir.bundle import Entry, FhirFile, contained
from tools.intake.fhir.resources import HumanName, PatientResource
from tools.intake.fhir.source import Lookup, Source, validated, what_is_wrong
from tools.intake.fhir.version import current

_NOT_COMPARED = "the date of birth is not used, and identities are compared without it"
_OFFICIAL_FIRST = {"official": 0, "usual": 1, None: 2}


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
        for entry in current([file]).entries:
            for candidate in (entry, *contained(entry)):
                if candidate.type == "Patient":
                    record = _record(candidate, noted)
                    if record is not None:
                        found.append(record)
    return found


def _record(entry: Entry, problems: list[str]) -> PatientRecord | None:
    resource = _readable_part(entry, problems)
    if resource is None:
        return None
    source = Source(entry=entry, zone=None, lookup=Lookup(()), problems=problems)
    born = source.time(resource.birthDate)
    if resource.birthDate is not None and born is None:
        problems[-1] += f" (birthDate; {_NOT_COMPARED})"
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
        birth_date=born,
        sex=_sex(resource.gender),
    )
    deceased = source.time(resource.deceasedDateTime) or resource.deceasedBoolean
    return PatientRecord(entry=entry, identity=identity, deceased=deceased)


def _readable_part(entry: Entry, problems: list[str]) -> PatientResource | None:
    """Return what of a Patient can be read: one bad element must not hide another patient."""
    try:
        return PatientResource.model_validate(entry.resource)
    except ValidationError as error:
        problems.append(f"{entry.name}: {what_is_wrong(error)} (compared without it)")
        bad = {fault["loc"][0] for fault in error.errors(include_input=False) if fault["loc"]}
    rest = {key: element for key, element in entry.resource.items() if key not in bad}
    return validated(replace(entry, resource=rest), PatientResource, problems)


def _name_rank(name: HumanName) -> int:
    return _OFFICIAL_FIRST.get(name.use, 3)


def _sex(gender: str | None) -> Sex | None:
    if gender == "female":
        return "female"
    return "male" if gender == "male" else None
