"""``epicrisis slide``: every command end to end, its exit codes, and what it refuses."""

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from knowledge.errors import InvalidValueError, MissingExtraError, UnavailableError
from serving.commands import model as model_commands
from serving.commands import slide as slide_commands
from tests.tools.pathology.slide_files import (
    Blob,
    drawn,
    pyramid,
    write_dicom_slide,
    write_svs,
)
from tests.tools.pathology.slide_models import mean_colour, reddest

PICTURE = drawn((1024, 1536), [Blob(512, 700, 400, 600)])


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def svs(tmp_path: Path) -> Path:
    return write_svs(tmp_path / "made.svs", pyramid(PICTURE))


def slide(*arguments: str | Path) -> Result:
    app = typer.Typer()
    slide_commands.register(app)
    model_commands.register(app)
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def said(*arguments: str | Path, code: int = 0) -> list[dict[str, Any]]:
    done = slide("slide", *arguments, "--json")
    assert done.exit_code == code, done.output
    body = json.loads(done.stdout)
    assert "Research use only" in body["notice"]
    found: list[dict[str, Any]] = body["slides"]
    return found


@pytest.fixture
def models(tmp_path: Path) -> None:
    embedder = mean_colour(tmp_path / "embedder")
    for folder in (embedder, reddest(tmp_path / "mil", embedder)):
        assert slide("model", "add", folder).exit_code == 0


def test_info_says_the_same_of_both_forms(tmp_path: Path, svs: Path) -> None:
    dicom = write_dicom_slide(tmp_path / "dicom", pyramid(PICTURE))
    first, second = said("info", svs, dicom)
    assert first["levels"] == second["levels"]
    assert first["mpp_um"] == [0.5, 0.5]
    assert first["pictures_left_out"] == ["label", "macro"]
    assert (first["format"], second["format"]) == ("aperio", "dicom")
    text = slide("slide", "info", svs).stdout
    assert "Research use only" in text
    assert "never passed on: label, macro" in text


def test_a_refused_slide_is_named_and_the_others_are_done(tmp_path: Path, svs: Path) -> None:
    broken = tmp_path / "broken.svs"
    broken.write_bytes(b"no slide at all")
    first, second = said("info", broken, svs, code=4)
    assert first["kind"] == "UnsupportedError"
    assert "broken.svs" in first["refused"]
    assert second["mpp_um"]
    done = slide("slide", "info", tmp_path / "none.svs")
    assert done.exit_code == 4
    assert "cannot be opened" in done.stderr


def test_check_exits_1_on_a_problem_and_draws_pictures(tmp_path: Path, svs: Path) -> None:
    (clean,) = said("check", svs, "-o", tmp_path / "pictures")
    assert clean["tissue"]["pieces"] == 1
    for name in ("tissue", "blur", "folds"):
        with Image.open(tmp_path / "pictures" / f"made-{name}.png") as picture:
            assert picture.width >= 768
    without = write_svs(tmp_path / "without.svs", pyramid(PICTURE), mpp=None)
    (found,) = said("check", without, code=1)
    assert {p["code"] for p in found["problems"]} >= {"mpp-missing"}
    assert "micrometres" in found["not_assessed"]
    blank = write_svs(tmp_path / "blank.svs", pyramid(drawn((600, 600), [])))
    (empty,) = said("check", blank, code=1)
    assert "no tissue" in empty["not_assessed"]["tissue"]["detail"]
    (other,) = said("check", svs, "--expect-stain", "haematoxylin-dab", code=1)
    assert "stain-unexpected" in {p["code"] for p in other["problems"]}


def test_what_only_informs_is_a_note_and_no_problem(svs: Path) -> None:
    done = slide("slide", "check", svs)  # its label and overview are inside
    assert done.exit_code == 0
    assert "note label-inside" in done.stdout
    assert "problem " not in done.stdout


def test_tissue_gives_the_area_and_refuses_a_blank_slide(tmp_path: Path, svs: Path) -> None:
    (found,) = said("tissue", svs, "-o", tmp_path / "pictures")
    assert found["tissue_mm2"] == pytest.approx(np.pi * 400 * 600 * 0.25e-6, rel=0.02)
    assert (tmp_path / "pictures" / "made-tissue.png").is_file()
    blank = write_svs(tmp_path / "blank.svs", pyramid(drawn((600, 600), [])))
    (refused,) = said("tissue", blank, code=4)
    assert "no tissue" in refused["refused"]


