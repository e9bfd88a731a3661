"""The cases a person may read, newest first, with what their newest assessment says."""

from dataclasses import dataclass
from datetime import datetime

from serving.access.errors import AlteredError
from serving.access.principal import Permission, Principal
from serving.cases.model import Case, StoredAssessment
from serving.services import Services
from serving.web.values import span
from serving.web.words import STATUS, URGENCY, Say, word

MOST = 50


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One case.

    Args:
        case: The case.
        stored: Its newest assessment; None where none was made.
        urgency, status: In words.
        age: How long ago it was made.
        problem: Why the newest assessment is not shown, where there is one.
    """

    case: Case
    stored: StoredAssessment | None
    urgency: str
    status: str
    age: str
    problem: str = ""


def case_list(services: Services, principal: Principal, say: Say) -> tuple[Listed, ...]:
    """Return the cases of the start page; what was shown is written to the audit."""
    if not principal.grants(Permission.READ_CASE):
        return ()
    cases = [
        case
        for case in services.cases.list(patient=principal.patient, limit=MOST)
        if principal.may(Permission.READ_CASE, patient=case.patient)
    ]
    services.audit.listed(principal, "case.listed", cases=cases)
    now = services.clock()
    return tuple(_listed(services, case, now, say) for case in cases)


def _listed(services: Services, case: Case, now: datetime, say: Say) -> Listed:
    problem = ""
    try:
        stored = services.cases.assessment(case.id)
    except AlteredError as error:
        stored, problem = None, f"{error.item}: {error.reason}"
    age = (now - case.created_at).total_seconds() / 60
    return Listed(
        case=case,
        stored=stored,
        urgency="" if stored is None else word(URGENCY, stored.urgency, say),
        status="" if stored is None else word(STATUS, stored.status, say),
        age=span(age, say),
        problem=problem,
    )
