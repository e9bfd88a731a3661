"""``epicrisis model``: add, list, check, run, calibrate and evaluate, end to end."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from knowledge.errors import ContractError, InputError, InvalidValueError, UnavailableError
from serving.commands.model import register
from tests.tools.imaging.ct.phantoms import series, write
from tests.tools.models.builders import classifier, image_input, output
from tests.tools.models.test_tasks import segmenter, volume_input
from tools.imaging.contours.read import read_structures
from tools.imaging.ct.volume import read_folder

runner = CliRunner()


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "data"))


def model(*arguments: str | Path, code: int = 0) -> str:
    app = typer.Typer()
    register(app)
    done = runner.invoke(app, ["model", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def said(*arguments: str | Path, code: int = 0) -> Any:
    return json.loads(model(*arguments, "--json", code=code))


def picture(file: Path, mean: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    pixels = np.clip(draw.normal(mean, 20, (16, 16)), 0, 255)
    Image.fromarray(pixels.astype(np.uint8)).save(file)


def labelled(folder: Path, *, cases: int = 60) -> Path:
    """Pictures, brighter with the label; two of each patient; every third from the north."""
    folder.mkdir(parents=True)
    draw = np.random.default_rng(4)
    rows = ["file,patient,label:opacity,group:site,modality,view,age"]
    for at in range(cases):
        present = at // 2 % 2
        picture(folder / f"{at}.png", float(draw.normal(110 + 60 * present, 25)), at)
        site = "north" if at // 2 % 3 == 0 else "south"
        rows.append(f"{at}.png,p{at // 2},{present},{site},DX,PA,50")
    rows.append("missing.png,p99,1,north,DX,PA,50")
    (folder / "labels.csv").write_text("\n".join(rows), "utf-8")
    return folder


def test_a_model_is_added_listed_checked_and_asked(tmp_path: Path) -> None:
    assert "added test-model@1.0" in model("add", classifier(tmp_path / "m"))
    assert said("list")[0]["title"] == "A model for a test"
    assert said("check")[0]["said"].startswith("as described; golden vectors within")
    assert "demonstration" in model("list")
    picture(tmp_path / "film.png", 128, 1)
    facts = ("--modality", "DX", "--view", "PA", "--age", "50")
    (found,) = said("run", "test-model", tmp_path / "film.png", *facts)
    assert found["applicability"] == "in-spec"
    assert found["scores"][0]["label"] == "opacity"
    assert found["stated"] == ["modality", "view", "age_years"]
    text = model("run", "test-model@1.0", tmp_path / "film.png", *facts)
    assert "not calibrated: no probability" in text
    assert "Research use only" in text


def test_a_file_it_was_not_made_for_gets_the_reason_and_no_number(tmp_path: Path) -> None:
    model("add", classifier(tmp_path / "m"))
    picture(tmp_path / "film.png", 128, 1)
    (found,) = said("run", "test-model", tmp_path / "film.png", "--modality", "CT", code=5)
    assert found["applicability"] == "out-of-spec"
    assert found["scores"] == []
    assert "modality: CT" in found["not_assessed"]["detail"]
    text = model("run", "test-model", tmp_path / "film.png", code=5)
    assert "not assessed" in text
    assert "score " not in text


def test_switched_off_means_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model("add", classifier(tmp_path / "m"))
    picture(tmp_path / "film.png", 128, 1)
    monkeypatch.setenv("EPICRISIS_DEVICE_FUNCTIONS", "false")
    with pytest.raises(UnavailableError, match="switched off"):
        model("run", "test-model", tmp_path / "film.png")


def test_a_broken_folder_is_not_taken_and_check_says_why(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "m")
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes() + b"\x00")
    with pytest.raises(ContractError, match="SHA-256"):
        model("add", folder)
    app = typer.Typer()
    register(app)
    done = runner.invoke(app, ["model", "check", str(folder)])
    assert done.exit_code == 1
    assert "SHA-256" in done.stdout


def test_calibration_is_measured_on_held_out_cases_and_used_once_kept(tmp_path: Path) -> None:
    model("add", classifier(tmp_path / "m"))
    cases = labelled(tmp_path / "cases")
    shown = said("calibrate", "test-model", cases, "--fix", "sensitivity=0.9")
    assert shown["kept"] is False
    assert said("list")[0]["site"] is False
    kept = said("calibrate", "test-model", cases, "--fix", "sensitivity=0.9", "--keep")
    (label,) = kept["labels"]
    assert (kept["cases"], kept["patients"]) == (60, 30)
    assert kept["skipped"][0]["file"] == "missing.png"
    measured = label["measured"]
    assert measured["sensitivity"]["of"] == 30
    assert measured["sensitivity"]["ci"][0] < measured["sensitivity"]["value"] <= 1
    assert label["area"]["value"] > 0.85
    assert any("drawing whole patients" in note for note in kept["notes"])
    facts = ("--modality", "DX", "--view", "PA", "--age", "50")
    (found,) = said("run", "test-model", cases / "2.png", *facts)
    assert 0 < found["scores"][0]["probability"] < 1
    assert found["scores"][0]["threshold"] == pytest.approx(label["threshold"])
    assert found["model"]["calibration"].startswith("site ")


def test_the_sensitivity_that_was_asked_for_is_reached_on_the_cases_themselves(
    tmp_path: Path,
) -> None:
    model("add", classifier(tmp_path / "m"))
    cases = labelled(tmp_path / "cases")
    model("calibrate", "test-model", cases, "--fix", "sensitivity=0.9", "--keep")
    found = said("evaluate", "test-model", cases)
    point = found["labels"][0]["at_threshold"]
    assert point["sensitivity"]["count"] == 27  # 90 % of 30, and no more than it takes
    assert any("used to calibrate" in note for note in found["notes"])


def test_evaluation_gives_areas_subgroups_reliability_and_pictures(tmp_path: Path) -> None:
    model("add", classifier(tmp_path / "m"))
    cases = labelled(tmp_path / "cases")
    model("calibrate", "test-model", cases, "--fix", "npv=0.9", "--keep", "--method", "temperature")
    fresh = labelled(tmp_path / "fresh", cases=48)
    out = tmp_path / "plots"
    found = said("evaluate", "test-model", fresh, "--out", out)
    (label,) = found["labels"]
    assert label["area"]["present"] == 24
    assert {(g["group"], g["value"], g["cases"]) for g in label["subgroups"]} == {
        ("site", "north", 16), ("site", "south", 32),
    }  # fmt: skip
    assert label["reliability"]["brier"] < 0.25
    assert sorted(p.name for p in out.iterdir()) == [
        "calibration-1.png",
        "groups-1.png",
        "roc-1.png",
    ]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in out.iterdir())
    text = model("evaluate", "test-model", fresh)
    assert "AUROC" in text
    assert "no answer: missing.png" in text


def test_an_uncalibrated_model_has_no_reliability(tmp_path: Path) -> None:
    model("add", classifier(tmp_path / "m"))
    (label,) = said("evaluate", "test-model", labelled(tmp_path / "cases"))["labels"]
    assert "reliability" not in label
    assert "at_threshold" not in label
    assert label["area"]["value"] > 0.85


def test_too_few_cases_calibrate_nothing(tmp_path: Path) -> None:
    model("add", classifier(tmp_path / "m"))
    with pytest.raises(ContractError, match="platt needs 10 of each"):
        model("calibrate", "test-model", labelled(tmp_path / "c", cases=16), "--fix", "npv=0.9")


@pytest.mark.parametrize("fix", ["specificity=0.9", "sensitivity", "sensitivity=1.2", "npv=x", ""])
def test_an_aim_that_is_none_is_refused(tmp_path: Path, fix: str) -> None:
    model("add", classifier(tmp_path / "m"))
    with pytest.raises(InvalidValueError, match="--fix"):
        model("calibrate", "test-model", labelled(tmp_path / "cases", cases=4), "--fix", fix)


TABLES = {
    "no file column": "name,label:opacity\na.png,1\n",
    "unknown column": "file,diagnosis\na.png,1\n",
    "label that is a word": "file,label:opacity\na.png,yes\n",
    "file twice": "file,label:opacity\na.png,1\na.png,0\n",
    "column twice": "file,label:opacity,label:opacity\na.png,1,0\n",
    "no row": "file,label:opacity\n",
    "no patient": "file,patient,label:opacity\na.png,,1\n",
    "age that is a word": "file,label:opacity,age\na.png,1,old\n",
    "only files outside": "file,label:opacity\n../../etc/passwd,1\n",
    "not a table": "\x00\x01",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, name: str) -> None:
    model("add", classifier(tmp_path / "m"))
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "labels.csv").write_text(TABLES[name], "utf-8")
    with pytest.raises(InputError):
        model("evaluate", "test-model", cases)


def test_tiles_of_one_slide_are_one_answer(tmp_path: Path) -> None:
    described = image_input(kind="tile", modality=["SM"], views=None, age_years=None)
    folder = classifier(tmp_path / "m", inputs=[described], outputs=[output(aggregate="max")])
    model("add", folder)
    for at, mean in enumerate((60, 180)):
        picture(tmp_path / f"{at}.png", mean, at)
    paths = (tmp_path / "0.png", tmp_path / "1.png")
    (found,) = said("run", "test-model", *paths, "--together", "--modality", "SM")
    (alone,) = said("run", "test-model", paths[1], "--modality", "SM")
    assert found["members"] == 2
    assert found["scores"][0]["score"] == pytest.approx(alone["scores"][0]["score"])


def test_what_a_model_marks_on_a_series_is_written_as_seg_that_names_it(tmp_path: Path) -> None:
    hu = np.full((6, 24, 30), -500, np.float32)
    hu[1:5, 6:18, 8:20] = 150
    spacing = (2.0, 1.0, 1.0)
    folder = write(tmp_path / "series", series(hu, spacing))
    segmenter(tmp_path / "made", spatial=3, input=volume_input(8))
    model("add", tmp_path / "made")
    model("run", "test-model", folder, "--out", tmp_path / "out")
    masks = np.load(tmp_path / "out" / "mask-1.npz")
    content = (tmp_path / "out" / "mask-1.dcm").read_bytes()
    (found,) = read_structures(content, read_folder(folder), file="mask-1.dcm")
    assert np.array_equal(found.mask, masks["bright"])
    assert np.array_equal(found.mask, hu > 0)
    assert (found.name, found.origin) == ("bright", "AUTOMATIC")
    assert found.maker.startswith("test-model 1.0 (")
    unnamed = write(tmp_path / "unnamed", series(hu, spacing, FrameOfReferenceUID=None))
    model("run", "test-model", unnamed, "--out", tmp_path / "other")
    assert (tmp_path / "other" / "mask-1.npz").exists()
    assert not (tmp_path / "other" / "mask-1.dcm").exists()
