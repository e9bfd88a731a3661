"""``epicrisis ihc``: from pictures to a calibration and a share, and the exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge.errors import EpicrisisError
from serving.cli import application
from tests.tools.pathology.ihc.phantoms import Look, drawn, png, square

LOOK = Look(side_um=220, grades=(0.55, 0.15, 0.15, 0.15))


def _written(folder: Path, seed: int) -> tuple[Path, Path, Path]:
    made = drawn(LOOK, seed=seed)
    field, region, labels = (folder / f"{seed}.{x}" for x in ("png", "geojson", "csv"))
    field.write_bytes(png(made))
    region.write_text(json.dumps(square(made.rgb.shape[0], name="Tumor")))
    rows = [f"{n.x / made.mpp},{n.y / made.mpp},{n.grade}" for n in made.nuclei]
    labels.write_text("\n".join(["x,y,grade", *rows]))
    return field, region, labels


def _run(*arguments: object) -> tuple[int, str]:
    """Return the exit code and what is printed, as the console command gives them."""
    done = CliRunner().invoke(application(), [str(a) for a in arguments])
    if isinstance(done.exception, EpicrisisError):
        return 4, str(done.exception)
    return done.exit_code, done.output


def test_calibrate_then_measure(tmp_path: Path) -> None:
    training = [_written(tmp_path, seed) for seed in (31, 32)]
    options = [o for f, r, c in training for o in ("--region", r, "--labels", c)]
    code, said = _run(
        "ihc", "calibrate", *(f for f, _, _ in training), "--marker", "er", "--mpp", 0.5, *options,
        "--laboratory", "L", "--clone", "SP1", "--stainer", "S", "--scanner", "N",
        "--how", "drawn", "--date", "2026-11-22", "--out", tmp_path / "er.json",
    )  # fmt: skip
    assert code == 0, said
    field, region, _ = _written(tmp_path, 33)
    out = tmp_path / "out"
    code, said = _run(
        "ihc", "measure", field, "--region", region, "--marker", "er", "--mpp", 0.5,
        "--calibration", tmp_path / "er.json", "--out", out, "--json",
    )  # fmt: skip
    assert code == 0, said
    found = json.loads(said)
    positive, every = drawn(LOOK, seed=33).truth
    assert "esearch" in found["notice"]
    assert found["share"]["percent"] == pytest.approx(100 * positive / every, abs=2)
    assert found["calibration"]["clone"] == "SP1"
    assert json.loads((out / "ihc.json").read_bytes()) == found
    assert (out / "overlay_1.png").read_bytes().startswith(b"\x89PNG")
    report, after = tmp_path / "report.json", tmp_path / "after.json"
    code, said = _run(
        "reading", "new", "pathology_breast", "--by", "Dr A", "--patient", "P1", "--study", "1.2.3",
        "--modality", "SM", "--out", report,
    )  # fmt: skip
    assert code == 0, said
    measure = ("ihc", "measure", field, "--region", region, "--marker", "er", "--mpp", 0.5,
               "--calibration", tmp_path / "er.json",
               "--reading", report, "--reading-out", after)  # fmt: skip
    assert _run(*measure)[0] == 4
    assert not after.exists()
    assert _run(*measure, "--same-patient")[0] == 0
    code, said = _run("reading", "report", after, "--lang", "zh")
    assert code == 0
    assert f"{found['share']['percent']:g}" in said


def test_without_a_calibration_the_code_is_5_and_no_share_is_printed(tmp_path: Path) -> None:
    field, region, _ = _written(tmp_path, 33)
    code, said = _run("ihc", "measure", field, "--region", region, "--marker", "ki67", "--mpp", 0.5)
    assert code == 5, said
    assert "share: not assessed: no calibration of this laboratory" in said
    assert "%" not in said


def test_a_calibration_with_too_few_labels_is_not_written(tmp_path: Path) -> None:
    field, region, labels = _written(tmp_path, 33)
    labels.write_text("\n".join(labels.read_text().splitlines()[:100]))
    code, said = _run(
        "ihc", "calibrate", field, "--region", region, "--labels", labels, "--marker", "ki67",
        "--mpp", 0.5, "--laboratory", "L", "--clone", "C", "--stainer", "S", "--scanner", "N",
        "--how", "drawn", "--date", "2026-11-22", "--out", tmp_path / "c.json",
    )  # fmt: skip
    assert code == 4
    assert "at least 200" in said
    assert not list(tmp_path.glob("c.json*"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--marker", "ki67", "--mpp", "0.5"], "no tumour region is given"),
        (["--marker", "ki67"], "mpp"),
        (["--marker", "her2", "--mpp", "0.5"], "HER2: not assessed"),
        (["--marker", "pdl1", "--mpp", "0.5"], "PD-L1: not assessed"),
        (["--marker", "p53", "--mpp", "0.5"], "no such marker"),
    ],
)
def test_refusals_have_the_code_4(options: list[str], reason: str, tmp_path: Path) -> None:
    field, _, _ = _written(tmp_path, 33)
    code, said = _run("ihc", "measure", field, *options)
    assert code == 4
    assert reason in said


def test_switched_off_is_not_assessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DEVICE_FUNCTIONS", "false")
    field, region, _ = _written(tmp_path, 33)
    code, said = _run("ihc", "measure", field, "--region", region, "--marker", "er", "--mpp", 0.5)
    assert code == 4
    assert "not assessed: switched off" in said
