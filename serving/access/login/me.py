"""``GET /v1/me``: who is logged in."""

from fastapi import APIRouter, Request

from serving.access.authentication import login_of
from serving.access.guard import PrincipalDep
from serving.access.login.protocol import WhoAmI, who

router = APIRouter(prefix="/v1/me", tags=["access"])


@router.get("")
def me(request: Request, principal: PrincipalDep) -> WhoAmI:
    """Return who is logged in and what they may do."""
    login = login_of(request)
    return who(principal, None if login is None else login.expires_at)
