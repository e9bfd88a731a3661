"""MedicationRequest, MedicationStatement and MedicationAdministration to facts."""

from collections.abc import Iterator

from knowledge.finding import NotAssessed, State, Why
from knowledge.timeline import Category, Fact
from tools.intake.fhir.build import fact
from tools.intake.fhir.resources import CodeableConcept, Medication, MedicationResource
from tools.intake.fhir.source import Source, concept, validated

_OVER = frozenset({"completed", "stopped", "ended"})
_NOT_TAKEN = frozenset({"not-taken", "not-done"})
_NOT_YET = frozenset({"draft", "intended", "proposal", "plan", "option"})


def facts_of_medication(source: Source) -> Iterator[Fact]:
    """Yield the fact of a medication: ordered, taken or given; absent where said not to be taken.

    What is only intended or proposed is not assessed. What is over carries the flag ``past``.
    """
    resource = validated(source.entry, MedicationResource, source.problems)
    if resource is None:
        return
    named = _name(source, resource)
    if named is None:
        source.problems.append(f"{source.entry.name}: medication: not stated")
        return
    start, end = source.period(resource.effectivePeriod)
    state, why = State.PRESENT, None
    flags: tuple[str, ...] = ()
    if resource.status in _NOT_TAKEN or resource.doNotPerform:
        state = State.ABSENT
    elif resource.status in _NOT_YET or resource.intent in _NOT_YET:
        state = State.NOT_ASSESSED
        why = NotAssessed(why=Why.UNCONFIRMED, detail="only intended or proposed")
    if resource.status in _OVER:
        flags += ("past",)
    if resource.status not in (None, "active", "in-progress"):
        flags += (resource.status,)
    yield fact(
        Category.MEDICATION,
        concept(named, default="medication without a name"),
        state,
        place=source.evidence(f"{source.entry.type}.medication"),
        not_assessed=why,
        time=start or source.time(resource.effectiveDateTime or resource.authoredOn),
        flags=flags,
        end=end,
    )


def _name(source: Source, resource: MedicationResource) -> CodeableConcept | None:
    if resource.medicationCodeableConcept is not None:
        return resource.medicationCodeableConcept
    reference = resource.medicationReference
    if reference is None:
        return None
    entry = source.lookup.find(reference, source.entry)
    if entry is not None and entry.type == "Medication":
        medication = validated(entry, Medication, source.problems)
        if medication is not None and medication.code is not None:
            return medication.code
    return CodeableConcept(text=reference.display) if reference.display else None
