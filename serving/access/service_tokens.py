"""Tokens of systems: short-lived, without meaning of their own, kept as a hash."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete

from knowledge.settings import Settings
from serving.access.clients import ClientRegistry
from serving.access.principal import Principal
from serving.access.scopes import BACKEND, parse_scopes
from serving.access.secret import digest, new_secret
from serving.access.tables import ServiceTokenRow
from serving.storage.database import Database

PREFIX = "eps_"
"""Begins every token, so that one in a log or a repository can be recognised and revoked."""


class ServiceTokens:
    """Tokens in the database.

    Args:
        database: Where.
        settings: How long they are valid.
        clock: The current moment.
        clients: Who may have one: a client taken off the list loses its tokens with it.

    Every method raises `UnavailableError` where the database cannot be used.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], datetime],
        clients: ClientRegistry,
    ) -> None:
        self._database = database
        self.valid_s = settings.service_token_s
        self._clock = clock
        self._clients = clients

    def issue(self, client: str, scope: str) -> str:
        """Return a new token.

        Args:
            client: Id of a client that proved who it is.
            scope: What it was granted.
        """
        token = PREFIX + new_secret()
        now = self._clock()
        row = ServiceTokenRow(
            id=digest(token),
            client=client,
            scope=scope,
            issued_at=now,
            expires_at=now + timedelta(seconds=self.valid_s),
        )
        with self._database.transaction() as session:
            session.execute(delete(ServiceTokenRow).where(ServiceTokenRow.expires_at <= now))
            session.add(row)
        return token

    def find(self, token: str) -> Principal | None:
        """Return who a token stands for, or None where it is not valid any more."""
        if not token.startswith(PREFIX):
            return None
        with self._database.reading() as session:
            row = session.get(ServiceTokenRow, digest(token))
        if row is None or self._clock() >= row.expires_at:
            return None
        client = self._clients.find(row.client)
        if client is None:
            return None
        return Principal(
            subject=client.client_id,
            name=client.name or client.client_id,
            roles=frozenset(client.roles),
            scopes=parse_scopes(row.scope).permissions(contexts=BACKEND),
            tenants=None if client.tenants is None else frozenset(client.tenants),
            via="service",
        )
