"""Which services there are, and what each asks to be sent beforehand.

One id for each hook: clients that keep services by id alone would otherwise lose all but one.
Prefetch uses only what CDS Hooks 2.0 allows: read, type search by reference, ``_count``, ``_sort``.
"""

from typing import Any

from agent.assessment import RESEARCH_USE
from knowledge.model import Frozen
from serving.cds.protocol import Hook

SPECIFICATION = "2.0"
"""Version of CDS Hooks the services are written to; 3.0 clients read it, 2.0 clients ignore it."""


class Wanted(Frozen):
    """One prefetch key.

    Args:
        query: FHIR read or search, with the tokens of CDS Hooks.
        types: Resource types that may be in its result.
        newest_first: Whether one page of the newest is enough when it reaches further back than a
            presentation; the others are needed as a whole.
        what: What it is, in words.
    """

    query: str
    types: tuple[str, ...]
    newest_first: bool = False
    what: str

    @property
    def is_read(self) -> bool:
        """Whether it is the read of one resource, and no search."""
        return "?" not in self.query


_OF = "patient={{context.patientId}}"

PREFETCH: dict[str, Wanted] = {
    "patient": Wanted(
        query="Patient/{{context.patientId}}", types=("Patient",), what="the patient"
    ),
    "encounters": Wanted(
        query=f"Encounter?{_OF}&_sort=-date&_count=10",
        types=("Encounter",),
        newest_first=True,
        what="encounters",
    ),
    "conditions": Wanted(
        query=f"Condition?{_OF}&_sort=-recorded-date&_count=100",
        types=("Condition",),
        what="conditions",
    ),
    "observations": Wanted(
        query=f"Observation?{_OF}&_sort=-date&_count=100",
        types=("Observation",),
        newest_first=True,
        what="observations",
    ),
    "medications": Wanted(
        query=f"MedicationRequest?{_OF}&_sort=-authoredon&_count=100",
        types=("MedicationRequest",),
        what="medication requests",
    ),
    "procedures": Wanted(
        query=f"Procedure?{_OF}&_sort=-date&_count=50", types=("Procedure",), what="procedures"
    ),
    "reports": Wanted(
        query=f"DiagnosticReport?{_OF}&_sort=-date&_count=20",
        types=("DiagnosticReport",),
        newest_first=True,
        what="diagnostic reports",
    ),
}
"""The same for every service, so that what was sent for one hook is as complete as for another."""

NOT_READ = "Not read here: notes, images, and ECG recordings that are not in the workspace's case."


class Service(Frozen):
    """One service.

    Args:
        id: Unique.
        hook: Its hook.
        title: Short name.
        description: What it does.
    """

    id: str
    hook: Hook
    title: str
    description: str


_ASSESS = (
    "Deterministic assessment of acute chest pain: level, why, what is missing. Answers with a "
    "card where the data show acute chest pain, a troponin of this presentation, or a dangerous "
    "cause; with no card where there is none of these, or nothing new to say."
)
_ORDERS = (
    "Appropriateness of chest imaging orders in acute chest pain by the pathway's guideline cards: "
    "appropriate, less appropriate, or cannot be judged. Other orders are not looked at."
)

SERVICES: tuple[Service, ...] = (
    Service(
        id="chest-pain-patient-view",
        hook="patient-view",
        title="Epicrisis: acute chest pain",
        description=_ASSESS,
    ),
    Service(
        id="chest-pain-encounter-start",
        hook="encounter-start",
        title="Epicrisis: acute chest pain",
        description=_ASSESS,
    ),
    Service(
        id="chest-pain-order-select",
        hook="order-select",
        title="Epicrisis: chest imaging orders",
        description=_ORDERS,
    ),
    Service(
        id="chest-pain-order-sign",
        hook="order-sign",
        title="Epicrisis: chest imaging orders",
        description=_ORDERS,
    ),
)


def service(service_id: str) -> Service | None:
    """Return a service by id, or None."""
    return next((one for one in SERVICES if one.id == service_id), None)


def discovery(*, signed: bool) -> dict[str, Any]:
    """Return the discovery document.

    Args:
        signed: Whether clients must sign their calls; where not, only this machine may call.
    """
    access = (
        "Every call carries a signed JWT (ES384 or RS384)."
        if signed
        else "Test mode without signed calls: only programs on this machine are answered."
    )
    return {
        "services": [
            {
                "hook": one.hook,
                "id": one.id,
                "title": one.title,
                "description": one.description,
                "prefetch": {key: wanted.query for key, wanted in PREFETCH.items()},
                "usageRequirements": f"{RESEARCH_USE} {access}",
                "version": SPECIFICATION,
            }
            for one in SERVICES
        ]
    }
