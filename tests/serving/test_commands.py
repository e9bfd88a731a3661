"""Commands are found by entry point, so that any package can add its own."""

from importlib.metadata import EntryPoint

import pytest
import typer
from typer.testing import CliRunner

import serving.cli


def register(app: typer.Typer) -> None:
    """A command of another package."""
    app.command("elsewhere")(lambda: typer.echo("from elsewhere"))


def test_a_command_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint(name="elsewhere", value=f"{__name__}:register", group="epicrisis.commands")
    monkeypatch.setattr(EntryPoint, "load", lambda self: register)
    monkeypatch.setattr(serving.cli, "entry_points", lambda *, group: [point])
    app = serving.cli.application()
    app.callback()(lambda: None)
    result = CliRunner().invoke(app, ["elsewhere"])
    assert result.exit_code == 0
    assert "from elsewhere" in result.output
