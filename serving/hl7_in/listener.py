"""The listener put together: address and TLS checked, store, writer and filing started."""

import asyncio
import signal
import ssl
from collections.abc import Callable

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.access.address import is_loopback
from serving.hl7_in.counters import Counters
from serving.hl7_in.filing import Filing
from serving.hl7_in.server import Limits, MllpServer
from serving.hl7_in.store import MessageStore
from serving.hl7_in.writer import Writer
from serving.services import Services


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """Return how connections are encrypted; None for not at all, which only this machine may use.

    Raises:
        InvalidValueError: Others would reach it without TLS, or the files cannot be used.
    """
    if settings.hl7_tls_cert is None or settings.hl7_tls_key is None:
        if (settings.hl7_tls_cert, settings.hl7_tls_key, settings.hl7_client_ca) != (None,) * 3:
            raise InvalidValueError(
                "EPICRISIS_HL7_TLS_CERT", "certificate and key are not both given", "give both"
            )
        if not is_loopback(settings.hl7_host) and not settings.hl7_allow_plain:
            raise InvalidValueError(
                "EPICRISIS_HL7_HOST",
                "is not of this machine alone, and messages would travel in the clear",
                "give --tls-cert and --tls-key; or EPICRISIS_HL7_ALLOW_PLAIN=true where the "
                "network itself is encrypted",
            )
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.hl7_tls_cert, settings.hl7_tls_key)
        if settings.hl7_client_ca is not None:
            context.load_verify_locations(str(settings.hl7_client_ca))
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise InvalidValueError(
            "EPICRISIS_HL7_TLS_CERT",
            f"certificate, key or client CA cannot be used ({type(error).__name__})",
            "give readable PEM files, the key without a passphrase",
        ) from error
    return context


async def listen(
    services: Services,
    *,
    ready: Callable[[str, int], None],
    stop: asyncio.Event | None = None,
    files: bool = True,
) -> None:
    """Listen until told to stop.

    Args:
        services: Of the application.
        ready: Called with the address once it is listened on.
        stop: Ends it; None for the signals TERM and INT.
        files: Whether messages are put into cases by this process.

    Raises:
        InvalidValueError: See `tls_of`.
        UnavailableError: The address is taken, or the database cannot be used.
    """
    settings = services.settings
    tls = tls_of(settings)
    store = MessageStore(services.database, clock=services.clock, audit=services.audit)
    counters, filing = Counters(store), Filing(services, store)
    writer = Writer(store.keep, length=settings.hl7_queue, kept=filing.wake)
    server = MllpServer(
        writer,
        limits=Limits.of(settings),
        processing=settings.hl7_processing,
        clock=services.clock,
        counters=counters,
    )
    try:
        listening = await server.start(settings.hl7_host, settings.hl7_port, tls=tls)
    except OSError as error:
        raise UnavailableError(
            f"{settings.hl7_host}:{settings.hl7_port}",
            f"cannot be listened on: {error.strerror}",
            "stop what listens there, or give another --port",
        ) from error
    stopping = stop or _at_signal()
    _serve_counters(settings, counters)
    writer.start()
    if files:
        filing.start()
    try:
        host, port = listening.sockets[0].getsockname()[:2]
        ready(str(host), int(port))
        await stopping.wait()
        await server.close(listening)
    finally:
        await asyncio.to_thread(writer.stop)
        if files:
            await asyncio.to_thread(filing.stop)


def _at_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def _serve_counters(settings: Settings, counters: Counters) -> None:
    if settings.hl7_metrics_port is None:
        return
    from prometheus_client import start_http_server

    try:
        start_http_server(settings.hl7_metrics_port, "127.0.0.1", registry=counters.registry)
    except OSError as error:
        raise UnavailableError(
            f"127.0.0.1:{settings.hl7_metrics_port}",
            f"cannot be listened on: {error.strerror}",
            "give another EPICRISIS_HL7_METRICS_PORT",
        ) from error
