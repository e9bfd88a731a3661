"""What a router asks for: who is there, and whether they may. Everything else is refused."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from knowledge.plain_text import visible
from serving.access.browser import read_form_csrf
from serving.access.errors import ForbiddenError, NotFoundError
from serving.access.principal import Permission, Principal
from serving.cases.model import Case
from serving.services import Services, ServicesDep

_LONGEST_ID = 80
"""Characters of an id that are looked up and audited; ours are shorter."""


def current_principal(
    request: Request, services: ServicesDep, form: Annotated[None, Depends(read_form_csrf)]
) -> Principal:
    """Return who asks.

    Args:
        request: The request.
        services: Of the application.
        form: Its token was noted in the request before.

    Raises:
        UnauthenticatedError: Nobody is logged in and there is no valid token.
    """
    return services.authenticate(request)


PrincipalDep = Annotated[Principal, Depends(current_principal)]


def allowed(permission: Permission) -> Callable[[PrincipalDep, ServicesDep], Principal]:
    """Return a dependency that lets through whom the permission is granted, for no patient's data.

    Raises:
        ForbiddenError: From the dependency: it is not granted.
    """

    def check(principal: PrincipalDep, services: ServicesDep) -> Principal:
        if not principal.grants(permission):
            services.audit.refused(principal, permission.value, case=None)
            raise ForbiddenError(permission.value)
        return principal

    return check


def allowed_case(permission: Permission) -> Callable[[str, PrincipalDep, ServicesDep], Case]:
    """Return a dependency on the path parameter ``case_id`` that gives the case, where granted.

    A case of another patient is answered as one that does not exist: its existence is not told.
    Every use is written to the audit before anything is returned.

    Raises:
        NotFoundError: From the dependency: no such case, or not of this patient.
        ForbiddenError: From the dependency: the role does not allow it.
    """

    def check(case_id: str, principal: PrincipalDep, services: ServicesDep) -> Case:
        return authorize_case(services, principal, permission, case_id)

    return check


def allowed_pictures(permission: Permission) -> Callable[[str, PrincipalDep, ServicesDep], Case]:
    """Return a dependency as `allowed_case`, for the pictures that one page is made of.

    Every one is checked and every refusal audited; their use is audited once for each person and
    case within five minutes: a slide has thousands of tiles.

    Raises:
        NotFoundError: From the dependency: no such case, or not of this patient.
        ForbiddenError: From the dependency: the role does not allow it.
    """

    def check(case_id: str, principal: PrincipalDep, services: ServicesDep) -> Case:
        return authorize_case(services, principal, permission, case_id, pictures=True)

    return check


def authorize_case(
    services: Services,
    principal: Principal,
    permission: Permission,
    case_id: str,
    *,
    pictures: bool = False,
) -> Case:
    """Return the case, where this principal may do this to it; audited.

    Args:
        services: Of the application.
        principal: Who asks.
        permission: What for.
        case_id: The case.
        pictures: Whether it is one of many pictures, as in `allowed_pictures`.

    Raises:
        NotFoundError: No such case, or not of the patient the token is for.
        ForbiddenError: The role or the token's scopes do not allow it.
    """
    case_id = visible(case_id)[:_LONGEST_ID]
    if not principal.grants(permission):
        services.audit.refused(principal, permission.value, case=case_id)
        raise ForbiddenError(permission.value)
    case = services.cases.find(case_id)
    if case is None or not principal.may(permission, patient=case.patient):
        services.audit.refused(principal, permission.value, case=case_id)
        raise NotFoundError(f"case {case_id}")
    key = (principal.via, principal.subject, permission, case.id)
    if not pictures or services.pictures_seen.is_first(key, services.clock()):
        services.audit.used(principal, permission.value, case=case)
    return case
