# ruff: noqa: RUF001
"""``epicrisis film check`` and ``epicrisis film measure``."""

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from knowledge.errors import ContractError, UnavailableError, UnreadableError, UnsupportedError
from serving.commands.film import register
from tests.data_folder import shared_data
from tests.tools.imaging.film.phantoms import chest, dicom, png
from tests.tools.imaging.film.test_into_reading import _reading


def _run(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    found = CliRunner().invoke(app, ["film", *arguments])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom(chest(heart=390).grey))
    return path


def test_check_prints_every_item_and_what_may_be_tried(film: Path) -> None:
    found = _run("check", str(film))
    assert found.exit_code == 0
    assert "Research use only" in found.stdout
    assert "  Radiograph: yes (header: modality CR)" in found.stdout
    assert "  Chest: yes (header: body part chest)" in found.stdout
    assert "  Lateral or oblique view: no (header: view PA)" in found.stdout
    assert "  Adult: yes (header: 51 years)" in found.stdout
    assert "  Patient rotated: not known (no validated method" in found.stdout
    assert (
        "May be tried: lung fields, cardiothoracic ratio, ratio against its limit" in found.stdout
    )


def test_no_line_of_the_gate_denies_twice(tmp_path: Path) -> None:
    """What is asked holds no `not` and no `no`: a `no` answers it plainly."""
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom(chest().grey, Modality="OT", BodyPartExamined="LEG", PixelSpacing=None))
    lines = [x for x in _run("check", str(path)).stdout.splitlines() if x.startswith("  ")]
    items = [line.strip() for line in lines if "Refused" not in line]
    assert len(items) == 21
    for item in items:
        asked, answer = item.split(": ", 1)
        assert not {"not", "no", "another"} & set(asked.casefold().split(",")[0].split()), item
        assert answer.startswith(("yes", "no (", "no", "not known (")), item
    assert "Radiograph: no (header: modality OT)" in items
    assert "Chest: no (header: body part leg)" in items
    assert "Pixel spacing stated: no (header: none; no width is given in mm)" in items
    assert "  Refused: lung fields (modality OT)" in lines


def test_where_the_outline_is_wrong_neither_fields_nor_edge_are_told_from_it(
    tmp_path: Path,
) -> None:
    """On this film the outline ends above the lower chest wall."""
    path = shared_data("cxr-nih") / "images" / "00000211_013.png"
    said = ("--view", "PA", "--age", "50", "--out", str(tmp_path))
    lines = _run("measure", str(path), *said).stdout.splitlines()
    why = "the chest is widest in its upper part: the lower chest wall is likely lost"
    assert f"lung fields: not assessed: {why}" in lines
    assert f"cardiothoracic ratio: not assessed: {why}" in lines
    edge = f"  Lung field cut off by the edge: not known (no outline was accepted: {why})"
    assert edge in lines
    assert not [line for line in lines if line.startswith("Lung field ")]
    body = json.loads((tmp_path / "report.json").read_bytes())
    assert body["fields"] == []


def test_check_as_json_holds_the_same(film: Path) -> None:
    body = json.loads(_run("check", str(film), "--json").stdout)
    states = {item["id"]: item["state"] for item in body["gate"]["items"]}
    assert states["ap"] == "absent"
    assert states["inspiration"] == "not_assessed"
    assert "Research use only" in body["notice"]


def test_a_lateral_film_is_checked_and_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "lateral.dcm"
    path.write_bytes(dicom(chest().grey, ViewPosition="LL"))
    found = _run("measure", str(path), "--out", str(tmp_path / "out"))
    assert found.exit_code == 0
    assert "cardiothoracic ratio: not assessed: view LATERAL" in found.stdout


