"""SMART backend services: a token for this service itself, by an assertion it signs."""

import secrets
import time
from pathlib import Path
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.access.compartment import fhir_base
from serving.access.outbound import OutboundClient, OutboundError
from serving.fhir_in.wanted import SEARCHES

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_VALID_S = 240
"""Of an assertion; the specification allows at most 300."""

_CURVE = "P-384"
_LEAST_BITS = 2048
Key = ECKey | RSAKey


def backend_scope() -> str:
    """Return the least scope that a pull needs."""
    types = ("Patient", *(wanted.type for wanted in SEARCHES))
    included = sorted({kind for wanted in SEARCHES for kind in wanted.included})
    return " ".join(f"system/{kind}.rs" for kind in (*types, *included))


def backend_token(settings: Settings, outbound: OutboundClient, base: str) -> SecretStr:
    """Return an access token of a FHIR server that this service is a client of.

    Args:
        settings: Which servers, under which name, with which key.
        outbound: Calls them.
        base: FHIR base address.

    Raises:
        InvalidValueError: The server is not configured, or the key cannot be used.
        UnavailableError: It gives no token.
    """
    clients = {fhir_base(address): name for address, name in settings.fhir_backends.items()}
    client = clients.get(fhir_base(base))
    if client is None:
        raise InvalidValueError(
            "FHIR server",
            "is not one that patients may be pulled from without a login",
            "the operator names it in EPICRISIS_FHIR_BACKENDS",
        )
    key = private_key(settings.fhir_backend_key)
    found = outbound.get_json(
        f"{fhir_base(base)}/.well-known/smart-configuration", purpose="SMART discovery"
    )
    endpoint = found.get("token_endpoint") if isinstance(found, dict) else None
    if not isinstance(endpoint, str):
        raise UnavailableError("FHIR server", "names no token endpoint", "ask its operator")
    form = {
        "grant_type": "client_credentials",
        "scope": backend_scope(),
        "client_assertion_type": ASSERTION,
        "client_assertion": _assertion(client, endpoint, key),
    }
    try:
        answer = outbound.post_form(endpoint, form, purpose="SMART token")
    except OutboundError as error:
        raise UnavailableError(
            "FHIR server",
            f"gave no token ({error.status or error.reason})",
            "see that this service's public key and scopes are registered there",
        ) from error
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise UnavailableError("FHIR server", "gave no token", "ask its operator")
    return SecretStr(token)


def private_key(path: Path | None) -> Key:
    """Return the key this service signs with.

    Raises:
        InvalidValueError: There is none, or it cannot be used for ES384 or RS384.
    """
    name = "EPICRISIS_FHIR_BACKEND_KEY"
    if path is None:
        raise InvalidValueError(name, "is not set", "name a file with a private key")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidValueError(name, "cannot be read", "correct the path") from error
    for kind in (ECKey, RSAKey):
        try:
            key: Key = kind.import_key(_material(content))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if key.is_private and _is_strong(key):
            return key
    raise InvalidValueError(
        name, "is no private EC P-384 or RSA key", "make one with openssl ecparam -name secp384r1"
    )


def public_keys(path: Path | None) -> dict[str, Any]:
    """Return the JSON Web Key Set that others check our assertions with; empty without a key.

    Raises:
        InvalidValueError: The key cannot be used.
    """
    if path is None:
        return {"keys": []}
    key = private_key(path)
    own = {"kid": key.thumbprint(), "alg": _algorithm(key), "use": "sig"}
    return {"keys": [{**key.as_dict(private=False), **own}]}


def _assertion(client: str, endpoint: str, key: Key) -> str:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": client,
        "sub": client,
        "aud": endpoint,
        "iat": now,
        "exp": now + _VALID_S,
        "jti": secrets.token_urlsafe(24),
    }
    algorithm = _algorithm(key)
    header = {"alg": algorithm, "kid": key.thumbprint(), "typ": "JWT"}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def _algorithm(key: Key) -> str:
    return "ES384" if isinstance(key, ECKey) else "RS384"


def _is_strong(key: Key) -> bool:
    if isinstance(key, ECKey):
        return key.curve_name == _CURVE
    return key.raw_value.key_size >= _LEAST_BITS


def _material(content: bytes) -> Any:
    return orjson.loads(content) if content.lstrip()[:1] == b"{" else content
