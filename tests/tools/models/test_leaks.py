"""A labelled folder in which one patient counts as several, or labels are turned round."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from knowledge.errors import ContractError
from tests.tools.imaging.ct.phantoms import dicom_slice
from tests.tools.models.builders import classifier, image_input
from tools.models.measure.calibrate import calibrate, require_rising
from tools.models.measure.evaluate import evaluate
from tools.models.measure.labelled import answers, read_labelled
from tools.models.store import ModelStore

CASES = 60


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    """A model for any film: the brighter, the higher its score."""
    store = ModelStore(tmp_path / "store")
    store.add(classifier(tmp_path / "m", inputs=[image_input(views=None, age_years=None)]))
    return store


def _table(folder: Path, rows: list[str]) -> Path:
    (folder / "labels.csv").write_text("\n".join(["file,patient,label:opacity,modality", *rows]))
    return folder


def _labelled(folder: Path, *, turned: bool = False) -> Path:
    """Pictures that overlap, brighter with the label, each of a patient of its own."""
    folder.mkdir()
    draw = np.random.default_rng(3)
    rows = []
    for at in range(CASES):
        level = 100 + 30 * (at % 2) + int(draw.normal(0, 35))
        pixels = np.clip(draw.integers(0, 30, (16, 16)) + level, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{at}.png")
        rows.append(f"{at}.png,P{at},{(at % 2) ^ turned},DX")
    return _table(folder, rows)


@pytest.mark.parametrize("method", ["platt", "temperature"])
def test_labels_that_are_turned_round_are_told_and_not_kept(
    tmp_path: Path, models: ModelStore, method: str
) -> None:
    model, cases = models.open("test-model"), read_labelled(_labelled(tmp_path / "c", turned=True))
    found = calibrate(model, cases, method=method, fix="sensitivity", target=0.9)  # type: ignore[arg-type]
    assert found.labels[0].area.ci is not None
    assert found.labels[0].area.ci[1] < 0.5
    assert found.falling == ("opacity",)
    assert any("the scores fall with it" in note for note in found.notes)
    with pytest.raises(ContractError, match="turned round"):
        require_rising(found)


def test_labels_the_right_way_round_are_kept(tmp_path: Path, models: ModelStore) -> None:
    cases = read_labelled(_labelled(tmp_path / "c"))
    found = calibrate(
        models.open("test-model"), cases, method="platt", fix="sensitivity", target=0.9
    )
    assert found.falling == ()
    require_rising(found)


def test_one_picture_of_two_patients_is_refused(tmp_path: Path, models: ModelStore) -> None:
    folder = _labelled(tmp_path / "c")
    shutil.copy(folder / "0.png", folder / "again.png")
    rows = ["0.png,P0,0,DX", "1.png,P1,1,DX", "again.png,%s,0,DX"]
    text = "\n".join(rows)
    model = models.open("test-model")
    with pytest.raises(ContractError, match=r"0\.png and again\.png hold the same"):
        answers(model, read_labelled(_table(folder, [text % "P9"])))
    assert len(answers(model, read_labelled(_table(folder, [text % "P0"]))).cases) == 3


def test_the_calibrations_cases_are_known_again_under_other_names(
    tmp_path: Path, models: ModelStore
) -> None:
    folder = _labelled(tmp_path / "c")
    found = calibrate(
        models.open("test-model"), read_labelled(folder), method="platt", fix="sensitivity",
        target=0.9,
    )  # fmt: skip
    models.keep_site("test-model", "1.0", found.site)
    model = models.open("test-model")

    def notes(name: str, rows: list[str], shift: int = 0) -> tuple[str, ...]:
        other = tmp_path / name
        other.mkdir()
        for at in range(CASES):
            if at < CASES // 2 or not shift:
                shutil.copy(folder / f"{at}.png", other / f"case{at}.png")
            else:
                with Image.open(folder / f"{at}.png") as opened:
                    Image.fromarray(np.asarray(opened) // 2 + shift).save(other / f"case{at}.png")
        return evaluate(model, read_labelled(_table(other, rows))).notes

    rows = [f"case{at}.png,Q{at},{at % 2},DX" for at in range(CASES)]
    whole = "these cases were used to calibrate: every figure is too good"
    assert whole in notes("renamed", rows[::-1])
    assert f"30 of 60 {whole.removeprefix('these ')}" in notes("half", rows, 9)
    named = [f"case{at}.png,P{at},{at % 2},DX" for at in range(CASES // 2, CASES)]
    assert any("30 of 30 patients have the name" in note for note in notes("others", named, 9))
    assert b"P17" not in (models.place("test-model") / "site.json").read_bytes()


def _films(folder: Path, patients: list[str], **shared: str) -> Path:
    """Films whose headers name the same patient, whatever the column says."""
    folder.mkdir()
    draw = np.random.default_rng(1)
    rows = []
    for at, patient in enumerate(patients):
        pixels = draw.integers(-1000, 1000, (16, 16)).astype(np.int16)
        stated = {
            "Modality": "DX", "RescaleSlope": None, "RescaleIntercept": None, "RescaleType": None,
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "BitsStored": 12, "HighBit": 11,
            "SOPInstanceUID": f"1.2.9.{at}",
        }  # fmt: skip
        (folder / f"{at}.dcm").write_bytes(dicom_slice(pixels, **{**stated, **shared}))
        rows.append(f"{at}.dcm,{patient},{at % 2},")
    return _table(folder, rows)


def test_films_of_one_patient_that_count_as_several_are_refused(
    tmp_path: Path, models: ModelStore
) -> None:
    model = models.open("test-model")
    with pytest.raises(ContractError, match="are of one patient by their headers and of two"):
        answers(model, read_labelled(_films(tmp_path / "a", ["P0", "P1"])))
    assert len(answers(model, read_labelled(_films(tmp_path / "b", ["P0", "P0"]))).cases) == 2


def test_a_shared_number_alone_is_told(tmp_path: Path, models: ModelStore) -> None:
    """Archives without names may give all one number: that contradicts nobody."""
    unnamed = {"PatientName": "", "PatientBirthDate": "", "PatientID": "ANONYM"}
    found = answers(
        models.open("test-model"), read_labelled(_films(tmp_path / "a", ["P0", "P1"], **unnamed))
    )
    assert found.notes == (
        "files of 2 patients of the column carry a patient number that another one has too",
    )


def test_films_of_two_patients_that_count_as_one_are_refused(
    tmp_path: Path, models: ModelStore
) -> None:
    folder = _films(tmp_path / "a", ["P0", "P0"])
    other = _films(
        tmp_path / "b", ["P0", "P0"], PatientName="Other^One", PatientBirthDate="19500101"
    )
    shutil.copy(other / "1.dcm", folder / "1.dcm")
    with pytest.raises(ContractError, match="are of two patients by their headers and of one"):
        answers(models.open("test-model"), read_labelled(folder))


def test_one_patient_is_too_few_for_folds_and_so_it_is_said(
    tmp_path: Path, models: ModelStore
) -> None:
    folder = _labelled(tmp_path / "c")
    _table(folder, [f"{at}.png,P1,{at % 2},DX" for at in range(CASES)])
    with pytest.raises(ContractError, match="1 patient: too few for five folds"):
        calibrate(
            models.open("test-model"), read_labelled(folder), method="platt", fix="sensitivity",
            target=0.9,
        )  # fmt: skip