def test_tiles_are_counted_and_written(tmp_path: Path, svs: Path) -> None:
    (plan,) = said("tiles", svs, "--tile", "256", "--most", "3", "-o", tmp_path / "tiles")
    assert len(plan["places"]) == 3 < plan["kept_from"]
    written = sorted((tmp_path / "tiles").iterdir())
    assert len(written) == 3
    with Image.open(written[0]) as tile:
        assert tile.size == (256, 256)
    assert (
        "no tile"
        in said("tiles", svs, "--least-tissue", "100", "--tile", "900", code=4)[0]["refused"]
    )


@pytest.mark.usefixtures("models")
def test_vectors_and_heat_map(tmp_path: Path, svs: Path) -> None:
    (first,) = said("embed", "--model", "mean-colour", svs)
    assert first["finished"] is True
    assert first["vectors"] == first["tiles"]
    (again,) = said("embed", "--model", "mean-colour", svs)
    assert again["resumed"] == again["tiles"]
    (heat,) = said("heatmap", "--model", "reddest", svs, "-o", tmp_path / "pictures")
    assert heat["result"]["members"] == first["vectors"]
    assert "No probability" in heat["means"]
    assert (tmp_path / "pictures" / "made-heat.png").is_file()
    text = slide("slide", "heatmap", "--model", "reddest", svs).stdout
    assert "no finding until a reader" in text
    assert "demonstration" in text


@pytest.mark.usefixtures("models")
def test_a_run_stopped_by_a_signal_exits_6_and_goes_on(
    svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_file: str, _done: int, _of: int) -> None:
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patched:
        patched.setattr(slide_commands, "_progress", interrupted)
        first, *rest = said("embed", "--model", "mean-colour", svs, svs, code=6)
    assert first["finished"] is False
    assert not rest
    assert signal.getsignal(signal.SIGINT) is before
    (second,) = said("embed", "--model", "mean-colour", svs)
    assert second["resumed"] == 64
    assert second["finished"] is True


@pytest.mark.usefixtures("models")
def test_wrong_models_and_options_are_refused(tmp_path: Path, svs: Path) -> None:
    with pytest.raises(InvalidValueError, match="takes no vectors"):
        slide("slide", "heatmap", "--model", "mean-colour", svs)
    with pytest.raises(InvalidValueError, match="reader"):
        slide("slide", "info", svs, "--reader", "guess")
    assert "makes no vectors" in said("embed", "--model", "reddest", svs, code=4)[0]["refused"]
    assert (
        "0.5 um" in said("embed", "--model", "mean-colour", "--at", "1", svs, code=4)[0]["refused"]
    )
    without = write_svs(tmp_path / "without.svs", pyramid(PICTURE), mpp=None)
    assert "micrometres" in said("embed", "--model", "mean-colour", without, code=4)[0]["refused"]
    (stated,) = said("embed", "--model", "mean-colour", "--mpp", "0.5", without)
    assert stated["finished"] is True


@pytest.mark.usefixtures("models")
def test_a_named_cluster_without_ray_is_refused(svs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.pathology.slide import machines

    monkeypatch.setenv("EPICRISIS_RAY_ADDRESS", "auto")
    monkeypatch.setattr(machines, "ray_installed", lambda: False)
    (refused,) = said("embed", "--model", "mean-colour", svs, code=4)
    assert refused["kind"] == MissingExtraError.__name__


@pytest.mark.usefixtures("models")
def test_switched_off_nothing_is_analysed(svs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPICRISIS_DEVICE_FUNCTIONS", "false")
    assert said("info", svs)[0]["levels"]
    (checked,) = said("check", svs)
    assert checked["not_assessed"]["tissue"]["detail"] == "switched off"
    for command in (["tissue"], ["tiles"], ["embed", "--model", "mean-colour"],
                    ["heatmap", "--model", "reddest"]):  # fmt: skip
        with pytest.raises(UnavailableError, match="switched off"):
            slide("slide", *command, svs)
