"""``epicrisis data quality``: exit codes, JSON, the file written."""

from pathlib import Path

import orjson
from typer.testing import CliRunner

from serving.cli import application
from tests.tools.intake.samples import bundle, observation, patient, write
from tools.quality.model import QualityReport


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(application(), ["data", "quality", *arguments])
    return result.exit_code, result.output


def test_it_ends_with_0_whatever_it_finds(tmp_path: Path) -> None:
    write(tmp_path, "chart.json", bundle(patient(), observation(410, "mmol/L", "2823-3")))
    code, output = run(str(tmp_path), "--at", "2026-11-20T12:00:00Z")
    assert code == 0
    assert "Impossible value" in output
    assert "the value is not used" in " ".join(output.split())


def test_two_patients_are_told_not_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.json", bundle(patient(), observation()))
    write(tmp_path, "b.json", bundle(patient(birthDate="1901-01-01")))
    code, output = run(str(tmp_path))
    assert code == 0
    assert "not assessed" in output
    assert "1901" not in output


def test_the_json_is_that_of_the_schema_and_can_be_written(tmp_path: Path) -> None:
    case = tmp_path / "case"
    write(case, "chart.json", bundle(patient(), observation()))
    target = tmp_path / "quality.json"
    code, output = run(str(case), "--json", "--out", str(target), "--at", "2026-11-20T12:00:00Z")
    assert code == 0
    written = orjson.loads(target.read_bytes())
    assert orjson.loads(output[: output.rindex("}") + 1]) == written
    assert QualityReport.model_validate(written).schema_ == "epicrisis/data-quality/1"


def test_a_path_that_cannot_be_used_ends_with_2(tmp_path: Path) -> None:
    assert run(str(tmp_path / "absent"))[0] == 2
    assert run(str(tmp_path))[0] == 2
    write(tmp_path / "case", "chart.json", bundle(patient()))
    assert run(str(tmp_path / "case"), "--out", str(tmp_path / "no" / "file.json"))[0] == 2
