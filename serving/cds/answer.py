"""What there is to say to one call: the assessment's card, and one for each imaging order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.assessment import Assessment, Status
from knowledge.rules import Answer
from serving.cds.card_model import Link
from serving.cds.cards import Made, assessment_card, refused_card
from serving.cds.drafts import drafts
from serving.cds.gathered import Gap
from serving.cds.order_appropriateness import Judged, card_of, judge, orders_in, recognised
from serving.cds.protocol import Context, OrderSelect, OrderSign
from serving.cds.reading import answers_of, read, speaks


@dataclass(frozen=True, kw_only=True)
class Told:
    """To whom, and about whom.

    Args:
        patient, encounter: FHIR ids.
        now: The current moment.
        links: Where the cards lead.
    """

    patient: str
    encounter: str | None
    now: datetime
    links: Sequence[Link]


@dataclass(frozen=True, kw_only=True)
class Orders:
    """The orders of a call.

    Args:
        resources: Those that are looked at.
        kinds: The kinds of imaging order among them.
    """

    resources: tuple[dict[str, Any], ...]
    kinds: tuple[str, ...]


def orders_of(context: Context) -> Orders | None:
    """Return the orders of an order hook; None for another hook."""
    if not isinstance(context, OrderSign):
        return None
    selections = context.selections if isinstance(context, OrderSelect) else None
    found = orders_in(context.draftOrders, selections)
    return Orders(resources=tuple(found), kinds=recognised(found))


def cards_of(
    assessment: Assessment, gaps: Sequence[Gap], *, orders: Sequence[str] | None, told: Told
) -> tuple[Made, ...]:
    """Return every card there is; which of them are shown is decided elsewhere.

    Args:
        assessment: The result.
        gaps: What could not be read.
        orders: Kinds of imaging order, for an order hook; None for another hook.
        told: To whom.
    """
    if assessment.status is Status.REFUSED:
        return (refused_card(assessment.reason, links=told.links),)
    answers = answers_of(assessment)
    if not gaps and not speaks(assessment):
        return ()
    ordered = frozenset(orders or ())
    whole = assessment_card(
        assessment,
        read(assessment, answers),
        suggestions=drafts(
            assessment,
            patient=told.patient,
            encounter=told.encounter,
            now=told.now,
            ordered=ordered,
        ),
        links=told.links,
        gaps=gaps,
    )
    if orders is None:
        return (whole,)
    about = tuple(_about(key, assessment, answers, gaps, told) for key in orders)
    return (whole, *about) if whole.is_critical else about


def _about(
    key: str,
    assessment: Assessment,
    answers: Mapping[str, Answer],
    gaps: Sequence[Gap],
    told: Told,
) -> Made:
    """Return the card about one order; from data that are not whole nothing is judged."""
    if gaps:
        unread = ", ".join(gap.what for gap in gaps)
        judged = Judged(
            key=key, verdict="cannot be judged", instead=f"Could not be read: {unread}."
        )
    else:
        judged = judge(key, answers)
    return card_of(judged, assessment, links=told.links)
