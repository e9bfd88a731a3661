"""The server over streamable HTTP: on this machine unless told otherwise, never open to browsers.

A request must name a host that is served (against DNS rebinding), must not come from a web page
(no origin is allowed), and beyond the loopback interface must carry the bearer token.
"""

import hmac
import ipaddress
from collections.abc import Iterable, Sequence

from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from knowledge.errors import InvalidValueError
from serving.mcp.offer import Offer
from serving.mcp.server import make_server

PATH = "/mcp"
SHORTEST_TOKEN = 16
"""Characters of a bearer token. 16 random ones are over 80 bits: not guessed over a network."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_GRACE_S = 3


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine only.

    Examples:
        >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
        (True, False, True)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def application(
    offers: Iterable[Offer],
    *,
    host: str,
    port: int,
    token: SecretStr | None,
    names: Sequence[str] = (),
) -> ASGIApp:
    """Return the application that serves the offers.

    Args:
        offers: What is served.
        host: Address that is listened on.
        port: The same.
        token: Bearer token that each request must carry; None for none, on loopback only.
        names: Further values of the Host header, as clients reach this server.

    Raises:
        InvalidValueError: Beyond loopback without a token or a name, or the token is too short.
    """
    if token is None and not is_loopback(host):
        raise InvalidValueError(
            f"--host {host}",
            "beyond this machine a bearer token is required",
            "put one into an environment variable and name it by --token-env",
        )
    if token is not None and len(token.get_secret_value()) < SHORTEST_TOKEN:
        raise InvalidValueError(
            "--token-env", f"the token has under {SHORTEST_TOKEN} characters", "make a longer one"
        )
    served = _served(host, port, names)
    app = make_server(offers).streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True, allowed_hosts=served, allowed_origins=[]
        ),
        host=host,
    )
    return app if token is None else BearerToken(app, token)


class BearerToken:
    """Lets only requests with the bearer token through.

    Args:
        app: What is guarded.
        token: The token.
    """

    def __init__(self, app: ASGIApp, token: SecretStr) -> None:
        self._app = app
        self._expected = f"Bearer {token.get_secret_value()}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"authorization"]
            if len(given) != 1 or not hmac.compare_digest(given[0], self._expected):
                refusal = JSONResponse(
                    {"error": "invalid_token", "error_description": "a bearer token is required"},
                    status_code=401,
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def serve_http(
    offers: Iterable[Offer],
    *,
    host: str,
    port: int,
    token: SecretStr | None,
    names: Sequence[str] = (),
) -> None:
    """Serve clients over streamable HTTP until interrupted.

    Raises:
        InvalidValueError: As `application`.
    """
    import uvicorn

    app = application(offers, host=host, port=port, token=token, names=names)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _served(host: str, port: int, names: Sequence[str]) -> list[str]:
    if is_loopback(host):
        known = [*_LOOPBACK_NAMES, *names]
    elif ipaddress_any(host):
        if not names:
            raise InvalidValueError(
                f"--host {host}",
                "listens on every address, so the name that clients use must be given",
                "give it by --allowed-host",
            )
        known = list(names)
    else:
        known = [host, *names]
    return [name if ":" in name.rpartition("]")[2] else f"{name}:{port}" for name in known]


def ipaddress_any(host: str) -> bool:
    """Return whether a host stands for every address of the machine."""
    return host in ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
