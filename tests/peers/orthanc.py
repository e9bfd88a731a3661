"""Orthanc, a real archive of another maker, on free ports and with login, as a test's own."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_SECONDS = 30.0
USER, PASSWORD = "agent", "a-password-for-this-test"


@dataclass(frozen=True, kw_only=True)
class Orthanc:
    """The archive that runs.

    Args:
        url: Of its DICOMweb service.
        port: Of its C-STORE service; its title is ORTHANC.
    """

    url: str
    port: int


@contextlib.contextmanager
def orthanc(folder: Path, *, ours: str, our_port: int) -> Iterator[Orthanc]:
    """Run Orthanc until the end; skip with the reason where it cannot be had.

    It takes no address to listen on, so its remote access is switched off and its login is on.
    """
    program = shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("Orthanc is not installed (Debian package orthanc; scripts/peers.sh)")
    if not _PLUGIN.is_file():
        pytest.skip("Orthanc has no DICOMweb (Debian package orthanc-dicomweb; scripts/peers.sh)")
    web, port = free_port(), free_port()
    peer = {
        "AET": ours, "Host": "127.0.0.1", "Port": our_port, "AllowEcho": True, "AllowStore": True,
        "AllowFind": True, "AllowMove": True, "AllowGet": True,
    }  # fmt: skip
    config = {
        "Name": "test", "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": web, "RemoteAccessAllowed": False, "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD}, "DicomServerEnabled": True, "DicomAet": "ORTHANC",
        "DicomPort": port, "DicomCheckCalledAet": True, "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False, "DicomModalities": {"ours": peer},
        "Plugins": [str(_PLUGIN)], "SaveJobs": False, "HttpsCACertificates": "",
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "PublicRoot": "/dicom-web/"},
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orthanc.json").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [program, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder
        )
        try:
            _wait(process, web, folder / "log")
            yield Orthanc(url=f"http://127.0.0.1:{web}/dicom-web", port=port)
        finally:
            process.terminate()
            try:
                process.wait(_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_SECONDS)


def free_port() -> int:
    """Return a port of this machine that is free now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"Orthanc ended: {log.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(
                f"http://127.0.0.1:{port}/dicom-web/studies", auth=(USER, PASSWORD), timeout=2
            )
            if answer.status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    pytest.fail("Orthanc did not answer")
