"""Login through the OpenID provider of the settings."""

from urllib.parse import urlencode

from knowledge.errors import EpicrisisError, UnavailableError
from knowledge.model import Frozen
from serving.access.address import public_base
from serving.access.errors import N_, NotFoundError, UnauthenticatedError
from serving.access.login.attempts import AttemptStore
from serving.access.login.code_flow import (
    CodeClient,
    Provider,
    begin,
    check_sender,
    exchange,
    identity,
    provider_of,
)
from serving.access.login.people import name_of, roles_of, subject_of
from serving.access.outbound import OutboundClient
from serving.access.principal import Principal
from serving.services import Services

CALLBACK = "/login/callback"


class Sent(Frozen):
    """A browser on its way to another server.

    Args:
        url: Where to.
        cookie: What binds its return to it.
    """

    url: str
    cookie: str


class OidcLogin:
    """Logs people in.

    Args:
        services: Of the application.

    Raises:
        NotFoundError: There is no provider.
    """

    def __init__(self, services: Services) -> None:
        settings = services.settings
        if settings.oidc_issuer is None:
            raise NotFoundError("login")
        self._settings = settings
        self._services = services
        self._issuer = settings.oidc_issuer
        self._outbound = OutboundClient(settings)
        self._attempts = AttemptStore(services.database, services.clock)
        self._client = CodeClient(
            client_id=settings.oidc_client_id,
            secret=settings.oidc_client_secret,
            redirect_uri=public_base(settings) + CALLBACK,
        )

    def start(self, next_path: str) -> Sent:
        """Return where to send a browser that wants to log in.

        Args:
            next_path: Where it wants to be afterwards.

        Raises:
            UnavailableError: The provider does not answer as it should.
        """
        begun = begin(self._provider(), self._client, scope=self._settings.oidc_scope)
        kept = {
            "verifier": begun.verifier,
            "nonce": begun.nonce,
            "next": local_path(next_path),
        }
        return Sent(url=begun.url, cookie=self._attempts.begin("oidc", kept, state=begun.state))

    def finish(
        self, *, state: str, code: str, iss: str | None, browser: str | None
    ) -> tuple[Principal, str]:
        """Return who logged in, and where they wanted to be.

        Raises:
            UnauthenticatedError: The login is not valid, or gives no role here.
            UnavailableError: The provider does not answer as it should.
        """
        kept = self._attempts.take("oidc", state, browser)
        provider = self._provider()
        check_sender(provider, iss)
        answer = exchange(
            provider, self._client, self._outbound, code=code, verifier=kept["verifier"]
        )
        claims = identity(
            answer,
            provider,
            self._client,
            self._outbound,
            nonce=kept["nonce"],
            now=self._services.clock(),
        )
        settings = self._settings
        roles = roles_of(claims, settings.oidc_roles_claim, settings.oidc_role_map)
        if not roles:
            raise UnauthenticatedError(N_("this account has no role here"))
        principal = Principal(
            subject=subject_of(self._issuer, claims),
            name=name_of(claims, str(claims["sub"])),
            roles=roles,
            via="oidc",
        )
        return principal, kept["next"]

    def logout_url(self) -> str | None:
        """Return where one logs out of the provider as well; None where it does not say."""
        try:
            end = self._provider().end_session_endpoint
        except EpicrisisError:
            return None  # the login here has ended all the same; the page says only that
        if end is None or not end.startswith(("https://", "http://127.0.0.1")):
            return None
        back = public_base(self._settings) + "/login"
        query = urlencode({"client_id": self._client.client_id, "post_logout_redirect_uri": back})
        return f"{end}{'&' if '?' in end else '?'}{query}"

    def _provider(self) -> Provider:
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        found = provider_of(self._outbound.get_json(address, purpose="login"), "login provider")
        if found.issuer != self._issuer:
            raise UnavailableError(
                "login provider", "names another issuer", "correct EPICRISIS_OIDC_ISSUER"
            )
        return found


def local_path(text: str) -> str:
    r"""Return a path of this service; the first page for what leads anywhere else.

    Examples:
        >>> local_path("/cases/1?a=b"), local_path("//evil.example"), local_path("/\\evil.example")
        ('/cases/1?a=b', '/', '/')
    """
    plain = text.isascii() and text.isprintable() and len(text) <= 500
    if plain and text.startswith("/") and not text.startswith("//") and "\\" not in text:
        return text
    return "/"
