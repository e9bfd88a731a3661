"""Who asks the language model in the service's name: tenant, conversation and urgency of a case."""

from typing import TYPE_CHECKING

from agent.llm.pool.caller import Caller
from agent.llm.seam import Urgency
from knowledge.pathways import Urgency as Acting
from serving.access.compartment import fhir_base
from serving.access.errors import AlteredError
from serving.cases.model import Case

if TYPE_CHECKING:
    from serving.services import Services


def caller_for(
    case: Case, *, conversation: str, urgency: Urgency | None = None, pinned: str = ""
) -> Caller:
    """Return who asks for a case.

    Its tenant is the hospital whose FHIR server its patient is of; a case that was sent as files is
    of no hospital that is known, and so of ``everyone_else``.

    Args:
        case: The case.
        conversation: Id of the run or talk, which keeps its model.
        urgency: Of its requests; None where each says its own, as those of a run do.
        pinned: Model that has answered this conversation before.
    """
    base, bar, _ = (case.patient or "").partition("|")
    return Caller(
        tenant=fhir_base(base) if bar else "",
        conversation=conversation,
        case=case.id,
        urgency=urgency,
        pinned=pinned,
    )


def urgency_of(services: "Services", case: Case) -> Urgency:
    """Return how urgent the requests of a case are: as its newest assessment says.

    An assessment that was changed since it was kept says nothing.
    """
    try:
        newest = services.cases.assessment(case.id)
    except AlteredError:
        return "routine"
    acting = newest.urgency if newest is not None else ""
    return "emergency" if acting == Acting.IMMEDIATE.value else "routine"
