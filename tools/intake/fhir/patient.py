"""Patient to an identity."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import ValidationError, convert

from knowledge.clinical_time import ClinicalTime
from knowledge.patient import Identity, Sex
from tools.intake.fhir.bundle import Entry, FhirFile, contained
from tools.intake.fhir.resources import HumanName, PatientResource
from tools.intake.fhir.source import Lookup, Source, what_is_wrong
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
                    found.append(_record(candidate, noted))
    return found


def _record(entry: Entry, problems: list[str]) -> PatientRecord:
    resource = _readable_part(entry, problems)
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


def _readable_part(entry: Entry, problems: list[str]) -> PatientResource:
    """Return what of a Patient can be read: one bad element must not hide another patient."""
    rest = dict(entry.resource)
    while True:
        try:
            return convert(rest, PatientResource)
        except ValidationError as error:
            wrong = what_is_wrong(error)
            problems.append(f"{entry.name}: {wrong} (compared without it)")
            del rest[wrong.partition(":")[0].partition(".")[0]]


def _name_rank(name: HumanName) -> int:
    return _OFFICIAL_FIRST.get(name.use, 3)


def _sex(gender: str | None) -> Sex | None:
    if gender == "female":
        return "female"
    return "male" if gender == "male" else None
