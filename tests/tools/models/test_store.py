"""The store takes in what passes every check and gives back only what is still the same."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.errors import ContractError, InvalidValueError, UnavailableError, UnreadableError
from tests.tools.models.builders import classifier, f32, film, output
from tools.models.calibration import Platt, PlattPart
from tools.models.loaded import load_model, steady
from tools.models.output_contract import Threshold
from tools.models.run import ask
from tools.models.site import SiteCalibration
from tools.models.store import ModelStore


def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "store")


def test_a_model_is_added_listed_and_opened(tmp_path: Path) -> None:
    models = store(tmp_path)
    models.add(classifier(tmp_path / "m"))
    (row,) = models.list()
    assert (row.id, row.version, row.problem, row.site) == ("test-model", "1.0", "", False)
    assert ask(models.open("test-model"), film()).result.scores[0].score == pytest.approx(0.5)


def test_only_the_files_of_the_description_are_kept(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "m")
    (folder / "preprocess.py").write_text("raise SystemExit")
    models = store(tmp_path)
    models.add(folder)
    kept = {p.name for p in models.place("test-model").rglob("*") if p.is_file()}
    assert "preprocess.py" not in kept
    assert "model.onnx" in kept


def test_a_model_that_fails_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "m")
    np.save(folder / "golden" / "out.npy", f32([[1.0]]))
    models = store(tmp_path)
    with pytest.raises(ContractError, match="golden"):
        models.add(folder)
    assert models.list() == ()
    assert not list((tmp_path / "store").rglob("*")) if (tmp_path / "store").exists() else True


def test_the_same_again_is_no_error_but_other_files_of_one_version_are(tmp_path: Path) -> None:
    models = store(tmp_path)
    folder = classifier(tmp_path / "m")
    models.add(folder)
    models.add(folder)
    (folder / "MODEL_CARD.md").write_text("# Another card for the same version of the model\n")
    with pytest.raises(InvalidValueError, match="other files"):
        models.add(folder)


def test_a_changed_file_is_found_before_the_model_is_used(tmp_path: Path) -> None:
    models = store(tmp_path)
    models.add(classifier(tmp_path / "m"))
    card = models.place("test-model") / "MODEL_CARD.md"
    card.write_text("# Somebody changed this card after the model was added\n")
    with pytest.raises(UnavailableError, match="not those that were added"):
        models.open("test-model")
    assert "not those that were added" in models.list()[0].problem


def test_a_damaged_record_is_a_problem_of_that_model_alone(tmp_path: Path) -> None:
    models = store(tmp_path)
    models.add(classifier(tmp_path / "m"))
    models.add(classifier(tmp_path / "n", id="other"))
    (models.place("other") / "added.json").write_text("{")
    rows = {row.id: row.problem for row in models.list()}
    assert rows["test-model"] == ""
    assert "damaged" in rows["other"]


def test_a_model_that_is_not_here_or_in_two_versions_is_named(tmp_path: Path) -> None:
    models = store(tmp_path)
    with pytest.raises(InvalidValueError, match="is not here"):
        models.open("nothing")
    models.add(classifier(tmp_path / "m"))
    models.add(classifier(tmp_path / "n", version="2.0"))
    with pytest.raises(InvalidValueError, match=r"test-model@1\.0, test-model@2\.0"):
        models.open("test-model")
    assert models.open("test-model", "2.0").contract.version == "2.0"


def site(sha256: str) -> SiteCalibration:
    return SiteCalibration(
        onnx_sha256=sha256,
        labels_sha256="1" * 64,
        calibration=Platt(
            method="platt",
            parts=(PlattPart(label="opacity", slope=1.0, intercept=1.0),),
            fitted_on="40 cases",
            n=40,
        ),
        thresholds=(Threshold(label="opacity", value=0.6, basis="sensitivity"),),
    )


def test_a_model_that_answers_otherwise_when_asked_again_is_not_added(tmp_path: Path) -> None:
    """Right on its golden vector, of which alone nothing can be drawn; each noise differs."""
    folder = classifier(tmp_path / "m")
    right = load_model(folder)
    golden = right.folder.golden[0]

    class Wavering:
        where = "test"
        asked = 0

        def run(self, inputs: Any, outputs: tuple[str, ...]) -> dict[str, Any]:
            self.asked += 1
            found = right.runner.run(inputs, outputs)
            same = all(np.array_equal(inputs[n], golden.inputs[n]) for n in inputs)
            return found if same else {n: v + np.float32(self.asked) for n, v in found.items()}

    with pytest.raises(ContractError, match="differs when it is asked twice"):
        steady(replace(right, runner=Wavering()))
    steady(right)


def test_a_calibration_that_turns_the_scores_round_is_never_kept(tmp_path: Path) -> None:
    models = store(tmp_path)
    contract = models.add(classifier(tmp_path / "m")).contract
    falls = Platt(
        method="platt",
        parts=(PlattPart(label="opacity", slope=-0.5, intercept=0.0),),
        fitted_on="40 cases",
        n=40,
    )
    turned = site(contract.onnx_sha256).model_copy(update={"calibration": falls})
    with pytest.raises(ContractError, match="turn the model round"):
        models.keep_site("test-model", "1.0", turned)


def test_a_sites_calibration_is_used_and_named_in_the_result(tmp_path: Path) -> None:
    models = store(tmp_path)
    contract = models.add(classifier(tmp_path / "m")).contract
    models.keep_site("test-model", "1.0", site(contract.onnx_sha256))
    model = models.open("test-model")
    found = ask(model, film()).result
    assert found.scores[0].probability == pytest.approx(1 / (1 + np.exp(-1)))
    assert found.scores[0].verdict == "at-or-above"
    assert found.model.calibration.startswith("site ")
    assert model.folder.contract == contract  # the maker's description is as it was
    assert models.list()[0].site


def test_a_calibration_of_another_model_or_a_damaged_one_is_never_used(tmp_path: Path) -> None:
    models = store(tmp_path)
    contract = models.add(classifier(tmp_path / "m")).contract
    with pytest.raises(ContractError, match="another model"):
        models.keep_site("test-model", "1.0", site("2" * 64))
    wrong = replace_label(site(contract.onnx_sha256))
    with pytest.raises(ContractError):
        models.keep_site("test-model", "1.0", wrong)
    (models.place("test-model") / "site.json").write_text(json.dumps({"schema_name": "x"}))
    with pytest.raises(UnreadableError, match="damaged"):
        models.open("test-model")


def replace_label(given: SiteCalibration) -> SiteCalibration:
    return given.model_copy(
        update={"thresholds": (Threshold(label="other", value=0.5, basis="none"),)}
    )


def test_an_outcome_of_the_store_is_the_same_as_of_the_folder(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "m")
    models = store(tmp_path)
    first = models.add(folder)
    again = models.open("test-model")
    bright = replace(film(), pixels=film().pixels / 3)
    assert ask(first, bright).result == ask(again, bright).result


def test_an_abstain_band_of_scores_is_not_used_with_probabilities(tmp_path: Path) -> None:
    models = store(tmp_path)
    folder = classifier(tmp_path / "m", outputs=[output(abstain_band=[0.4, 0.6])])
    contract = models.add(folder).contract
    assert ask(models.open("test-model"), film()).result.scores[0].verdict == "undecided"
    models.keep_site("test-model", "1.0", site(contract.onnx_sha256))
    assert ask(models.open("test-model"), film()).result.scores[0].verdict == "at-or-above"
