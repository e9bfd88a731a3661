"""Only a private file of a live process of this machine is believed."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from agent.llm.local.running import Running, announced, found_running

SAID = {"url": "http://127.0.0.1:1/v1", "model": "m", "sha256": "ab"}


def test_what_is_announced_is_found_while_it_lasts(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with announced(folder, api_key=SecretStr("k"), **SAID) as running:
        assert found_running(folder) == running
        assert running.pid == os.getpid()
        (file,) = folder.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert found_running(folder) is None
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "mode"),
    [({"pid": 2**22 + 1}, 0o600), ({"host": "elsewhere"}, 0o600), ({}, 0o644), ({"url": 1}, 0o600)],
)
def test_what_cannot_be_believed_is_not_found(
    tmp_path: Path, changes: dict[str, object], mode: int
) -> None:
    with announced(tmp_path, api_key=SecretStr("k"), **SAID) as running:
        (file,) = tmp_path.iterdir()
        stored = Running.model_validate_json(file.read_bytes()).model_dump(mode="json")
        file.write_text(str({**stored, **changes}).replace("'", '"'))
        file.chmod(mode)
        assert found_running(tmp_path) != running
        file.unlink()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    with announced(tmp_path / "a", api_key=SecretStr("k"), **SAID):
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "llm-server.json").symlink_to(tmp_path / "a" / "llm-server.json")
        assert found_running(tmp_path / "b") is None
