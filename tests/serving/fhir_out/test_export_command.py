import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from knowledge.errors import InvalidValueError
from serving.commands import export
from tests.agent.cases import EXAMPLES


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.callback()(lambda: None)
    export.register(made)
    return made


def test_a_case_folder_becomes_a_fhir_bundle_with_its_pdf(app: typer.Typer, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    case = str(EXAMPLES / "nstemi")
    done = CliRunner().invoke(app, ["export", case, "--format", "fhir", "-o", str(out)])
    assert done.exit_code == 0, done.output
    bundle = json.loads(out.read_bytes())
    (report,) = [
        e["resource"]
        for e in bundle["entry"]
        if e["resource"]["resourceType"] == "DiagnosticReport"
    ]
    assert report["status"] == "preliminary"
    assert report["presentedForm"][0]["contentType"] == "application/pdf"


def test_a_case_folder_becomes_a_pdf(app: typer.Typer, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    done = CliRunner().invoke(app, ["export", str(EXAMPLES / "half_missing"), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"%PDF-")


def test_a_folder_that_cannot_be_written_is_said(app: typer.Typer, tmp_path: Path) -> None:
    out = str(tmp_path / "none" / "report.pdf")
    done = CliRunner().invoke(app, ["export", str(EXAMPLES / "nstemi"), "-o", out])
    assert isinstance(done.exception, InvalidValueError)
