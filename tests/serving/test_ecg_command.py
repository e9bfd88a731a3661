"""``epicrisis ecg``: export, comparison and trend from files."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from knowledge.clinical_time import zoned
from knowledge.errors import (
    ContractError,
    IdentityConflictError,
    InvalidValueError,
    UnavailableError,
    UnreadableError,
)
from serving.commands.ecg import register
from tests.tools.ecg.patterns.drawn import drawn
from tools.ecg.model import EcgRecording
from tools.ecg.readers import read_ecg
from tools.ecg.writers import write_ecg

APP = typer.Typer()
register(APP)


def run(*words: str | Path) -> str:
    """Return what a command prints; its error is raised as it is."""
    result = CliRunner().invoke(APP, ["ecg", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def put(folder: Path, name: str, recording: EcgRecording, minute: int = 0) -> Path:
    path = folder / name
    start = zoned(datetime(2026, 11, 22, 12, minute, tzinfo=UTC))
    path.write_bytes(write_ecg(replace(recording, start=start), "dicom"))
    return path


@pytest.mark.parametrize("form", ["dicom", "aecg", "fhir"])
def test_export_writes_a_file_that_is_read_again(tmp_path: Path, form: str) -> None:
    source = put(tmp_path, "one.dcm", drawn())
    out = tmp_path / f"out.{form}"
    assert f"wrote {out}" in run("export", source, "--out", out, "--format", form)
    again = tmp_path / "again.dcm"
    run("export", out, "--out", again)
    first, second = (read_ecg(p.read_bytes(), file=p.name) for p in (source, again))
    assert first.signal_mv == pytest.approx(second.signal_mv, abs=1e-9)


def test_comparison_of_two_files_says_what_moved(tmp_path: Path) -> None:
    before = put(tmp_path, "a.dcm", drawn())
    after = put(tmp_path, "b.dcm", drawn({"II": {"st": 0.2}}), minute=20)
    with pytest.raises(IdentityConflictError, match="one patient"):
        run("compare", before, after)
    words = ("--same-patient", "--age", "60", "--sex", "male")
    text = run("compare", before, after, *words)
    assert text.startswith("ST higher than before in contiguous leads (II, III, aVF)")
    assert "V5 ST" in text
    assert "within the error" in text
    body = orjson.loads(run("compare", before, after, *words, "--json"))
    assert body["findings"][0]["state"] == "present"


def test_trend_of_three_files(tmp_path: Path) -> None:
    paths = [
        put(tmp_path, f"{n}.dcm", drawn({"II": {"st": level}}), minute=10 * n)
        for n, level in enumerate((0.0, 0.15, 0.3))
    ]
    text = run("trend", *paths, "--same-patient")
    assert "II rising" in text
    with pytest.raises(InvalidValueError, match="three"):
        run("trend", *paths[:2], "--same-patient")


def test_time_that_the_file_does_not_have_may_be_stated(tmp_path: Path) -> None:
    source = tmp_path / "one.json"
    source.write_bytes(write_ecg(drawn(), "fhir"))
    out = tmp_path / "out.dcm"
    with pytest.raises(ContractError, match="time of the recording"):
        run("export", source, "--out", out)
    run("export", source, "--out", out, "--time", "2026-11-22T12:00:00Z")
    again = read_ecg(out.read_bytes(), file="out.dcm")
    assert again.start == zoned(datetime(2026, 11, 22, 12, tzinfo=UTC))
    with pytest.raises(InvalidValueError, match="own time"):
        run("export", out, "--out", tmp_path / "x", "--time", "2026-11-22T12:00:00Z")


def test_what_cannot_be_opened_or_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cannot be opened"):
        run("export", tmp_path / "none.dcm", "--out", tmp_path / "x")
    bad = tmp_path / "bad.json"
    bad.write_text("{no json")
    with pytest.raises(UnreadableError, match="not JSON"):
        run("export", bad, "--out", tmp_path / "x")
    source = put(tmp_path, "one.dcm", drawn())
    with pytest.raises(InvalidValueError, match="cannot write"):
        run("export", source, "--out", tmp_path / "no" / "folder")


def test_comparison_is_a_device_function_and_export_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPICRISIS_DEVICE_FUNCTIONS", "false")
    source = put(tmp_path, "one.dcm", drawn())
    with pytest.raises(UnavailableError, match="switched off"):
        run("compare", source, source)
    run("export", source, "--out", tmp_path / "x.xml", "--format", "aecg")
