"""What the calls of CDS Hooks share within one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from knowledge.errors import UnavailableError
from serving.access.authentication import Authenticator
from serving.access.clients import ClientRegistry
from serving.access.outbound import OutboundClient
from serving.cds.client import CdsClients
from serving.cds.computing import Computing
from serving.cds.fetching import FetchPlaces
from serving.cds.store import CardStore

if TYPE_CHECKING:
    from serving.cds.assessing import Ready
    from serving.services import Services


class CdsRuntime:
    """Clients, assessments of the last minute, cards that were shown.

    Args:
        services: Of the application.

    Raises:
        InvalidValueError: The file of clients cannot be used.
    """

    def __init__(self, services: "Services") -> None:
        settings, clock = services.settings, services.clock
        known = services.authenticate
        registry = (
            known.clients
            if isinstance(known, Authenticator)
            else ClientRegistry(settings.clients_file)
        )
        self._places = BoundedSemaphore(settings.cds_at_once)
        self._wait_s = settings.cds_budget_ms / 1000
        self.fetching = FetchPlaces(settings.cds_at_once)
        self.outbound = OutboundClient(settings)
        self.clients = CdsClients(settings, services.database, clock, registry, self.outbound)
        self.store = CardStore(services.database, clock)
        self.computing: Computing[Ready] = Computing(
            clock, fresh_s=settings.cds_fresh_s, workers=settings.cds_workers
        )

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places for calls that are answered at once.

        Raises:
            UnavailableError: All are taken, and none came free in time.
        """
        if not self._places.acquire(timeout=self._wait_s):
            raise UnavailableError(
                "CDS Hooks", "too many calls at once; nothing was assessed", "call again later"
            )
        try:
            yield
        finally:
            self._places.release()

    def close(self) -> None:
        """Finish what is being computed."""
        self.computing.close()
