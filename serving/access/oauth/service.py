"""Gives a system a token for a signed assertion (client_credentials with private_key_jwt)."""

from serving.access.address import public_base
from serving.access.authentication import Authenticator
from serving.access.clients import Client
from serving.access.errors import UnauthenticatedError
from serving.access.jwt_bearer import verify
from serving.access.oauth.protocol import ASSERTION_TYPE, TokenError, TokenResponse
from serving.access.scopes import parse_scopes
from serving.services import Services

TOKEN = "/oauth/token"  # noqa: S105 - a path


def issue(
    services: Services,
    access: Authenticator,
    *,
    grant_type: str,
    assertion_type: str,
    assertion: str,
    scope: str,
) -> TokenResponse | TokenError:
    """Return a token, or why there is none.

    Args:
        services: Of the application.
        access: Its authenticator.
        grant_type: Must be ``client_credentials``.
        assertion_type: Must be that of a JWT.
        assertion: The signed assertion: `iss` and `sub` the client, `aud` this endpoint.
        scope: What is asked for; at least one, and nothing beyond what the client may have.

    Raises:
        UnavailableError: The client's keys or the database cannot be reached.
    """
    if grant_type != "client_credentials":
        return TokenError(
            error="unsupported_grant_type", error_description="only client_credentials"
        )
    if assertion_type != ASSERTION_TYPE:
        return TokenError(error="invalid_request", error_description="only private_key_jwt")
    client = _proven(services, access, assertion)
    if client is None:
        return TokenError(error="invalid_client", error_description="the assertion is not valid")
    asked = parse_scopes(scope)
    if not scope.split() or asked.other or not parse_scopes(client.scopes).covers(asked):
        return TokenError(
            error="invalid_scope", error_description="ask for registered scopes, at least one"
        )
    granted = " ".join(scope.split())
    return TokenResponse(
        access_token=access.tokens.issue(client.client_id, granted),
        expires_in=access.tokens.valid_s,
        scope=granted,
    )


def _proven(services: Services, access: Authenticator, assertion: str) -> Client | None:
    try:
        claims = verify(
            assertion,
            audience=public_base(services.settings) + TOKEN,
            issuers=access.issuers,
            database=services.database,
            clock=services.clock,
        )
    except UnauthenticatedError:
        return None
    if claims.get("sub") != claims["iss"]:
        return None
    return access.clients.find(claims["iss"])
