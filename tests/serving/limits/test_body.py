"""How large and how slow a request may be: over a real server, since only that streams."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from serving.app import create_app
from tests.serving.access.made import Clock, services

LIMIT_S = 20
MIB = 1024 * 1024


@contextlib.contextmanager
def running(folder: Path, **settings: object) -> Iterator[int]:
    """Serve on a free port of this machine and return it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        made = services(folder, Clock(), **settings)
        config = uvicorn.Config(create_app(made), log_level="error", ws="none", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        end = time.monotonic() + LIMIT_S
        while not server.started and time.monotonic() < end:
            time.sleep(0.02)
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(LIMIT_S)
            made.database.close()


def talk(port: int, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Send the parts of a request as they are and return the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_s)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while b"\r\n\r\n" not in received and (more := connection.recv(65536)):
                received += more
        return received


def head(path: str, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
UPLOAD = "Content-Type: multipart/form-data; boundary=b"


def chunk(size: int) -> bytes:
    return f"{size:x}\r\n".encode() + b"a" * size + b"\r\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("body")
    with running(folder, max_body_mib=1, max_case_mib=1, body_timeout_s=0.5) as found:
        yield found


def test_a_body_that_says_it_is_too_large_is_refused_unread(port: int) -> None:
    answer = talk(port, head("/v1/cases/case-1/answers", JSON, f"Content-Length: {MIB + 1}"))
    assert status(answer) == 413
    assert b"application/problem+json" in answer


def test_a_body_that_does_not_say_how_large_it_is_is_counted(port: int) -> None:
    start = head("/v1/cases/case-1/answers", JSON, "Transfer-Encoding: chunked")
    assert status(talk(port, start, *[chunk(200_000)] * 8, b"0\r\n\r\n")) == 413


def test_a_form_may_be_one_mebibyte(port: int) -> None:
    start = head("/oauth/token", FORM, "Transfer-Encoding: chunked")
    assert status(talk(port, start, *[chunk(200_000)] * 8, b"0\r\n\r\n")) == 413
    body = b"grant_type=password"
    assert status(talk(port, head("/oauth/token", FORM, f"Content-Length: {len(body)}"), body)) == (
        400
    )


def test_an_upload_is_counted_whatever_it_says(port: int) -> None:
    start = head("/v1/cases", UPLOAD, "Transfer-Encoding: chunked")
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
    answer = talk(port, start, f"{len(part):x}\r\n".encode() + part + b"\r\n", *[chunk(MIB)] * 4)
    assert status(answer) == 413


def test_a_body_that_stops_coming_is_given_up(port: int) -> None:
    before = time.monotonic()
    start = head("/v1/cases/case-1/answers", JSON, "Content-Length: 100")
    assert status(talk(port, start, b"{")) == 408
    assert time.monotonic() - before < LIMIT_S / 2


def test_a_length_that_is_none_is_refused(port: int) -> None:
    assert status(talk(port, head("/oauth/token", FORM, "Content-Length: -1"))) == 400


def test_an_upload_of_nobody_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """It is answered at its head: not a byte of the body was sent."""
    with running(tmp_path, local_user=False) as port:
        start = head("/cases", UPLOAD, f"Content-Length: {100 * MIB}")
        assert status(talk(port, start)) == 401
        guess = "Authorization: Bearer eps_guess"
        assert status(talk(port, head("/cases", UPLOAD, guess, "Content-Length: 99"))) == 401
        ended = "Cookie: epicrisis_session=ended"
        assert status(talk(port, head("/v1/cases", UPLOAD, ended, "Content-Length: 99"))) == 401


def test_a_stream_to_the_browser_may_last_longer_than_a_body(port: int) -> None:
    """The wait for a browser to go away is not the wait for its body."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection:
        for _ in range(2):
            connection.sendall(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = b""
            while b"</html>" not in answer:  # head and body may come in pieces
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(0.7)
