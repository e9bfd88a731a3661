"""``GET /v1/audit``: the events, for who runs the service. Looking is an event too."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from serving.access.errors import ForbiddenError
from serving.access.guard import allowed
from serving.access.principal import Permission, Principal
from serving.audit.export import entries
from serving.audit.protocol import AuditPage
from serving.services import ServicesDep

router = APIRouter(prefix="/v1", tags=["audit"])

_LARGEST = 1 << 62


@router.get("/audit", response_model_exclude_none=True)
def audit_page(
    principal: Annotated[Principal, Depends(allowed(Permission.READ_AUDIT))],
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, le=_LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    case: Annotated[str | None, Query(max_length=80)] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    action: Annotated[str | None, Query(max_length=80)] = None,
) -> AuditPage:
    """Return events after a place in the chain, in order.

    A token of one patient is refused: the events name all patients.
    """
    if principal.patient is not None or principal.tenants is not None:
        services.audit.refused(principal, Permission.READ_AUDIT.value, case=None)
        raise ForbiddenError(Permission.READ_AUDIT.value)
    services.audit.used(principal, "audit.listed", case=None)
    found = entries(
        services.database,
        after=after,
        limit=limit + 1,
        case=_clean(case),
        subject=_clean(subject),
        action=_clean(action),
    )
    page = found[:limit]
    return AuditPage(entries=page, next=page[-1].sequence if len(found) > limit else None)


def _clean(text: str | None) -> str | None:
    """Return what a database can be asked for: PostgreSQL takes no NUL."""
    return None if text is None else text.replace("\x00", "")
