"""Who asks a pool: whose tokens it uses, which conversation keeps its model, which case its server.

A model that is no pool is the same for everybody.
"""

from typing import Protocol, runtime_checkable

from agent.llm.seam import LLM, Urgency
from knowledge.model import Frozen


class Caller(Frozen):
    """Who asks.

    Args:
        tenant: Name of a tenant or FHIR base address of the patient's hospital; empty where it is
            not known.
        conversation: Id of the run or talk: one model answers all of it. Empty for a single call.
        case: Id of the case: its requests go to one server while that is healthy, which has the
            beginning of its prompts in memory. Empty for none.
        urgency: Of every request that does not say that it is more or less urgent itself.
        patient_data: Whether the requests carry patient data.
        pinned: Model that has answered this conversation before, where that is known.
    """

    tenant: str = ""
    conversation: str = ""
    case: str = ""
    urgency: Urgency | None = None
    patient_data: bool = True
    pinned: str = ""


@runtime_checkable
class CallerAware(Protocol):
    """A model that wants to know who asks."""

    def for_caller(self, caller: Caller) -> LLM:
        """Return the same model, asked by this caller."""
        ...


def asked_by(llm: LLM, caller: Caller) -> LLM:
    """Return the model as this caller asks it."""
    return llm.for_caller(caller) if isinstance(llm, CallerAware) else llm
