"""Checks a signed token (JWT) of another system: who, for whom, how long, and never twice.

As SMART backend services (``private_key_jwt``) and CDS Hooks ask: ES384 or RS384, `aud` exactly the
address that was called, at most five minutes, each `jti` once.
"""

import json
import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from serving.access.errors import UnauthenticatedError
from serving.access.jwt_keys import Issuers, TrustedIssuer
from serving.access.secret import digest
from serving.access.tables import SeenTokenRow
from serving.storage.database import Database

logger = logging.getLogger(__name__)

ALGORITHMS = ("ES384", "RS384")
"""Both that SMART App Launch 2.2 requires of servers; nothing weaker, nothing symmetric."""

LONGEST_S = 300
"""Seconds between `iat` and `exp`. SMART App Launch 2.2: no more than five minutes."""

LEEWAY_S = 30
"""Seconds by which two clocks may differ."""

_LONGEST_TOKEN = 8192
_LONGEST_ID = 256


def verify(
    token: str,
    *,
    audience: str,
    issuers: Issuers,
    database: Database,
    clock: Callable[[], datetime],
) -> dict[str, Any]:
    """Return the claims of a token, which is then used up.

    Args:
        token: As it was sent.
        audience: Exact address that was called, from `serving.access.address.public_base`.
        issuers: Who is trusted.
        database: Keeps which were seen.
        clock: The current moment.

    Raises:
        UnauthenticatedError: It is not valid; the log says why, the answer does not.
        UnavailableError: The keys or the database cannot be reached, so nothing is known.
    """
    try:
        header, unchecked = _read(token)
        issuer = issuers.get(_text(unchecked, "iss"))
        if issuer is None:
            raise _Refused("an issuer that is not known")
        claims = _signed(token, header, issuer)
        _check(claims, audience, clock())
    except (_Refused, JoseError) as error:
        reason = str(error) if isinstance(error, _Refused) else type(error).__name__
        logger.info("a signed token was refused: %s", reason)
        raise UnauthenticatedError from error
    _use_up(claims, database, clock())
    return claims


class _Refused(Exception):
    """Why a token is not valid; carries nothing of it."""


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims as they stand there, not yet to be believed."""
    if len(token) > _LONGEST_TOKEN or not token.isascii():
        raise _Refused("too long")
    try:
        found = jws.extract_compact(token.encode())
        claims = json.loads(found.payload or b"")
    except (ValueError, RecursionError) as error:
        raise _Refused("not a token") from error
    if not isinstance(claims, dict):
        raise _Refused("not a token")
    return dict(found.headers()), claims


def _signed(token: str, header: dict[str, Any], issuer: TrustedIssuer) -> dict[str, Any]:
    if header.get("alg") not in ALGORITHMS:
        raise _Refused("an algorithm that is not taken")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise _Refused("not of type JWT")
    if "jku" in header and issuer.jku is not None and header["jku"] != issuer.jku:
        raise _Refused("an address of keys that is not on the list")
    kid = header.get("kid")
    keys = issuer.keys.find(kid if isinstance(kid, str) else None)
    return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims


def _check(claims: dict[str, Any], audience: str, now: datetime) -> None:
    """Check what was signed; `jwt.decode` alone takes a token that has expired."""
    seconds = int(now.timestamp())
    jwt.JWTClaimsRegistry(
        now=seconds,
        leeway=LEEWAY_S,
        iss={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    ).validate(claims)
    if claims.get("aud") not in (audience, [audience]):
        raise _Refused("meant for another address")
    if not (math.isfinite(claims["exp"]) and math.isfinite(claims["iat"])):
        raise _Refused("no usable time")
    if claims["exp"] - claims["iat"] > LONGEST_S:
        raise _Refused("valid for too long")
    if claims["iat"] > seconds + LEEWAY_S:
        raise _Refused("from the future")
    _text(claims, "jti")


def _use_up(claims: dict[str, Any], database: Database, now: datetime) -> None:
    """Keep the token's id until it has expired; a second use is refused."""
    expires = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=LEEWAY_S)
    row = SeenTokenRow(
        id=digest(json.dumps([claims["iss"], claims["jti"]])),
        expires_at=expires + timedelta(seconds=1),
    )
    try:
        with database.transaction() as session:
            session.execute(delete(SeenTokenRow).where(SeenTokenRow.expires_at < now))
            session.add(row)
    except IntegrityError as error:
        logger.warning("a signed token was refused: it was used before")
        raise UnauthenticatedError from error


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        raise _Refused(f"no usable {name}")
    return value
