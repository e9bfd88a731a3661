"""Public keys of who signs tokens: from the operator's file, or fetched from where they publish."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from knowledge.errors import InvalidValueError
from serving.access.clients import Client, ClientRegistry
from serving.access.outbound import OutboundClient

_FRESH = timedelta(minutes=10)
"""How long fetched keys are used: a key that was withdrawn is trusted no longer than this."""

_PAUSE = timedelta(minutes=1)
"""Least time between two fetches because of a key id that is not known: anybody can name one."""


class Keys(Protocol):
    """Gives the public keys of somebody."""

    def find(self, kid: str | None) -> KeySet:
        """Return the keys, fetched again where this key id is not among them.

        Raises:
            UnavailableError: They cannot be fetched.
            InvalidValueError: They are no keys.
        """
        ...


class FixedKeys:
    """Keys that were given by the operator.

    Args:
        jwks: The JSON Web Key Set.

    Raises:
        InvalidValueError: It is none.
    """

    def __init__(self, jwks: dict[str, Any]) -> None:
        self._keys = key_set(jwks)

    def find(self, kid: str | None) -> KeySet:
        """Return the keys."""
        return self._keys


class FetchedKeys:
    """Keys that are published at an address.

    Args:
        url: The address; it must be one that may be called.
        outbound: Calls it.
        clock: The current moment.
    """

    def __init__(self, url: str, outbound: OutboundClient, clock: Callable[[], datetime]) -> None:
        self._url = url
        self._outbound = outbound
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched_at: datetime | None = None

    def find(self, kid: str | None) -> KeySet:
        """Return the keys, as `Keys.find`."""
        with self._lock:
            now = self._clock()
            age = None if self._fetched_at is None else now - self._fetched_at
            known = self._keys is not None and _has(self._keys, kid)
            if self._keys is None or age is None or age >= (_FRESH if known else _PAUSE):
                body = self._outbound.get_json(self._url, purpose="public keys")
                self._keys = key_set(body)
                self._fetched_at = now
            return self._keys


@dataclass(frozen=True, kw_only=True)
class TrustedIssuer:
    """Somebody whose signed tokens are taken.

    Args:
        keys: Their public keys.
        jku: The only address of keys that their tokens may name; None where keys are not fetched.
    """

    keys: Keys
    jku: str | None = None


class Issuers(Protocol):
    """Finds who signs; a plain dict does as well."""

    def get(self, iss: str, /) -> TrustedIssuer | None:
        """Return the issuer of this name, or None."""
        ...


class ClientIssuers:
    """The clients of the operator's file as issuers of signed tokens.

    Args:
        clients: The file.
        outbound: Fetches keys.
        clock: The current moment.
        accept: Which clients count, for example those that may call CDS Hooks.
    """

    def __init__(
        self,
        clients: ClientRegistry,
        outbound: OutboundClient,
        clock: Callable[[], datetime],
        *,
        accept: Callable[[Client], bool] = lambda client: True,
    ) -> None:
        self._clients = clients
        self._outbound = outbound
        self._clock = clock
        self._accept = accept
        self._made: dict[str, tuple[Client, TrustedIssuer]] = {}

    def get(self, iss: str, /) -> TrustedIssuer | None:
        """Return the client of this id as an issuer, or None where it is not known.

        Raises:
            InvalidValueError: Its keys, or the file, are not valid.
        """
        client = self._clients.find(iss)
        if client is None or not self._accept(client):
            return None
        made = self._made.get(iss)
        if made is None or made[0] != client:
            made = self._made[iss] = (client, self._issuer(client))
        return made[1]

    def _issuer(self, client: Client) -> TrustedIssuer:
        if client.jwks is not None:
            return TrustedIssuer(keys=FixedKeys(client.jwks))
        url = client.jwks_uri or ""
        return TrustedIssuer(keys=FetchedKeys(url, self._outbound, self._clock), jku=url)


def key_set(jwks: Any) -> KeySet:
    """Return the keys of a JSON Web Key Set.

    Raises:
        InvalidValueError: It is none, or has no key that can be used.
    """
    try:
        return KeySet.import_key_set(jwks)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidValueError("public keys", "are no JSON Web Key Set", "correct them") from error


def _has(keys: KeySet, kid: str | None) -> bool:
    return kid is None or any(key.kid == kid for key in keys.keys)
