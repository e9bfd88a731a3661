"""Errors of the service itself: who may not, what is not there, what comes too often.

::

    EpicrisisError
    +-- ServiceError
        +-- UnauthenticatedError   401  nobody is named, or the proof is not valid
        +-- ForbiddenError         403  named, but may not
        +-- NotFoundError          404  not there, or not for this token
        +-- ConflictError          409  the state has changed meanwhile
        +-- PreconditionError      412  a hook was called without data and without a token
        `-- TooManyError           429  over a limit; says when to come back

    UnavailableError
    `-- AlteredError               500  what was kept is not what was written; nothing is shown
"""

from knowledge.errors import EpicrisisError, UnavailableError


def N_(text: str) -> str:
    """Mark a reason for the catalogue of translations and return it as it is."""
    return text


class ServiceError(EpicrisisError):
    """A request cannot be answered as it was made."""


class UnauthenticatedError(ServiceError):
    """Nobody is named, or the proof is not valid; the message never says which part."""

    def __init__(self, reason: str = "no valid login or token") -> None:
        super().__init__("request", reason, "log in, or send a valid bearer token")


class ForbiddenError(ServiceError):
    """Somebody is named but may not do this."""

    def __init__(self, permission: str) -> None:
        super().__init__("request", f"not allowed: {permission}", "ask for a role that allows it")


class NotFoundError(ServiceError):
    """It is not there, or not for this token."""

    def __init__(self, item: str) -> None:
        super().__init__(item, "is not known here", "check the address")


class ConflictError(ServiceError):
    """The state has changed since it was read."""


class PreconditionError(ServiceError):
    """What the request needs was neither sent nor may be fetched."""


class TooManyError(ServiceError):
    """Over a limit.

    Args:
        item: What there is too much of.
        reason: The limit.
        retry_after_s: Seconds after which it may be tried again.
    """

    def __init__(self, item: str, reason: str, *, retry_after_s: int) -> None:
        super().__init__(item, reason, f"try again after {retry_after_s} s")
        self.retry_after_s = retry_after_s


class AlteredError(UnavailableError):
    """What was kept is not what was written: somebody or something changed it; it is not shown.

    Args:
        item: What: a version of a case.
        reason: In which way.
    """

    def __init__(self, item: str, reason: str) -> None:
        super().__init__(
            item,
            f"{reason}; it is not shown",
            "tell the operator: `epicrisis audit verify` names it, a backup has it as it was; "
            "assessing the case again makes a new version of what its files say",
        )
