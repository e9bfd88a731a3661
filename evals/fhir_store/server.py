"""The store over HTTP on the loopback address, for one evaluation, stopped with it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from evals.fhir_store.creation import CreationError
from evals.fhir_store.search import SearchError
from evals.fhir_store.store import FhirStore, Session

MAX_BODY = 64 << 10
"""Bytes of a created resource; the longest of the benchmark has under 2 KiB."""

MAX_SESSIONS = 1000
_IDLE_S = 30.0


class Served:
    """A running server.

    Args:
        store: What it serves.
        address: ``http://127.0.0.1:<port>``.
    """

    def __init__(self, store: FhirStore, address: str) -> None:
        self._store = store
        self._address = address
        self._sessions: dict[str, Session] = {}

    def open_session(self) -> tuple[str, Session]:
        """Return the base address of a new session, and the session.

        Raises:
            ValueError: There are too many.
        """
        if len(self._sessions) >= MAX_SESSIONS:
            raise ValueError(f"more than {MAX_SESSIONS} sessions")
        name = f"s{len(self._sessions) + 1}"
        base = f"{self._address}/{name}/fhir"
        self._sessions[name] = self._store.session(base)
        return base, self._sessions[name]

    def session(self, name: str) -> Session | None:
        """Return an open session."""
        return self._sessions.get(name)


@contextmanager
def serve(store: FhirStore) -> Iterator[Served]:
    """Serve a store on a free port of 127.0.0.1 while the block lasts."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    served = Served(store, f"http://127.0.0.1:{server.server_address[1]}")
    handler.served = served  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Served
    timeout = _IDLE_S

    def do_GET(self) -> None:
        """Search."""
        place = self._place()
        if place is None:
            return
        session, kind, query = place
        try:
            bundle = session.search(kind, parse_qsl(query, keep_blank_values=True))
        except SearchError as error:
            self._refuse(400, str(error))
        else:
            self._send(200, bundle)

    def do_POST(self) -> None:
        """Create."""
        place = self._place()
        if place is None:
            return
        session, kind, _ = place
        size = self.headers.get("Content-Length", "")
        if not size.isdigit() or int(size) > MAX_BODY:
            self._refuse(413, f"a body of at most {MAX_BODY} bytes with its length is needed")
            return
        try:
            stored = session.create(kind, json.loads(self.rfile.read(int(size))))
        except (ValueError, CreationError) as error:
            self._refuse(422, str(error))
        else:
            self._send(201, stored)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing to the console."""

    def _place(self) -> tuple[Session, str, str] | None:
        """Return the session, the kind of resource and the query; None once refused."""
        parts = urlsplit(self.path)
        pieces = parts.path.strip("/").split("/")
        session = self.served.session(pieces[0]) if len(pieces) == 3 else None
        if session is None or pieces[1] != "fhir":
            self._refuse(404, "there is nothing at this address")
            return None
        return session, pieces[2], parts.query

    def _refuse(self, status: int, why: str) -> None:
        issue = {"severity": "error", "code": "invalid", "diagnostics": why}
        self._send(status, {"resourceType": "OperationOutcome", "issue": [issue]})

    def _send(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
