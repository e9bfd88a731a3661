"""Where the real records for tests are, and a skip with the reason where they are not."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def shared_data(name: str) -> Path:
    """Return a folder of real test records, or skip the test with the reason."""
    base = Path(os.environ.get("EPICRISIS_TEST_DATA", ROOT.parent / "shared" / "data"))
    folder = base / name
    if not folder.exists():
        pytest.skip(f"real test records are not here: {name} (set EPICRISIS_TEST_DATA)")
    return folder
