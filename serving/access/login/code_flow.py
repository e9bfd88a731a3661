"""The authorization-code flow with PKCE (RFC 6749, 7636) and the ID token (OpenID Connect Core).

authlib builds the request and checks the claims; every call goes through the outbound client.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from pydantic import Field, SecretStr, ValidationError

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.model import Frozen
from serving.access.address import is_loopback
from serving.access.errors import N_, UnauthenticatedError
from serving.access.jwt_keys import key_set
from serving.access.outbound import OutboundClient, OutboundError
from serving.access.secret import new_secret

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384"]
"""Of ID tokens: asymmetric ones alone."""

_LEEWAY_S = 30


class Provider(Frozen):
    """What a provider says of itself, checked.

    Args:
        issuer: As it stands in its ID tokens.
        authorization_endpoint: Where the browser is sent.
        token_endpoint: Where a code is exchanged.
        jwks_uri: Where its public keys are.
        end_session_endpoint: Where one logs out of it, where it has that.
        names_itself: Whether it sends ``iss`` back with the code (RFC 9207).
    """

    issuer: str = Field(min_length=1)
    authorization_endpoint: str = Field(min_length=1)
    token_endpoint: str = Field(min_length=1)
    jwks_uri: str = Field(min_length=1)
    end_session_endpoint: str | None = None
    names_itself: bool = False


class Begun(Frozen):
    """A request for a code: what the browser is sent to, and what is kept of it.

    Args:
        url: Where the browser goes.
        state: What must come back.
        verifier: PKCE code verifier.
        nonce: What the ID token must carry.
    """

    url: str
    state: str
    verifier: str
    nonce: str


class CodeClient(Frozen):
    """This service at a provider.

    Args:
        client_id: Its id there.
        secret: Its secret there; None for a public client.
        redirect_uri: Where the browser comes back to.
    """

    client_id: str
    secret: SecretStr | None = None
    redirect_uri: str


def provider_of(document: Any, what: str) -> Provider:
    """Return a discovery document as a provider.

    Args:
        document: As it was fetched.
        what: Whose, in messages.

    Raises:
        UnavailableError: Something that is needed is missing, or it cannot do PKCE with S256.
    """
    if not isinstance(document, dict):
        raise UnavailableError(what, "has no usable discovery document", "ask its operator")
    methods = document.get("code_challenge_methods_supported")
    if methods is not None and "S256" not in methods:
        raise UnavailableError(what, "does not offer PKCE with S256", "ask its operator")
    names = [name for name in Provider.model_fields if name != "names_itself"]
    taken = {name: document[name] for name in names if name in document}
    named = document.get("authorization_response_iss_parameter_supported") is True
    try:
        found = Provider.model_validate({**taken, "names_itself": named})
    except ValidationError as error:
        missing = ", ".join(str(one["loc"][0]) for one in error.errors())
        raise UnavailableError(
            what, f"its discovery lacks {missing}", "ask its operator"
        ) from error
    if not _for_browsers(found.authorization_endpoint):
        raise UnavailableError(what, "its login is not https", "ask its operator")
    return found


def begin(
    provider: Provider, client: CodeClient, *, scope: str, extra: Mapping[str, str] | None = None
) -> Begun:
    """Return where to send the browser.

    Args:
        provider: To whom.
        client: This service there.
        scope: What is asked for.
        extra: Further parameters (``aud``, ``launch``).
    """
    state, verifier, nonce = new_secret(), new_secret(), new_secret()
    url = prepare_grant_uri(
        provider.authorization_endpoint,
        client_id=client.client_id,
        response_type="code",
        redirect_uri=client.redirect_uri,
        scope=scope,
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **(extra or {}),
    )
    return Begun(url=url, state=state, verifier=verifier, nonce=nonce)


def exchange(
    provider: Provider, client: CodeClient, outbound: OutboundClient, *, code: str, verifier: str
) -> dict[str, Any]:
    """Return the token response for a code.

    Raises:
        UnauthenticatedError: The provider does not take the code.
        UnavailableError: The provider does not answer as it should.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "client_id": client.client_id,
        "code_verifier": verifier,
    }
    try:
        answer = outbound.post_form(
            provider.token_endpoint, form, headers=_credentials(client), purpose="login"
        )
    except OutboundError as error:
        if error.status in (400, 401, 403):
            raise UnauthenticatedError(N_("the login was not accepted by its provider")) from error
        raise
    if not isinstance(answer, dict) or str(answer.get("token_type", "")).lower() != "bearer":
        raise UnavailableError("login", "the provider gave no bearer token", "ask its operator")
    return answer


def identity(
    answer: Mapping[str, Any],
    provider: Provider,
    client: CodeClient,
    outbound: OutboundClient,
    *,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the claims of the ID token of a token response.

    Raises:
        UnauthenticatedError: There is none, or it is not valid.
        UnavailableError: The provider's keys cannot be fetched.
    """
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise UnauthenticatedError(N_("the provider named nobody"))
    keys = key_set(outbound.get_json(provider.jwks_uri, purpose="login"))
    try:
        decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": client.client_id},
                "sub": {"essential": True},
            },
            {
                "nonce": nonce,
                "client_id": client.client_id,
                "access_token": answer.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_S)
    except (JoseError, ValueError, TypeError) as error:
        raise UnauthenticatedError(N_("the proof of the provider is not valid")) from error
    return dict(claims)


def check_sender(provider: Provider, iss: str | None) -> None:
    """Refuse a code that another provider sent (RFC 9207).

    Raises:
        UnauthenticatedError: It names another, or none although it always does.
    """
    if iss != provider.issuer and (iss is not None or provider.names_itself):
        raise UnauthenticatedError(N_("the login comes from another provider"))


def _credentials(client: CodeClient) -> dict[str, str]:
    if client.secret is None:
        return {}
    pair = f"{quote(client.client_id, safe='')}:{quote(client.secret.get_secret_value(), safe='')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _for_browsers(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise InvalidValueError("authorization endpoint", "is no address") from error
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
