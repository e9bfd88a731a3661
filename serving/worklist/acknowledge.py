"""Critical results of cases: raised with each version, acknowledged by a person, escalated."""

import logging
from collections.abc import Sequence
from datetime import datetime

from agent.assessment import Assessment
from knowledge.plain_text import visible
from serving.access.errors import ConflictError, ForbiddenError
from serving.access.principal import Permission, Principal
from serving.audit.seam import SERVICE
from serving.cases.model import Case, StoredAssessment
from serving.services import Services
from serving.signing.service import PEOPLE, signer_of
from serving.worklist.critical import critical, no_longer
from serving.worklist.model import Acknowledgement
from serving.worklist.store import AcknowledgementStore

logger = logging.getLogger(__name__)


def raise_critical(services: Services) -> None:
    """Raise the critical results of every new version, from now on."""

    def follow(
        case: Case, stored: StoredAssessment, before: StoredAssessment | None = None
    ) -> None:
        raise_of(services, case, stored)

    services.listeners.append(follow)


def raise_of(
    services: Services, case: Case, stored: StoredAssessment
) -> tuple[Acknowledgement, ...]:
    """Raise what is critical in a version and not known yet; return what was raised.

    May be called again for the same version.
    """
    assessment = Assessment.model_validate(stored.body)
    raised, gone = AcknowledgementStore(services.database, services.clock).follow(
        stored, critical(assessment), lambda known: no_longer(known, assessment)
    )
    for action, rows in (("critical.raised", raised), ("critical.changed", gone)):
        for row in rows:
            logger.info("%s %s, version %d", action, row.id, stored.version)
            detail = {"critical": row.id, "version": stored.version}
            services.audit.used(SERVICE, action, case=case, detail=detail)
    return raised


def acknowledge(
    services: Services, case: Case, identity: str, *, note: str, principal: Principal
) -> Acknowledgement:
    """Keep that a person knows a critical result, and return it.

    Raises:
        ForbiddenError: Whoever asks is no person known by name.
        NotFoundError: The case has no such result.
        ConflictError: Somebody else has acknowledged it.
    """
    if principal.via not in PEOPLE:
        raise ForbiddenError(f"{Permission.ACKNOWLEDGE.value} as {principal.via}: a person does")
    who = signer_of(principal)
    done, new = AcknowledgementStore(services.database, services.clock).acknowledge(
        case.id, identity, by=who.subject, name=who.name, note=visible(note)
    )
    if new:
        services.audit.used(
            principal, "critical.acknowledged", case=case, detail={"critical": identity}
        )
    return done


def acknowledge_all(
    services: Services,
    case: Case,
    identities: Sequence[str],
    *,
    note: str,
    principal: Principal,
) -> tuple[Acknowledgement, ...]:
    """Keep that a person knows each of these results of one case, and return them.

    Every one that is not somebody else's is kept, and audited by itself; then a conflict is told.

    Raises:
        ForbiddenError: Whoever asks is no person known by name.
        NotFoundError: The case has no such result.
        ConflictError: Somebody else has acknowledged one of them.
    """
    done: list[Acknowledgement] = []
    others: list[ConflictError] = []
    for identity in dict.fromkeys(identities):
        try:
            done.append(acknowledge(services, case, identity, note=note, principal=principal))
        except ConflictError as error:
            others.append(error)
    if others:
        raise others[0]
    return tuple(done)


def escalate(services: Services, now: datetime | None = None) -> tuple[Acknowledgement, ...]:
    """Put every unanswered critical result on its level; return those that went up.

    To be called every minute or so, from any number of processes: it does nothing twice.

    Args:
        services: Of the application.
        now: The moment to judge at; None for now.

    Raises:
        UnavailableError: The database cannot be used.
    """
    store = AcknowledgementStore(services.database, services.clock)
    moved = store.escalate(services.clock() if now is None else now)
    for row in moved:
        logger.warning("critical result %s not acknowledged: level %d", row.id, row.level)
        services.audit.used(
            SERVICE,
            "critical.escalated",
            case=services.cases.find(row.case),
            detail={"critical": row.id, "level": row.level},
        )
    return moved
