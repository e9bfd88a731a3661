"""Real counterparts on loopback: a FHIR server, a SMART server, and our service as it is served.

Installed by ``scripts/peers.sh`` (``make test-peers``); where that was not done or could not be,
the tests are skipped with the reason. Every server is started for one test module, on a free port,
and stopped after it. A module changes what it needs by overriding `service_settings`,
`smart_clients` or `smart_accounts`.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import UnavailableError
from knowledge.settings import Settings
from serving.sandbox.install import Peers, installed
from serving.sandbox.servers import (
    FhirServer,
    SmartServer,
    public_client,
)
from serving.sandbox.servers import (
    fhir_server as run_fhir_server,
)
from serving.sandbox.servers import (
    smart_server as run_smart_server,
)
from tests.data_folder import ROOT
from tests.peers.running import RunningService, running_service

FOLDER = ROOT / ".venv-peers"


@pytest.fixture(scope="session")
def peers() -> Peers:
    """The installed npm packages."""
    try:
        return installed(FOLDER)
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def healthchain_python() -> Path:
    """The Python of HealthChain's own environment."""
    python = FOLDER / "healthchain" / "bin" / "python"
    if not python.is_file():
        pytest.skip("HealthChain's environment is not installed; run scripts/peers.sh")
    return python


@pytest.fixture(scope="module")
def fhir_server(peers: Peers) -> Iterator[FhirServer]:
    """An empty FHIR R4 server, open until `FhirServer.trust` is called."""
    with run_fhir_server(peers) as server:
        yield server


@pytest.fixture(scope="module")
def service_socket() -> Iterator[socket.socket]:
    """The socket our service will listen on: its address is known before it runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.fixture(scope="module")
def service_url(service_socket: socket.socket) -> str:
    """The address our service will have."""
    return f"http://127.0.0.1:{service_socket.getsockname()[1]}"


@pytest.fixture(scope="module")
def smart_clients(service_url: str) -> Sequence[Mapping[str, Any]]:
    """What the SMART server knows: our service as a public client."""
    return (
        public_client(
            "epicrisis", f"{service_url}/smart/callback", f"{service_url}/login/callback"
        ),
    )


@pytest.fixture(scope="module")
def smart_accounts() -> Mapping[str, Mapping[str, Any]]:
    """Who can log in; the first does unless `SmartServer.log_in_as` says otherwise."""
    return {"dr-1": {"name": "Dr. Ada Example", "roles": ["clinician"]}}


@pytest.fixture(scope="module")
def authorization_server(
    peers: Peers,
    fhir_server: FhirServer,
    smart_clients: Sequence[Mapping[str, Any]],
    smart_accounts: Mapping[str, Mapping[str, Any]],
) -> Iterator[SmartServer]:
    """A SMART server; the FHIR server names it in its discovery but stays open.

    ``fhir_server.trust(authorization_server)`` makes the FHIR server ask for its tokens.
    """
    with run_smart_server(
        peers, fhir=fhir_server.base, clients=smart_clients, accounts=smart_accounts
    ) as server:
        fhir_server.trust(server, required=False)
        yield server


@pytest.fixture(scope="module")
def service_clock() -> Callable[[], datetime]:
    """The clock of the service; override for a fixed one."""
    return lambda: datetime.now(UTC)


@pytest.fixture(scope="module")
def service_settings() -> Mapping[str, Any]:
    """Settings of the service beside its folder and address; override what a module needs."""
    return {}


@pytest.fixture(scope="module")
def epicrisis_service(
    tmp_path_factory: pytest.TempPathFactory,
    service_socket: socket.socket,
    service_url: str,
    service_settings: Mapping[str, Any],
    service_clock: Callable[[], datetime],
) -> Iterator[RunningService]:
    """Our service behind a real HTTP server, with a database of its own and no language model."""
    settings = Settings(
        **{
            "data_dir": tmp_path_factory.mktemp("service"),
            "public_url": service_url,
            "llm": "none",
            **service_settings,
        }
    )
    with running_service(settings, service_socket, clock=service_clock) as service:
        yield service
