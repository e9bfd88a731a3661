"""Procedure and Encounter to facts."""

from collections.abc import Iterator

from knowledge.codes import Concept
from knowledge.finding import NotAssessed, State, Why
from knowledge.timeline import Category, Fact
from tools.intake.fhir.build import fact
from tools.intake.fhir.resources import NONE, CodeableConcept, EncounterResource, ProcedureResource
from tools.intake.fhir.source import Source, concept, site_words, validated

_PLANNED = frozenset({"preparation", "planned", "on-hold"})


def facts_of_procedure(source: Source) -> Iterator[Fact]:
    """Yield the fact of a Procedure: not done is absent, planned is not assessed."""
    resource = validated(source.entry, ProcedureResource, source.problems)
    if resource is None:
        return
    start, end = source.period(resource.performedPeriod)
    state, why = _state(resource.status)
    yield fact(
        Category.PROCEDURE,
        concept(resource.code, default="procedure without a name"),
        state,
        place=source.evidence("Procedure.code"),
        not_assessed=why,
        time=start or source.time(resource.performedDateTime),
        body_site=site_words(resource.bodySite),
        flags=(resource.status,) if resource.status not in ("completed", None) else (),
        end=end,
    )


def facts_of_encounter(source: Source) -> Iterator[Fact]:
    """Yield the fact of an Encounter with its period."""
    resource = validated(source.entry, EncounterResource, source.problems)
    if resource is None:
        return
    start, end = source.period(resource.period)
    state, why = _state(resource.status)
    yield fact(
        Category.ENCOUNTER,
        _encounter_concept(resource),
        state,
        place=source.evidence("Encounter.period"),
        not_assessed=why,
        time=start,
        flags=(resource.status,) if resource.status not in ("finished", None) else (),
        end=end,
    )


def _encounter_concept(resource: EncounterResource) -> Concept:
    kind = resource.class_
    if resource.type:
        stated = resource.type[0]
    else:
        stated = CodeableConcept(coding=[kind] if kind is not None and kind.code else NONE)
    return concept(stated, default="encounter")


def _state(status: str | None) -> tuple[State, NotAssessed | None]:
    if status == "not-done":
        return State.ABSENT, None
    if status in _PLANNED:
        detail = "planned, not done"
        return State.NOT_ASSESSED, NotAssessed(why=Why.UNCONFIRMED, detail=detail)
    return State.PRESENT, None
