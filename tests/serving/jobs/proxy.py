"""A way to a PostgreSQL that can be cut: every connection is reset and none is taken meanwhile."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

_RESET = struct.pack("ii", 1, 0)


class Way:
    """Forwards a TCP port of this machine to the socket of a PostgreSQL.

    Args:
        target: Path of the server's socket.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._listening: socket.socket | None = None
        self.port = 0
        self.join()

    def join(self) -> None:
        """Take connections, again at the same port."""
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """Reset every connection and take no more."""
        if self._listening is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        with self._guard:
            ends, self._open = self._open, set()
        for end in ends:
            with contextlib.suppress(OSError):
                if end.family == socket.AF_INET:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                here, _ = listening.accept()
            except OSError:
                return  # cut
            there = socket.socket(socket.AF_UNIX)
            there.connect(self._target)
            with self._guard:
                self._open |= {here, there}
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=_pass, args=(source, sink), daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def way_to(uri: str) -> Iterator[tuple[Way, str]]:
    """Give a way to the server of a URI with a socket folder, and the URI that takes this way."""
    parts = urlsplit(uri)
    folder = unquote(parse_qs(parts.query)["host"][0])
    way = Way(f"{folder}/.s.PGSQL.5432")
    try:
        yield way, f"postgresql://{parts.username}@127.0.0.1:{way.port}{parts.path}"
    finally:
        way.cut()
