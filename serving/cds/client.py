"""Who calls a hook: a client of the operator's file that signs each call, or this machine.

Where no client may call CDS Hooks, only programs on this machine are answered, and only in the
local mode of one person: that is for trying it out, and discovery says so. As soon as one client or
a login is configured, every call must be signed, also one from this machine.
"""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import Request

from knowledge.settings import Settings
from serving.access.address import is_loopback, public_base
from serving.access.browser import is_forwarded
from serving.access.clients import Client, ClientRegistry
from serving.access.errors import UnauthenticatedError
from serving.access.jwt_bearer import verify
from serving.access.jwt_keys import ClientIssuers
from serving.access.local import is_local_mode
from serving.access.outbound import OutboundClient
from serving.access.principal import Principal, Role
from serving.limits.rate import RateLimits
from serving.storage.database import Database

_LOCAL = "cds-local"


def may_call_cds(client: Client) -> bool:
    """Return whether a client of the file may call CDS Hooks."""
    return client.cds


class CdsClients:
    """Says who calls, and how often they may.

    Args:
        settings: Of this process.
        database: Keeps which tokens were seen.
        clock: The current moment.
        clients: The operator's file.
        outbound: Fetches keys.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], datetime],
        clients: ClientRegistry,
        outbound: OutboundClient,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._clients = clients
        self._issuers = ClientIssuers(clients, outbound, clock, accept=may_call_cds)
        self._limits = RateLimits(settings, clock)

    @property
    def signed(self) -> bool:
        """Whether calls must be signed: one client at least may call.

        Raises:
            InvalidValueError: The file of clients was changed into one that is not valid.
        """
        return any(client.cds for client in self._clients.all())

    def caller(self, request: Request) -> Principal:
        """Return who calls.

        Raises:
            UnauthenticatedError: No valid signed token, or not from this machine.
            TooManyError: They come too often.
            UnavailableError: Keys or database cannot be reached.
        """
        try:
            principal = self._signed(request) if self.signed else self._local(request)
        except UnauthenticatedError:
            self._limits.failed(request)
            raise
        self._limits.used(principal)
        return principal

    def _signed(self, request: Request) -> Principal:
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != "bearer":
            raise UnauthenticatedError("no signed token")
        claims = verify(
            token.strip(),
            audience=f"{public_base(self._settings)}{request.url.path}",
            issuers=self._issuers,
            database=self._database,
            clock=self._clock,
        )
        client = self._clients.find(claims["iss"])
        if client is None or not client.cds:
            raise UnauthenticatedError
        return Principal(
            subject=client.client_id,
            name=client.name or client.client_id,
            roles=frozenset({Role.INTEGRATOR}),
            tenants=None if client.tenants is None else frozenset(client.tenants),
            via="cds",
        )

    def _local(self, request: Request) -> Principal:
        peer = request.client.host if request.client is not None else ""
        named = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        of_this_machine = (
            is_local_mode(self._settings)
            and is_loopback(peer)
            and is_loopback(named)
            and not is_forwarded(request)
        )
        origin = request.headers.get("origin")
        if not of_this_machine or (origin is not None and origin not in self._settings.cds_origins):
            raise UnauthenticatedError("no client is configured to call CDS Hooks from elsewhere")
        return Principal(
            subject=_LOCAL, name="this machine", roles=frozenset({Role.INTEGRATOR}), via="cds"
        )
