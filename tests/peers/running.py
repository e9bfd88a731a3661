"""Our service in a thread behind uvicorn, started and stopped within bounded time."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import uvicorn

from knowledge.settings import Settings
from serving.services import Services

_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class RunningService:
    """The service that runs.

    Args:
        url: Its address.
        services: What it is made of, for looking behind it.
    """

    url: str
    services: Services


@contextlib.contextmanager
def running_service(
    settings: Settings, bound: socket.socket, *, clock: Callable[[], datetime]
) -> Iterator[RunningService]:
    """Run the service on a bound socket."""
    from serving.app import create_app
    from serving.assembly import assemble

    services = assemble(settings, clock=clock)
    server = uvicorn.Server(
        uvicorn.Config(create_app(services), log_level="warning", ws="none", access_log=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        end = time.monotonic() + _SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > end:
                raise RuntimeError("the service did not start")
            time.sleep(0.02)
        host, port = bound.getsockname()[:2]
        yield RunningService(url=f"http://{host}:{port}", services=services)
    finally:
        server.should_exit = True
        thread.join(_SECONDS)