def test_measure_writes_overlay_and_report_and_says_approximate(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = _run("measure", str(film), "--out", str(out))
    assert found.exit_code == 0
    assert "approximate: review the overlay" in found.stdout
    assert "above 0.50, the limit of adults on PA films" in found.stdout
    assert "signs: not assessed: no validated model configured" in found.stdout
    assert (out / "overlay.png").read_bytes().startswith(b"\x89PNG")
    body = json.loads((out / "report.json").read_bytes())
    assert body["ratio"]["judged"] == "above"


def test_a_picture_is_judged_only_with_view_and_age_stated(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(png(chest(heart=390).grey))
    out = str(tmp_path / "out")
    alone = json.loads(_run("measure", str(path), "--out", out, "--json").stdout)
    assert "judged" not in alone["ratio"]
    assert "the view is not known" in alone["ratio"]["why_not_judged"]["detail"]
    stated = _run("measure", str(path), "--out", out, "--view", "PA", "--age", "51", "--json")
    assert json.loads(stated.stdout)["ratio"]["judged"] == "above"


def test_a_reading_is_filled(film: Path, tmp_path: Path) -> None:
    reading = tmp_path / "reading.json"
    reading.write_bytes(orjson.dumps(_reading().to_json()))
    out = tmp_path / "out"
    _run("measure", str(film), "--out", str(out), "--reading", str(reading))
    body = json.loads((out / "reading.json").read_bytes())
    assert body["version"] == 2
    assert body["items"]["ctr"]["said"]["by"] == "measurement"


def test_unusable_files_are_refused_by_name(film: Path, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cannot be opened"):
        _run("check", str(tmp_path / "none.dcm"))
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(film.read_bytes()[:-9000])
    with pytest.raises(UnreadableError, match="ends early"):
        _run("check", str(cut))
    text = tmp_path / "text.txt"
    text.write_text("a film")
    with pytest.raises(UnsupportedError, match="no film"):
        _run("check", str(text))


def test_the_dog_is_refused_as_a_human_chest() -> None:
    with pytest.raises(ContractError, match="not of a human patient"):
        _run("check", str(shared_data("dicom-misc") / "dx_image.dcm"))


def test_switched_off_nothing_is_measured_and_the_header_is_still_checked(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPICRISIS_DEVICE_FUNCTIONS", "false")
    with pytest.raises(UnavailableError, match="switched off"):
        _run("measure", str(film), "--out", str(tmp_path))
    found = _run("check", str(film))
    assert "AP view: no (header" in found.stdout
    assert "Light and dark exchanged: not known (switched off" in found.stdout
    assert "May be tried: nothing" in found.stdout


def test_the_tool_is_listed() -> None:
    from tools.imaging.film.report import chest_film
    from tools.toolbox import discover

    assert discover()["chest_film"] is chest_film
    assert chest_film.card.regulatory == "device-function"


_OF_THE_FILE = re.compile(
    r"[A-Z][A-Z0-9_]+(?:=true)?|film\.\w+|chest|leg|portable|mm|x|X线片|(?<=方位 )[LR] F"
)
"""What stays as it is in Chinese: words of the header, names of files, units."""


@pytest.mark.parametrize(
    "made",
    [
        {"heart": 390},
        {"heart": 300},
        {"heart": 330, "ViewPosition": "AP", "PatientAge": "000Y", "PatientBirthDate": ""},
        {"heart": 390, "PatientAge": "009Y"},
        {"heart": 390, "PhotometricInterpretation": "MONOCHROME1"},
        {"heart": 390, "ViewPosition": "LL"},
        {"heart": 390, "Modality": "OT", "BodyPartExamined": "LEG", "PixelSpacing": None},
        {"heart": 390, "ViewPosition": "", "PatientOrientation": ["R", "F"]},
        {"one_lung": True},
    ],
    ids=str,
)
def test_every_line_is_told_in_chinese(tmp_path: Path, made: dict[str, Any]) -> None:
    drawing = {key: made[key] for key in ("heart", "one_lung") if key in made}
    header = {key: value for key, value in made.items() if key not in drawing}
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom(chest(**drawing).grey, **header))
    out = _run("measure", str(path), "--out", str(tmp_path / "out"), "--lang", "zh").stdout
    assert "仅供研究" in out
    for line in out.splitlines()[:-1]:
        left = re.findall(r"[A-Za-z]+", _OF_THE_FILE.sub("", line))
        assert not left, f"not told: {line}"


def test_a_picture_is_told_in_chinese_and_approximate_says_to_review(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(png(chest(heart=390).grey))
    out = _run("measure", str(path), "--out", str(tmp_path / "out"), "--lang", "zh").stdout
    assert "近似值，请查看叠加图" in out
    assert "投照位未知，而界值只用于后前位片" in out
    checked = _run("check", str(path), "--lang", "zh").stdout
    for line in checked.splitlines():
        assert not re.findall(r"[A-Za-z]+", _OF_THE_FILE.sub("", line)), line
