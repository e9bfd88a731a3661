"""Drafts of orders that a card offers for what is missing; somebody takes one up, and signs."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from agent.assessment import Assessment, Recommended
from knowledge.analytes import analytes
from knowledge.cds_cards import OrderRow, cds_cards
from serving.cds.card_model import Action, Suggestion
from serving.cds.reading import troponin_analyte

LOINC = "http://loinc.org"
_MOST = 4
_ACTIVE = ("draft", "active", "on-hold")


def drafts(
    assessment: Assessment,
    *,
    patient: str,
    encounter: str | None,
    now: datetime,
    ordered: frozenset[str] = frozenset(),
) -> tuple[Suggestion, ...]:
    """Return the drafts for what an assessment recommends, each order once.

    Args:
        assessment: What it is of.
        patient: FHIR id of the patient.
        encounter: FHIR id of the encounter, where it is known.
        now: The current moment.
        ordered: Keys of orders that are drafted already.
    """
    found: dict[str, Suggestion] = {}
    for row in assessment.recommendations:
        offer = cds_cards().suggestions.rows.get(row.id)
        if offer is None or offer.order in found or offer.order in ordered:
            continue
        order = cds_cards().orders[offer.order]
        resource = dict(_resource(order, row, assessment, patient, encounter, now))
        found[offer.order] = Suggestion(
            label=offer.label,
            isRecommended=True if offer.recommended else None,
            actions=(Action(type="create", description=_words(order, row), resource=resource),),
        )
    return tuple(found.values())[:_MOST]


def _resource(
    order: OrderRow,
    row: Recommended,
    assessment: Assessment,
    patient: str,
    encounter: str | None,
    now: datetime,
) -> Iterator[tuple[str, Any]]:
    """Yield the elements of a draft ServiceRequest of FHIR R4."""
    yield "resourceType", "ServiceRequest"
    yield "status", "draft"
    yield "intent", "proposal"
    yield "priority", "stat" if row.urgency.value == "immediate" else "urgent"
    yield "code", {"text": order.text, **_coding(order, assessment)}
    yield "subject", {"reference": f"Patient/{patient}"}
    if encounter is not None:
        yield "encounter", {"reference": f"Encounter/{encounter}"}
    yield "authoredOn", now.isoformat(timespec="seconds")
    if row.due is not None:
        yield "occurrenceDateTime", row.due.at.isoformat(timespec="seconds")


def _coding(order: OrderRow, assessment: Assessment) -> dict[str, Any]:
    if order.loinc is not None:
        code, display = order.loinc.code, order.loinc.display
        return {"coding": [{"system": LOINC, "code": code, "display": display}]}
    analyte = troponin_analyte(assessment)
    if analyte is None or analyte not in order.analytes:
        return {}
    code = next(iter(analytes().analytes[analyte].loinc))
    label = analytes().analytes[analyte].label
    return {"coding": [{"system": LOINC, "code": code, "display": label}]}


def _words(order: OrderRow, row: Recommended) -> str:
    due = f", due {row.due.at.isoformat(timespec='minutes')}" if row.due is not None else ""
    return f"Draft of an order: {order.text}{due}"
