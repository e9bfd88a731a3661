"""The token endpoint's messages (RFC 6749, RFC 7523)."""

from typing import Literal

from knowledge.model import Frozen

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

ErrorCode = Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]


class TokenResponse(Frozen):
    """A token.

    Args:
        access_token: Opaque; only this service reads it.
        token_type: How it is sent.
        expires_in: Seconds it is valid.
        scope: What it allows.
    """

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    scope: str


class TokenError(Frozen):
    """Why there is none, in the words of RFC 6749, 5.2.

    Args:
        error: Its code.
        error_description: For the operator of the client.
    """

    error: ErrorCode
    error_description: str
