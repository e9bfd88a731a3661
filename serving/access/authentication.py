"""Who a request comes from: a bearer token, a login, or the local user; in this order, no guessing.

What is given must be valid: a wrong token is never overlooked in favour of a weaker proof.
"""

from collections.abc import Callable
from datetime import datetime

from fastapi import Request

from knowledge.settings import Settings
from serving.access.browser import read_cookie, refuse_other_sites, require_csrf
from serving.access.clients import ClientRegistry
from serving.access.errors import UnauthenticatedError
from serving.access.jwt_keys import ClientIssuers
from serving.access.local import LocalUser
from serving.access.outbound import OutboundClient
from serving.access.principal import Principal
from serving.access.service_tokens import ServiceTokens
from serving.access.sessions import Login, SessionStore
from serving.limits.rate import RateLimits
from serving.services import Services
from serving.storage.database import Database


class Authenticator:
    """Says who a request comes from, and how often they may come.

    Args:
        settings: Of this process.
        database: Keeps logins and tokens.
        clock: The current moment.

    Raises:
        InvalidValueError: The file of clients cannot be used.
    """

    def __init__(
        self, settings: Settings, database: Database, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self.limits = RateLimits(settings, clock)
        self.clients = ClientRegistry(settings.clients_file)
        self.issuers = ClientIssuers(self.clients, OutboundClient(settings), clock)
        self.sessions = SessionStore(database, settings, clock)
        self.tokens = ServiceTokens(database, settings, clock, self.clients)
        self.local = LocalUser(settings, database)

    def __call__(self, request: Request) -> Principal:
        """Return who asks; also as `request.state.principal`, with `request.state.csrf`.

        Raises:
            UnauthenticatedError: Nobody is named, or the proof is not valid.
            ForbiddenError: A page of another site made the request, or a form has no token.
            TooManyError: They come too often.
            UnavailableError: The database cannot be used.
        """
        known = getattr(request.state, "principal", None)
        if isinstance(known, Principal):
            return known
        request.state.csrf = ""
        try:
            principal = self._find(request)
        except UnauthenticatedError:
            self.limits.failed(request)
            raise
        self.limits.used(principal)
        request.state.principal = principal
        return principal

    def knows(self, request: Request) -> bool:
        """Return whether a request names somebody at all, before its body is read.

        A login is looked up here; whether its form carries the token is asked when it is read.

        Raises:
            UnavailableError: The database cannot be used.
        """
        if "authorization" in request.headers:
            try:
                return self._bearer(request) is not None
            except UnauthenticatedError:
                return False
        cookie = read_cookie(request, self._settings, "session")
        if cookie is not None:
            return self.sessions.find(cookie) is not None
        return self.local.serves(request)

    def _find(self, request: Request) -> Principal:
        if "authorization" in request.headers:
            return self._bearer(request)
        cookie = read_cookie(request, self._settings, "session")
        if cookie is not None:
            return self._session(request, cookie)
        principal = self.local.find(request)
        if principal is None:
            raise UnauthenticatedError
        return principal

    def _bearer(self, request: Request) -> Principal:
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ")
        if len(given) != 1 or scheme.lower() != "bearer":
            raise UnauthenticatedError
        principal = self.tokens.find(token.strip())
        if principal is None:
            raise UnauthenticatedError
        return principal

    def _session(self, request: Request, cookie: str) -> Principal:
        login = self.sessions.find(cookie)
        if login is None:
            raise UnauthenticatedError("the login has ended")
        refuse_other_sites(request, self._settings)
        require_csrf(request, login.csrf)
        request.state.csrf = login.csrf
        request.state.login = login
        return login.principal


def authenticator(
    settings: Settings, database: Database, clock: Callable[[], datetime]
) -> Authenticator:
    """Return what says who a request comes from.

    Args:
        settings: Of this process.
        database: Keeps logins and tokens.
        clock: The current moment, zoned.

    Raises:
        InvalidValueError: The file of clients cannot be used.
    """
    return Authenticator(settings, database, clock)


def access_of(services: Services) -> Authenticator:
    """Return the authenticator of the application, for who gives out logins and tokens."""
    if not isinstance(services.authenticate, Authenticator):
        raise TypeError("the application was made with an authenticator that gives nothing out")
    return services.authenticate


def login_of(request: Request) -> Login | None:
    """Return the login a request came with, after it was authenticated; None for a token."""
    login = getattr(request.state, "login", None)
    return login if isinstance(login, Login) else None
