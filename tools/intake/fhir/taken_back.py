"""What a record was about that its source took back: its name and its time, never its value.

A result that was cancelled or entered in error is no result. That there was one is told, so that
nobody waits for it, or goes on relying on a value that was seen before.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from knowledge.finding import Why
from knowledge.timeline import Document, Fact
from tools.intake.fhir.awaited import facts_awaited
from tools.intake.fhir.observation import facts_of_observation
from tools.intake.fhir.source import Source
from tools.intake.fhir.version import status_of
from tools.intake.withhold import withheld

TAKEN_BACK = "taken-back"
"""Flag of a result that its source took back."""

_STATUS = {"Observation": "unknown", "DiagnosticReport": "registered"}
"""A status under which a record that was taken back is read for its name and time."""


def facts_taken_back(source: Source) -> Iterator[Fact]:
    """Yield what a result or report was about, not assessed and without its value.

    Args:
        source: The record; problems inside it are those of a record that is not used.
    """
    entry = source.entry
    status = _STATUS.get(entry.type)
    if status is None:
        return
    named: dict[str, Any] = {**entry.resource, "status": status}
    open_ = replace(source, entry=replace(entry, resource=named))
    said: Iterable[Fact | Document] = (
        facts_of_observation(open_) if entry.type == "Observation" else facts_awaited(open_)
    )
    detail = f"{status_of(entry.resource) or 'taken back'} by its source"
    for made in said:
        if isinstance(made, Fact):
            fact = withheld(made, Why.RETRACTED, detail, TAKEN_BACK)
            plain = fact.finding.model_copy(update={"reported": None, "flags": (TAKEN_BACK,)})
            yield fact.model_copy(update={"finding": plain})
