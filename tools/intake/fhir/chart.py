"""All FHIR files of a case to facts and documents."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Why
from knowledge.timeline import Document, Fact
from tools.intake.fhir.bundle import Entry, FhirFile, contained
from tools.intake.fhir.condition import facts_of_condition
from tools.intake.fhir.medication import facts_of_medication
from tools.intake.fhir.observation import facts_of_observation
from tools.intake.fhir.patient import is_about_no_patient
from tools.intake.fhir.procedure import facts_of_encounter, facts_of_procedure
from tools.intake.fhir.report import documents_of_reference, facts_of_report
from tools.intake.fhir.source import Lookup, Source
from tools.intake.fhir.version import RETRACTED, current, status_of
from tools.intake.result import Retraction
from tools.intake.withhold import is_future, withheld

_MAPPERS: Mapping[str, Callable[[Source], Iterable[Fact | Document]]] = {
    "Observation": facts_of_observation,
    "Condition": facts_of_condition,
    "MedicationRequest": facts_of_medication,
    "MedicationStatement": facts_of_medication,
    "MedicationAdministration": facts_of_medication,
    "Procedure": facts_of_procedure,
    "Encounter": facts_of_encounter,
    "DiagnosticReport": facts_of_report,
    "DocumentReference": documents_of_reference,
}
_SUPPORTING = frozenset({"Patient", "Specimen", "Device", "Medication"})
"""Types that are read where others point at them."""

_TAKEN_BACK: Mapping[str, frozenset[str]] = {
    "Observation": RETRACTED,
    "DiagnosticReport": RETRACTED,
    "Encounter": frozenset({"entered-in-error", "cancelled"}),
    "MedicationRequest": frozenset({"entered-in-error", "cancelled"}),
    "DocumentReference": frozenset({"entered-in-error", "superseded"}),
}
_IN_ERROR = frozenset({"entered-in-error"})


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the FHIR files of a case say.

    Args:
        facts, documents: In no particular order.
        retracted: Resources not used because their source took them back or replaced them.
        counts, ignored: File to resource type to number: used, and of types that are not used.
        problems: File to the entries that could not be used, with reasons.
    """

    facts: tuple[Fact, ...]
    documents: tuple[Document, ...]
    retracted: tuple[Retraction, ...]
    counts: Mapping[str, Counter[str]]
    ignored: Mapping[str, Counter[str]]
    problems: Mapping[str, list[str]]


def read_chart(
    files: Sequence[FhirFile], *, zone: str | None = None, at: ClinicalTime | None = None
) -> Chart:
    """Return the facts and documents of FHIR files that are all of one patient.

    Args:
        files: In any order.
        zone: IANA zone declared for times without an offset.
        at: Moment of assessment: later facts are listed, but not used.
    """
    entries, retracted = current(files)
    outer = entries
    entries = [inner for entry in outer for inner in (entry, *contained(entry))]
    lookup = Lookup(entries)
    facts: list[Fact] = []
    documents: list[Document] = []
    counts: dict[str, Counter[str]] = {f.file: Counter() for f in files}
    ignored: dict[str, Counter[str]] = {f.file: Counter() for f in files}
    problems = {f.file: list(f.problems) for f in files}
    for entry in entries:
        mapper = _MAPPERS.get(entry.type)
        if mapper is None:
            if entry.within is None:
                where = counts if entry.type in _SUPPORTING else ignored
                where[entry.file][entry.type] += 1
            continue
        noted = problems[entry.file]
        if (reason := _taken_back(entry)) is not None:
            retracted.append(Retraction(file=entry.file, resource=entry.name, reason=reason))
            continue
        if not _can_be_read(entry, noted):
            continue
        before = len(noted)
        source = Source(entry=entry, zone=zone, lookup=lookup, problems=noted)
        made = list(mapper(source))
        if made or len(noted) == before:
            counts[entry.file][entry.type] += 1
        facts += [_checked(f, entry, at) for f in made if isinstance(f, Fact)]
        documents += [d for d in made if isinstance(d, Document)]
    return Chart(
        facts=tuple(facts),
        documents=tuple(documents),
        retracted=tuple(sorted(retracted, key=lambda r: (r.file, r.resource, r.reason))),
        counts=counts,
        ignored=ignored,
        problems=problems,
    )


def states_patient_facts(file: FhirFile) -> bool:
    """Return whether a file holds anything that would be said of a patient."""
    return any(entry.type == "Patient" or entry.type in _MAPPERS for entry in file.entries)


def _taken_back(entry: Entry) -> str | None:
    status = status_of(entry.resource)
    return status if status in _TAKEN_BACK.get(entry.type, _IN_ERROR) else None


def _can_be_read(entry: Entry, problems: list[str]) -> bool:
    """Return whether a resource may be understood by its known elements alone (FHIR R4 2.1.0.7)."""
    if entry.resource.get("modifierExtension") or entry.resource.get("implicitRules"):
        problems.append(f"{entry.name}: carries a modifier extension that is not understood")
        return False
    if is_about_no_patient(entry):
        problems.append(f"{entry.name}: is not about a patient")
        return False
    return True


def _checked(fact: Fact, entry: Entry, at: ClinicalTime | None) -> Fact:
    if entry.conflicting:
        detail = "stated with different contents, and no version tells which is newer"
        return withheld(fact, Why.CONFLICTING, detail, "conflicting-versions")
    if is_future(fact.finding.time, at):
        return withheld(fact, Why.FUTURE_TIME, "later than the moment of assessment", "future-time")
    return fact
