"""Condition to a fact: the problem list, with what is refuted, unconfirmed or over."""

from collections.abc import Iterator

from knowledge.clinical_time import ClinicalTime
from knowledge.finding import NotAssessed, State, Why
from knowledge.timeline import Category, Fact
from tools.intake.fhir.build import fact
from tools.intake.fhir.resources import ConditionResource
from tools.intake.fhir.source import Source, concept, first_code, site_words, validated

_PAST = frozenset({"inactive", "remission", "resolved"})
_ACTIVE = frozenset({"active", "recurrence", "relapse"})
_UNSURE = frozenset({"unconfirmed", "provisional", "differential"})


def facts_of_condition(source: Source) -> Iterator[Fact]:
    """Yield the fact of a Condition.

    Refuted is absent. Unconfirmed, provisional and differential are not assessed: a suspicion is
    neither a disease nor its absence. One that is over is present with the flag ``past``.
    """
    resource = validated(source.entry, ConditionResource, source.problems)
    if resource is None:
        return
    if resource.code is None:
        source.problems.append(f"{source.entry.name}: code: not stated")
        return
    clinical = first_code(resource.clinicalStatus)
    verification = first_code(resource.verificationStatus)
    start, _ = source.period(resource.onsetPeriod)
    end, ended = _end(source, resource)
    state, why = State.PRESENT, None
    flags: tuple[str, ...] = ()
    if verification == "refuted":
        state = State.ABSENT
    elif verification in _UNSURE:
        state = State.NOT_ASSESSED
        why = NotAssessed(why=Why.UNCONFIRMED, detail=f"charted as {verification} only")
        flags += ("unconfirmed",)
    if clinical in _PAST or (clinical not in _ACTIVE and ended):
        flags += ("past", *([clinical] if clinical in _PAST else []))
    yield fact(
        Category.CONDITION,
        concept(resource.code, default="condition without a name"),
        state,
        place=source.evidence("Condition.code"),
        not_assessed=why,
        time=start or source.time(resource.onsetDateTime or resource.recordedDate),
        body_site=site_words(resource.bodySite),
        flags=flags,
        end=end,
    )


def _end(source: Source, resource: ConditionResource) -> tuple[ClinicalTime | None, bool]:
    """Return when the condition ended where known, and whether an end is stated in any form."""
    _, end = source.period(resource.abatementPeriod)
    end = end or source.time(resource.abatementDateTime)
    if end is not None:
        return end, True
    otherwise = (resource.abatementAge, resource.abatementRange, resource.abatementString)
    return None, otherwise != (None, None, None)
