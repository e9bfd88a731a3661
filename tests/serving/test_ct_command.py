"""``epicrisis ct measure`` on series that lie in folders."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from knowledge.errors import ContractError, IdentityConflictError, InvalidValueError
from serving.commands.ct import register
from tests.tools.imaging.ct.phantoms import Nodule, block, series, write

SPACING = (1.25, 0.7, 0.7)
MIDDLE = (20.0, 20.0, 20.0)


def _folder(path: Path, mm: float, day: str, **changes: object) -> Path:
    """Write a piece of lung with a nodule in its middle and a wall behind it."""
    hu = block([Nodule(MIDDLE, mm)], spacing=SPACING, size=48, wall=6)
    return write(
        path,
        series(hu, SPACING, AcquisitionDate=day, StudyDate=day, SeriesInstanceUID=f"1.{day}",
               **changes),
    )  # fmt: skip


def _run(*arguments: str) -> str:
    app = typer.Typer()
    register(app)
    found = CliRunner().invoke(app, ["ct", "measure", *arguments])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.stdout


def test_a_nodule_its_growth_and_its_level_and_what_is_not_assessed(tmp_path: Path) -> None:
    """8 to 10 mm in 181 days: +95 %, 187 days (see test_growth); lungs of a cube are none."""
    now = _folder(tmp_path / "now", 10, "20260701")
    before = _folder(tmp_path / "before", 8, "20260101")
    body = json.loads(
        _run(str(now), "--seed", "20,20,20", "--prior", str(before), "--prior-seed", "20,20,20",
             "--set", "smoking_ever=yes", "--json")
    )  # fmt: skip
    nodule = body["nodules"][0]
    assert nodule["measure"]["mean_mm"] == pytest.approx(10, abs=0.4)
    assert nodule["measure"]["kind"] == "solid"
    assert nodule["growth"]["verdict"] == "growth"
    assert nodule["growth"]["doubling_days"] == pytest.approx(187, abs=12)
    assert nodule["management"]["level"]["possible"][-1] == "malignant"
    assert "level" not in nodule["management"]["level"]
    assert "no validated model configured" in body["not_assessed"]["detection"]["detail"]
    assert body["not_assessed"]["lungs"]["detail"].startswith("lungs: ")
    assert "lungs" not in body
    assert body["not_assessed"]["agatston"]["detail"] == "no mask of the coronaries given"
    assert "Research use" in body["notice"] or "research" in body["notice"].lower()


def test_the_text_says_the_same_in_words_and_a_seed_may_be_a_voxel(tmp_path: Path) -> None:
    now = _folder(tmp_path / "now", 10, "20260701")
    text = _run(str(now), "--voxels", "--seed", "29,29,16")
    assert "Nodule 1 at 20" in text
    assert "Fleischner 2017" in text
    assert "Suggested level: not determined" in text
    assert "other findings: not assessed: no validated model configured" in text
    for raw in ("ct-3-or-pet", "part-solid-ct", "category-", "lung_rads", "missing:"):
        assert raw not in text
    assert text.count("High risk for lung cancer") == 1
    chinese = _run(str(now), "--voxels", "--seed", "29,29,16", "--lang", "zh")
    assert "建议级别: 未确定" in chinese
    assert "可选12个月CT" in chinese or "考虑3个月CT" in chinese


def test_the_measured_nodule_goes_into_a_reading(tmp_path: Path) -> None:
    from evals.phantoms.readings import reading

    now = _folder(tmp_path / "now", 10, "20260701")
    made = reading("ct_nodules")
    study = made.study.model_copy(update={"study_uid": "1.2.1", "images": ()})
    given = tmp_path / "reading.json"
    given.write_text(json.dumps(made.model_copy(update={"study": study}).to_json()), "utf-8")
    out = tmp_path / "next.json"
    _run(str(now), "--seed", "20,20,20", "--reading", str(given), "--reading-out", str(out))
    body = json.loads(out.read_text("utf-8"))
    (entry,) = body["items"]["nodules"]["entries"]
    assert entry["items"]["nodule_diameter"]["number"] == pytest.approx(10, abs=0.4)
    with pytest.raises(InvalidValueError, match="one is given without the other"):
        _run(str(now), "--reading", str(given))


def test_a_seed_beside_the_nodule_is_not_assessed_and_the_rest_is_measured(tmp_path: Path) -> None:
    now = _folder(tmp_path / "now", 10, "20260701")
    body = json.loads(_run(str(now), "--seed", "20,20,20", "--seed", "33,33,40", "--json"))
    first, second = body["nodules"]
    assert first["measure"]["mean_mm"] == pytest.approx(10, abs=0.4)
    assert "measure" not in second
    assert "nothing denser than the lung there" in second["not_assessed"]["nodule"]["detail"]


def test_two_patients_are_refused(tmp_path: Path) -> None:
    now = _folder(tmp_path / "now", 10, "20260701")
    before = _folder(
        tmp_path / "before", 8, "20260101", PatientID="9915522", PatientName="Berger^Otto"
    )
    with pytest.raises(IdentityConflictError, match="different patients"):
        _run(str(now), "--seed", "20,20,20", "--prior", str(before), "--prior-seed", "20,20,20",
             "--json")  # fmt: skip


def test_wrong_use_is_refused_with_the_way_out(tmp_path: Path) -> None:
    now = _folder(tmp_path / "now", 10, "20260701")
    with pytest.raises(InvalidValueError, match=r"is not x,y,z"):
        _run(str(now), "--seed", "20;20;20")
    with pytest.raises(InvalidValueError, match="not in the volume"):
        _run(str(now), "--seed", "900,20,20")
    with pytest.raises(InvalidValueError, match="without --prior"):
        _run(str(now), "--seed", "20,20,20", "--prior-seed", "1,2,3")
    with pytest.raises(ContractError, match="1 on the series and 0 on the earlier one"):
        _run(str(now), "--seed", "20,20,20", "--prior", str(now))


def test_a_child_is_refused(tmp_path: Path) -> None:
    young = _folder(tmp_path / "young", 10, "20260701", PatientAge="009Y")
    with pytest.raises(ContractError, match="made for adults"):
        _run(str(young), "--seed", "20,20,20")


def test_a_mask_is_read_onto_the_series_and_one_of_another_place_refused(tmp_path: Path) -> None:
    """A tube of 10 x 30 x 30 voxels is no aorta: refused with the reason, beside the rest."""
    nibabel = pytest.importorskip("nibabel")
    now = _folder(tmp_path / "now", 10, "20260701")
    mask = np.zeros((69, 69, 38), np.uint8)
    mask[20:30, 20:30, 5:15] = 1
    ras = np.diag([-0.7, -0.7, 1.25, 1.0])
    nibabel.save(nibabel.Nifti1Image(mask, ras), tmp_path / "mask.nii.gz")
    body = json.loads(_run(str(now), "--aorta-mask", str(tmp_path / "mask.nii.gz"), "--json"))
    assert "too short" in body["not_assessed"]["aorta"]["detail"]
    away = ras.copy()
    away[:3, 3] = 500
    nibabel.save(nibabel.Nifti1Image(mask, away), tmp_path / "away.nii.gz")
    with pytest.raises(ContractError, match="lies outside the series"):
        _run(str(now), "--aorta-mask", str(tmp_path / "away.nii.gz"))


def test_switched_off_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from knowledge.errors import UnavailableError

    monkeypatch.setenv("EPICRISIS_DEVICE_FUNCTIONS", "false")
    with pytest.raises(UnavailableError, match="switched off"):
        _run(str(tmp_path))
