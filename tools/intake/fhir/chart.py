"""All FHIR files of a case to facts and documents."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import Why
from knowledge.timeline import Document, Fact
from tools.intake.fhir.awaited import facts_awaited
from tools.intake.fhir.bundle import Entry, FhirFile, contained
from tools.intake.fhir.condition import facts_of_condition
from tools.intake.fhir.medication import facts_of_medication
from tools.intake.fhir.observation import facts_of_observation
from tools.intake.fhir.procedure import facts_of_encounter, facts_of_procedure
from tools.intake.fhir.report import documents_of_reference, facts_of_report
from tools.intake.fhir.source import Lookup, Source, short_reference
from tools.intake.fhir.subject import is_about_no_patient
from tools.intake.fhir.superseded import with_superseded
from tools.intake.fhir.taken_back import facts_taken_back
from tools.intake.fhir.version import (
    Current,
    current,
    is_no_result_yet,
    is_taken_back,
    status_of,
)
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

READ = frozenset(_MAPPERS) | _SUPPORTING
"""Types of which anything is read."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the FHIR files of a case say.

    Args:
        facts, documents: In no particular order.
        retracted: Resources not used because their source took them back or replaced them.
        counts, ignored: File to resource type to number: used, and of types that are not used.
        problems: File to the entries that could not be used, with reasons.
        copies: File to the files whose copies of its resources are used instead.
    """

    facts: tuple[Fact, ...]
    documents: tuple[Document, ...]
    retracted: tuple[Retraction, ...]
    counts: Mapping[str, Counter[str]]
    ignored: Mapping[str, Counter[str]]
    problems: Mapping[str, list[str]]
    copies: Mapping[str, tuple[str, ...]]


def read_chart(
    files: Sequence[FhirFile],
    *,
    zone: str | None = None,
    at: ClinicalTime | None = None,
    refused: frozenset[int] = frozenset(),
) -> Chart:
    """Return the facts and documents of FHIR files that are all of one patient.

    Args:
        files: In any order.
        zone: IANA zone declared for times without an offset.
        at: Moment of assessment: later facts are listed, but not used.
        refused: ``id()`` of the JSON objects that are not shown to be of the patient.
    """
    made = _Made(files, current(files, without=refused), zone=zone, at=at)
    for entry in made.current.entries:
        holds_others = "contained" in entry.resource
        fate = _fate(entry) if holds_others or entry.type in _MAPPERS else None
        made.add(entry, fate)
        for inner in contained(entry) if holds_others else ():
            if id(inner.resource) not in refused:
                made.add(inner, _fate_within(entry, fate) or _fate(inner))
    return made.chart()


@dataclass(frozen=True, slots=True)
class _Fate:
    """Why a resource is not used: taken back by its source, not to be understood, or not there yet.

    Of one that is not there yet its name is used.
    """

    reason: str
    taken_back: bool
    awaited: bool = False


class _Made:
    """What has been made of the entries so far."""

    def __init__(
        self,
        files: Sequence[FhirFile],
        found: Current,
        *,
        zone: str | None,
        at: ClinicalTime | None,
    ) -> None:
        self.current = found
        self.zone, self.at = zone, at
        self.lookup = Lookup(
            (
                inner
                for e in found.entries
                for inner in ((e, *contained(e)) if "contained" in e.resource else (e,))
            ),
            lambda: _names(files),
        )
        self.facts: list[Fact] = []
        self.documents: list[Document] = []
        self.retracted = list(found.retracted)
        self.counts: dict[str, Counter[str]] = {f.file: Counter() for f in files}
        self.ignored: dict[str, Counter[str]] = {f.file: Counter() for f in files}
        self.problems = {f.file: list(f.problems) for f in files}

    def add(self, entry: Entry, fate: _Fate | None) -> None:
        """Add what one resource says, or why it is not used."""
        mapper = _MAPPERS.get(entry.type)
        if mapper is None:
            if entry.within is None:
                where = self.counts if entry.type in _SUPPORTING else self.ignored
                where[entry.file][entry.type] += 1
            return
        noted = self.problems[entry.file]
        if fate is not None and fate.taken_back:
            self.retracted.append(
                Retraction(
                    file=entry.file,
                    resource=entry.name,
                    reason=fate.reason,
                    facts=tuple(facts_taken_back(Source(entry, self.zone, self.lookup, []))),
                )
            )
            return
        if fate is not None and not fate.awaited:
            noted.append(f"{entry.name}: {fate.reason}")
            return
        before = len(noted)
        used = False
        plain = self.at is None and not (entry.within or entry).conflicting
        for made in self._said(entry, mapper, awaited=fate is not None):
            used = True
            if isinstance(made, Fact):
                self.facts.append(made if plain else _checked(made, entry, self.at))
            else:
                self.documents.append(made)
        if used or len(noted) == before:
            self.counts[entry.file][entry.type] += 1

    def _said(
        self, entry: Entry, mapper: Callable[[Source], Iterable[Fact | Document]], *, awaited: bool
    ) -> Iterator[Fact | Document]:
        """Yield what one resource says, and what it speaks of and does not hold."""
        source = Source(entry, self.zone, self.lookup, self.problems[entry.file])
        if not awaited:
            yield from mapper(source)
        if entry.type == "DiagnosticReport" or awaited or "hasMember" in entry.resource:
            yield from facts_awaited(source)

    def chart(self) -> Chart:
        """Return the whole."""
        return Chart(
            facts=with_superseded(self.facts, self.current.entries),
            documents=tuple(self.documents),
            retracted=tuple(sorted(self.retracted, key=lambda r: (r.file, r.resource, r.reason))),
            counts=self.counts,
            ignored=self.ignored,
            problems=self.problems,
            copies={file: tuple(sorted(of)) for file, of in self.current.copies.items()},
        )


def states_patient_facts(file: FhirFile) -> bool:
    """Return whether a file holds anything that would be said of a patient."""
    return any(entry.type == "Patient" or entry.type in _MAPPERS for entry in file.entries)


def _names(files: Sequence[FhirFile]) -> frozenset[str]:
    """Return the names of every resource there is, and of those that were deleted."""
    found: set[str] = set()
    for file in files:
        found.update(f"{d.type}/{d.id}" for d in file.deletions)
        for entry in file.entries:
            if entry.id is not None:
                found.add(f"{entry.type}/{entry.id}")
            if entry.full_url is not None:
                found.update((entry.full_url, short_reference(entry.full_url)))
    return frozenset(found)


def _fate(entry: Entry) -> _Fate | None:
    """Return why a resource is not used, or None where it is."""
    status = status_of(entry.resource)
    if is_taken_back(entry.type, status):
        return _Fate(status or "", taken_back=True)
    if entry.resource.get("modifierExtension") or entry.resource.get("implicitRules"):
        # FHIR R4 2.1.0.7: its known elements alone may say the opposite of what is meant
        return _Fate("carries a modifier extension that is not understood", taken_back=False)
    if is_about_no_patient(entry):
        return _Fate("is not about a patient", taken_back=False)
    if is_no_result_yet(entry.type, status):
        return _Fate(status or "", taken_back=False, awaited=True)
    return None


def _fate_within(outer: Entry, fate: _Fate | None) -> _Fate | None:
    """Return why a contained resource is not used: it exists only as a part of the other."""
    if fate is None or fate.awaited:
        return None
    if fate.taken_back:
        return _Fate(f"contained in {outer.name}, which is {fate.reason}", taken_back=True)
    return _Fate(f"contained in {outer.name}, which {fate.reason}", taken_back=False)


_NO_NEWER = "stated with different contents, and no version tells which is newer"


def _checked(fact: Fact, entry: Entry, at: ClinicalTime | None) -> Fact:
    whole = entry.within or entry
    if whole.conflicting:
        detail = whole.doubt or _NO_NEWER
        return withheld(fact, Why.CONFLICTING, detail, "conflicting-versions")
    if is_future(fact.finding.time, at):
        return withheld(fact, Why.FUTURE_TIME, "later than the moment of assessment", "future-time")
    return fact
