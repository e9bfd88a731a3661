"""The single local user: whoever sits at this machine, where nothing was set up for more."""

from urllib.parse import urlsplit

from fastapi import Request

from knowledge.settings import Settings
from serving.access.address import is_loopback
from serving.access.browser import (
    is_browser,
    is_forwarded,
    refuse_other_sites,
    require_csrf,
)
from serving.access.principal import Principal, Role
from serving.access.secret import derived, kept_secret
from serving.storage.database import Database

NAME = "local user"


class LocalUser:
    """Gives the local user to requests from this machine, and to no others.

    Args:
        settings: Whether there is one, and which roles they have.
        database: Keeps the secret of the form tokens.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._csrf: str | None = None
        self.is_on = is_local_mode(settings)
        self._principal = Principal(
            subject="local",
            name=NAME,
            roles=frozenset(Role(role) for role in settings.local_roles),
            via="local",
        )

    def find(self, request: Request) -> Principal | None:
        """Return the local user, or None where the request is not of this machine.

        A name server can point any name here, so the Host header must name this machine itself.

        Raises:
            ForbiddenError: A page of another site made it, or a form has no token.
        """
        if not self.serves(request):
            return None
        refuse_other_sites(request, self._settings)
        if is_browser(request):
            require_csrf(request, self.csrf())
        request.state.csrf = self.csrf()
        return self._principal

    def serves(self, request: Request) -> bool:
        """Return whether a request comes from this machine and means this machine."""
        peer = request.client.host if request.client is not None else ""
        try:
            named = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        except ValueError:
            return False
        local = self.is_on and is_loopback(peer) and is_loopback(named)
        return local and not is_forwarded(request)

    def csrf(self) -> str:
        """Return what forms of the local user must carry.

        Raises:
            UnavailableError: The database cannot be used.
        """
        if self._csrf is None:
            self._csrf = derived(kept_secret(self._database, "local"), "csrf")
        return self._csrf


def is_local_mode(settings: Settings) -> bool:
    """Return whether there is a local user.

    Only on the loopback address and without a login; beside systems that have patients of their own
    here only where that was asked for.
    """
    wanted = settings.local_user
    return (
        (not set_up(settings) if wanted is None else wanted)
        and settings.oidc_issuer is None
        and is_loopback(settings.host)
        and (
            settings.public_url is None or is_loopback(urlsplit(settings.public_url).hostname or "")
        )
    )


def set_up(settings: Settings) -> tuple[str, ...]:
    """Return the names of the settings by which systems have patients of their own here."""
    given = {
        "EPICRISIS_CLIENTS_FILE": settings.clients_file is not None,
        "EPICRISIS_SMART_ISSUERS": bool(settings.smart_issuers),
        "EPICRISIS_FHIR_BACKENDS": bool(settings.fhir_backends),
    }
    return tuple(name for name, is_set in given.items() if is_set)
