"""A FHIR server on this machine that answers, counts, and breaks as a test asks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.serving.cds.hooks import searchset

Answer = Callable[[str, dict[str, list[str]]], tuple[int, Any]]


class FhirServer:
    """What the server was asked, and where it is."""

    def __init__(self, resources: list[dict[str, Any]]) -> None:
        self.resources = resources
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.base = ""
        self.override: Answer | None = None
        self.delay_s = 0.0
        self.page_size = 1000

    def answer(self, path: str) -> tuple[int, Any]:
        parts = urlsplit(path)
        kind, _, key = parts.path.removeprefix("/fhir/").partition("/")
        query = parse_qs(parts.query)
        if self.override is not None:
            status, body = self.override(kind, query)
            if status:
                return status, body
        if key:
            found = [r for r in self.resources if (r["resourceType"], r["id"]) == (kind, key)]
            return (200, found[0]) if found else (404, {"resourceType": "OperationOutcome"})
        found = [r for r in self.resources if r["resourceType"] == kind]
        start = int(query.get("_offset", ["0"])[0])
        end = start + self.page_size
        following = f"{self.base}/{kind}?_offset={end}" if end < len(found) else None
        return 200, searchset(found[start:end], following=following)


@contextmanager
def fhir_server(resources: list[dict[str, Any]]) -> Iterator[FhirServer]:
    """Run a server with these resources, on a free port of this machine."""
    state = FhirServer(resources)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.tokens.add(self.headers.get("Authorization", ""))
            time.sleep(state.delay_s)
            status, body = state.answer(self.path)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.base = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
