"""The EHR behind a request, for who pulls from it or writes back to it."""

from fastapi import Request

from serving.access.authentication import login_of
from serving.access.smart.protocol import LaunchContext, SmartContext
from serving.services import services_of


def smart_context(request: Request) -> SmartContext | None:
    """Return the launch that a request's login came by; None for every other login.

    Ask after the guard: it is the guard that authenticates.

    Args:
        request: The request.
    """
    login = login_of(request)
    if login is None or login.context is None:
        return None
    kept = LaunchContext.model_validate(login.context)
    valid = services_of(request).clock() < kept.token_expires_at
    return SmartContext(**dict(kept), access_token=login.token if valid else None)
