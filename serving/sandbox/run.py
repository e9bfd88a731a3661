"""The sandbox: both servers, the examples, and the service, until it is told to stop."""

import contextlib
import signal
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx

from knowledge.errors import InvalidValueError
from knowledge.settings import Settings
from serving.access.address import is_loopback
from serving.sandbox.examples import load_into, make_case, read_example
from serving.sandbox.install import Peers
from serving.sandbox.servers import (
    FhirServer,
    SmartServer,
    fhir_server,
    public_client,
    smart_server,
)

CLIENT = "epicrisis-sandbox"
ACCOUNTS = {"dr-1": {"name": "Dr. Ada Example", "roles": ["clinician"]}}
_WRITES = "patient/DiagnosticReport.cruds patient/Observation.cruds patient/RiskAssessment.cruds"
_MORE_WRITES = "patient/Device.cruds patient/Provenance.cruds"
_UP_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A sandbox whose servers run and whose examples are loaded; the service is still to be run.

    Args:
        settings: Of the service.
        fhir: Base address of the FHIR server.
        issuer: Address of the SMART server.
        launches: Example to the address that opens its sidebar as an EHR would.
    """

    settings: Settings
    fhir: str
    issuer: str
    launches: dict[str, str]


@contextlib.contextmanager
def opened(
    settings: Settings, peers: Peers, *, examples: tuple[str, ...], folder: Path
) -> Iterator[Sandbox]:
    """Run both servers on loopback, load the examples, and give what the service needs.

    Args:
        settings: Of this process; address and port count, and what is said of the language model.
        peers: The servers.
        examples: Names of bundled examples.
        folder: Where the service keeps everything, for this time alone.

    Raises:
        InvalidValueError: The address is not one of this machine alone.
        UnavailableError: A server does not come up.
    """
    if not is_loopback(settings.host):
        raise InvalidValueError(
            "EPICRISIS_HOST",
            "is not of this machine alone; the sandbox is open to whoever reaches it",
            "leave it at 127.0.0.1",
        )
    url = f"http://{settings.host}:{settings.port}"
    client = public_client(CLIENT, f"{url}/smart/callback")
    with (
        fhir_server(peers) as fhir,
        smart_server(peers, fhir=fhir.base, clients=(client,), accounts=ACCOUNTS) as smart,
    ):
        own = settings.model_copy(
            update={
                "data_dir": folder,
                "database_url": None,
                "checkpoints": None,
                "public_url": url,
                "oidc_issuer": None,
                "local_user": True,
                "smart_issuers": {fhir.base: CLIENT},
                "smart_scopes": f"{settings.smart_scopes} {_WRITES} {_MORE_WRITES}",
                "outbound_private_hosts": tuple(
                    urlsplit(address).netloc for address in (fhir.root, smart.issuer)
                ),
                "fhir_write_back": (fhir.base,),
            }
        )
        launches = dict(_loaded(own, fhir, smart, examples))
        fhir.trust(smart)
        yield Sandbox(settings=own, fhir=fhir.base, issuer=smart.issuer, launches=launches)


def run(
    settings: Settings,
    peers: Peers,
    *,
    examples: tuple[str, ...],
    tell: Callable[[str], None],
    browse: bool,
) -> None:
    """Run the sandbox until it is told to stop; everything it started stops with it.

    Args:
        settings: Of this process.
        peers: The servers.
        examples: Names of bundled examples; the first is opened.
        tell: Shows a line.
        browse: Whether the sidebar is opened in a browser.

    Raises:
        InvalidValueError: The address is not one of this machine alone.
        UnavailableError: A server does not come up, or the port is taken.
    """
    from serving.commands import serve

    signal.signal(signal.SIGTERM, _stop)
    with (
        tempfile.TemporaryDirectory(prefix="epicrisis-sandbox-") as folder,
        opened(settings, peers, examples=examples, folder=Path(folder)) as sandbox,
    ):
        tell("Sandbox: synthetic patients, on this machine alone; nothing is kept after the end.")
        tell(f"FHIR server:   {sandbox.fhir}")
        tell(f"SMART server:  {sandbox.issuer}")
        tell(f"CDS services:  {sandbox.settings.public_url}/cds-services")
        for name, address in sandbox.launches.items():
            tell(f"Sidebar, {name}: {address}")
        tell("Ctrl-C stops all of it.")
        if browse:
            first = next(iter(sandbox.launches.values()))
            _when_up(f"{sandbox.settings.public_url}/", lambda: webbrowser.open(first))
        serve.run(sandbox.settings)


def _loaded(
    settings: Settings, fhir: FhirServer, smart: SmartServer, examples: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Load the examples, and yield each with the address that launches its sidebar."""
    from serving.assembly import assemble

    services = assemble(settings)
    try:
        for example in map(read_example, examples):
            load_into(fhir, example)
            make_case(services, example, base=fhir.base)
            launch = smart.launch(patient=example.patient, encounter=example.encounter)
            query = f"iss={quote(fhir.base, safe='')}&launch={launch}"
            yield example.name, f"{settings.public_url}/smart/launch?{query}"
    finally:
        services.database.close()


def _stop(number: int, frame: object) -> None:
    raise SystemExit(0)


def _when_up(address: str, then: Callable[[], object]) -> None:
    def wait() -> None:
        end = time.monotonic() + _UP_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(address, timeout=1)
                then()
                return
            time.sleep(0.2)

    threading.Thread(target=wait, daemon=True).start()
