"""``epicrisis clients``."""

import json
import stat
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from knowledge.errors import InvalidValueError
from serving.commands.clients import register
from tests.serving.access.made import EC, public


def app() -> typer.Typer:
    made = typer.Typer()
    register(made)
    return made


def written(folder: Path, **entry: object) -> Path:
    file = folder / "clients.yaml"
    client = {"client_id": "lab", "jwks": public(EC), **entry}
    file.write_text(json.dumps({"clients": [client]}), "utf-8")
    return file


def test_what_a_client_may_do_is_said(tmp_path: Path) -> None:
    file = written(tmp_path, roles=["viewer"], scopes="system/*.rs", cds=True)
    done = CliRunner().invoke(app(), ["clients", "check", str(file)])
    assert (done.exit_code, done.output) == (0, "lab: case.read, knowledge.read, CDS Hooks\n")


def test_a_scope_that_is_not_understood_is_named(tmp_path: Path) -> None:
    file = written(tmp_path, roles=["integrator"], scopes="system/observation.read")
    done = CliRunner().invoke(app(), ["clients", "check", str(file)])
    assert done.exit_code == 1
    assert "scope system/observation.read is not known" in done.output


def test_a_file_that_is_not_valid_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app(), ["clients", "check", str(written(tmp_path, roles=["king"]))])
    assert isinstance(done.exception, InvalidValueError)
    done = CliRunner().invoke(app(), ["clients", "check", str(tmp_path / "none.yaml")])
    assert isinstance(done.exception, InvalidValueError)


def test_a_key_is_made_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "private.jwk"
    done = CliRunner().invoke(app(), ["clients", "new-key", str(file), "--kid", "k1"])
    (shown,) = json.loads(done.output)["keys"]
    assert (shown["kid"], shown["crv"]) == ("k1", "P-384")
    assert "d" not in shown
    kept = json.loads(file.read_text("utf-8"))
    assert kept["x"] == shown["x"]
    assert "d" in kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = CliRunner().invoke(app(), ["clients", "new-key", str(file)])
    assert isinstance(again.exception, InvalidValueError)
    assert json.loads(file.read_text("utf-8")) == kept


@pytest.mark.parametrize("command", ["check", "new-key"])
def test_the_commands_explain_themselves(command: str) -> None:
    assert CliRunner().invoke(app(), ["clients", command, "--help"]).exit_code == 0
