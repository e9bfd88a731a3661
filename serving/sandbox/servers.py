"""The FHIR server and the SMART server as child processes, on loopback, stopped with us."""

import contextlib
import json
import selectors
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import httpx

from knowledge.errors import UnavailableError
from serving.sandbox.install import Peers

_UP_SECONDS = 60.0
"""The FHIR server reads 40 MB of definitions; a second where nothing else runs."""

_DOWN_SECONDS = 5.0
_CALL_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class FhirServer:
    """A FHIR R4 server that runs.

    Args:
        root: Its address.
    """

    root: str

    @property
    def base(self) -> str:
        """The FHIR base address."""
        return f"{self.root}/fhir/R4"

    def trust(self, smart: "SmartServer", *, required: bool = True) -> Self:
        """Name the authorization server, and whether every request needs one of its tokens."""
        _post(f"{self.root}/sandbox/authorization", {"issuer": smart.issuer, "required": required})
        return self

    def put(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a resource under its own id and return it as it was kept."""
        address = f"{self.base}/{resource['resourceType']}/{resource['id']}"
        return _answer(_sent("PUT", address, json=resource))

    def post(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Create a resource, or run a transaction, and return what the server says."""
        whole = resource["resourceType"] == "Bundle"
        address = self.base if whole else f"{self.base}/{resource['resourceType']}"
        return _answer(_sent("POST", address, json=resource))

    def get(self, path: str, token: str | None = None) -> dict[str, Any]:
        """Return what is at a path below the base."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.base}/{path}"
        return _answer(_sent("GET", address, headers=headers))


@dataclass(frozen=True, kw_only=True)
class SmartServer:
    """A SMART App Launch 2 authorization server that runs; also a plain OpenID issuer.

    Args:
        issuer: Its address.
        fhir: Base address of the FHIR server it gives tokens for.
    """

    issuer: str
    fhir: str

    def launch(self, **context: str) -> str:
        """Return the id of a launch: what ``launch`` is in an EHR launch.

        Args:
            context: As in a token response: ``patient``, ``encounter``.
        """
        return str(_post(f"{self.issuer}/sandbox/launches", context)["launch"])

    def standalone(self, **context: str) -> None:
        """Set what a standalone launch chooses."""
        _post(f"{self.issuer}/sandbox/standalone", context)

    def log_in_as(self, account: str) -> None:
        """Set who logs in next."""
        _post(f"{self.issuer}/sandbox/account", {"account": account})


@contextlib.contextmanager
def fhir_server(peers: Peers, *, port: int = 0, validate: bool = True) -> Iterator[FhirServer]:
    """Run a FHIR server, empty, without access control until it is told whom to trust.

    Raises:
        UnavailableError: It does not come up.
    """
    with _running(peers, "fhir_server.mjs", {"port": port, "validate": validate}) as root:
        yield FhirServer(root=root)


@contextlib.contextmanager
def smart_server(
    peers: Peers,
    *,
    fhir: str,
    clients: Sequence[Mapping[str, Any]],
    accounts: Mapping[str, Mapping[str, Any]],
    port: int = 0,
) -> Iterator[SmartServer]:
    """Run an authorization server; the first of `accounts` logs in without being asked.

    Args:
        peers: Where it is installed.
        fhir: Base address of the FHIR server.
        clients: Metadata of the clients it knows, as in dynamic registration.
        accounts: Id to ``name`` and ``roles``.
        port: 0 for a free one.

    Raises:
        UnavailableError: It does not come up.
    """
    options = {"port": port, "fhir": fhir, "clients": list(clients), "accounts": dict(accounts)}
    with _running(peers, "smart_server.mjs", options) as root:
        yield SmartServer(issuer=root, fhir=fhir)


def public_client(name: str, *redirects: str) -> dict[str, Any]:
    """Return the metadata of an app that logs people in with PKCE and without a secret."""
    return {
        "client_id": name,
        "token_endpoint_auth_method": "none",
        "redirect_uris": list(redirects),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }


def backend_client(name: str, jwks: Mapping[str, Any], *, alg: str = "ES384") -> dict[str, Any]:
    """Return the metadata of a system that signs its assertions with a key of `jwks`."""
    return {
        "client_id": name,
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": alg,
        "jwks": dict(jwks),
        "grant_types": ["client_credentials"],
        "response_types": [],
        "redirect_uris": [],
    }


@contextlib.contextmanager
def _running(peers: Peers, script: str, options: Mapping[str, Any]) -> Iterator[str]:
    process = subprocess.Popen(  # noqa: S603 - our own script, no shell
        [*peers.node.command, script, json.dumps(options)],
        cwd=peers.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.PIPE,  # closed with us, however we end: then it ends too
    )
    try:
        yield f"http://127.0.0.1:{_port(process, script)}"
    finally:
        process.terminate()
        try:
            process.wait(_DOWN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_DOWN_SECONDS)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _port(process: subprocess.Popen[bytes], script: str) -> int:
    """Return the port a server says it listens on, within bounded time."""
    end = time.monotonic() + _UP_SECONDS
    if process.stdout is None:
        raise RuntimeError("the process was started without its output")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        ready = selector.select(max(end - time.monotonic(), 0.0))
    line = process.stdout.readline() if ready else b""
    try:
        return int(json.loads(line)["port"])
    except (ValueError, KeyError) as error:
        raise UnavailableError(
            script, "did not come up", "see whether its port is taken or memory is short"
        ) from error


def loopback_client() -> httpx.Client:
    """Return a client for these servers; the certificates no loopback call needs are read once."""
    return httpx.Client(timeout=_CALL_SECONDS, trust_env=False, verify=_certificates())


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _sent(method: str, address: str, **more: Any) -> httpx.Response:
    with loopback_client() as client:
        return client.request(method, address, **more)


def _post(address: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return _answer(_sent("POST", address, json=dict(body)))


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise UnavailableError(
            "sandbox server", f"answered {response.status_code} to {response.request.method}"
        )
    found: dict[str, Any] = response.json()
    return found
