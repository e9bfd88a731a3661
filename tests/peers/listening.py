"""``epicrisis dicom listen --worklist`` as a process of its own, as it is run."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.settings import Settings

_SECONDS = 180.0


def database_of(settings: Settings) -> str:
    """Return the address of the database with what is secret in it, for another process."""
    url = settings.database_url
    assert url is not None
    return url.get_secret_value()


@contextlib.contextmanager
def listening(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the listener of an installation until the end; it is killed where it still runs."""
    told = {
        "DATA_DIR": settings.data_dir, "DATABASE_URL": database_of(settings), "LLM": "none",
        "DICOM_QUIET_S": settings.dicom_quiet_s, "DICOM_PORT": settings.dicom_port,
        "DICOM_SENDERS": '["ORTHANC"]',
    }  # fmt: skip
    environment = {**os.environ, **{f"EPICRISIS_{name}": str(v) for name, v in told.items()}}
    command = [sys.executable, "-m", "serving", "dicom", "listen", "--worklist"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)  # noqa: S603
        try:
            _until_heard(process, log)
            yield process
        finally:
            process.kill()
            process.wait(_SECONDS)


def _until_heard(process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        if b"DICOM C-STORE" in log.read_bytes():
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    pytest.fail(f"the listener did not start: {log.read_text(errors='replace')[-2000:]}")
