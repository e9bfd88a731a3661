"""``epicrisis sandbox`` as a process: up, launched as by an EHR, and gone with all it started."""

import html
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from serving.sandbox.install import Peers

_START = """
import typer
from serving.commands import sandbox
app = typer.Typer()
app.callback()(lambda: None)
sandbox.register(app)
app()
"""
_SECONDS = 90


@dataclass
class Box:
    """A sandbox that runs."""

    process: subprocess.Popen[str]
    lines: list[str]

    def said(self, word: str) -> str:
        return next(line for line in self.lines if line.startswith(word)).split()[-1]


@pytest.fixture(scope="module")
def box(peers: Peers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = tmp_path_factory.mktemp("data")
    (data / "sandbox-peers").symlink_to(peers.folder)
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", _START, "sandbox", "nstemi", "--no-open", "--port", str(port)],
        env={**os.environ, "EPICRISIS_DATA_DIR": str(data), "EPICRISIS_LLM": "none"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Box(process, _until_up(process, f"http://127.0.0.1:{port}/"))
    finally:
        process.kill()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


def _until_up(process: subprocess.Popen[str], address: str) -> list[str]:
    lines: list[str] = []
    end = time.monotonic() + _SECONDS
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("Ctrl-C"):
            break
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(address, timeout=5)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return lines
    raise AssertionError(f"the sandbox did not come up: {lines}")


def test_an_ehr_launch_ends_in_a_login_for_the_patient(box: Box) -> None:
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        answer = browser.get(box.said("Sidebar, nstemi:"))
        hops = [str(one.url) for one in answer.history]
        assert any("/auth?" in hop for hop in hops)
        assert any("/smart/callback" in hop for hop in hops)
        root = box.said("CDS services:").removesuffix("/cds-services")
        cases = browser.get(f"{root}/v1/cases").json()["cases"]
    fhir = box.said("FHIR server:")
    assert [case["patient"] for case in cases] == [f"{fhir}|Patient/nstemi-patient"]


def test_the_fhir_server_asks_for_a_token(box: Box) -> None:
    fhir = box.said("FHIR server:")
    assert httpx.get(f"{fhir}/Patient/nstemi-patient").status_code == 401


def test_a_signed_report_is_written_to_the_ehr_with_the_person_s_token(box: Box) -> None:
    root = box.said("CDS services:").removesuffix("/cds-services")
    with httpx.Client(follow_redirects=True, timeout=90) as browser:
        page = browser.get(box.said("Sidebar, nstemi:"))
        found = re.search(r'X-CSRF-Token": "([^"]+)"', html.unescape(page.text))
        assert found, page.text[:500]
        headers = {"X-CSRF-Token": found[1]}
        (case,) = browser.get(f"{root}/v1/cases").json()["cases"]
        place = f"{root}/v1/cases/{case['id']}"
        draft = browser.post(f"{place}/report/write-back", headers=headers)
        assert draft.status_code == 409, draft.text
        version = browser.get(f"{place}/assessments/newest").json()["version"]
        asked = {"version": version, "accept_remaining": True}
        signed = browser.post(f"{place}/sign-offs", json=asked, headers=headers)
        assert signed.status_code == 201, signed.text
        first = browser.post(f"{place}/report/write-back", headers=headers)
        assert first.status_code == 200, first.text
        second = browser.post(f"{place}/report/write-back", headers=headers).json()
    body = first.json()
    assert (body["status"], body["complete"]) == ("final", True)
    assert "created" in {step["outcome"] for step in body["steps"]}
    assert {step["outcome"] for step in second["steps"]} == {"unchanged"}


def test_everything_stops_when_it_is_told_to(box: Box) -> None:
    servers = [box.said(word) for word in ("FHIR server:", "SMART server:", "CDS services:")]
    box.process.send_signal(signal.SIGINT)
    box.process.wait(30)
    for server in servers:
        with pytest.raises(httpx.ConnectError):
            httpx.get(server, timeout=5)


def test_an_address_for_others_is_refused(peers: Peers, tmp_path: Path) -> None:
    (tmp_path / "sandbox-peers").symlink_to(peers.folder)
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", _START, "sandbox", "nstemi", "--no-open"],
        env={**os.environ, "EPICRISIS_DATA_DIR": str(tmp_path), "EPICRISIS_HOST": "0.0.0.0"},  # noqa: S104
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode != 0
    assert "is not of this machine alone" in done.stderr
