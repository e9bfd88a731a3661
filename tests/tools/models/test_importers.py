"""Bundles of others become ours; what they do not say has to be given and is never guessed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from onnx import helper

from knowledge.errors import ContractError, InputError, InvalidValueError, UnreadableError
from tests.tools.models.builders import (
    CARD,
    LICENCE,
    contract,
    f32,
    film,
    graph,
    image_input,
    output,
)
from tools.models.importers import bring
from tools.models.loaded import load_model
from tools.models.run import ask


def named_graph() -> bytes:
    """A mask where the value is above a half: logit (x - 0.5) x 20."""
    return graph(
        [
            helper.make_node("Sub", ["x", "half"], ["c"]),
            helper.make_node("Mul", ["c", "twenty"], ["pred"]),
        ],
        input_shape=[1, 1, 8, 8],
        outputs={"pred": [1, 1, 8, 8]},
        constants={"half": f32(0.5), "twenty": f32(20)},
    )


def given(folder: Path, **changes: Any) -> Path:
    """What neither form says, with golden vectors beside it."""
    whole = contract(b"", task="segmentation")
    said = {
        key: whole[key]
        for key in (
            "task", "contraindications", "regulatory_status", "status", "performance", "licence",
            "intended_use", "training_data",
        )
    }  # fmt: skip
    described = image_input(fit={"kind": "stretch"})
    drop = ("name", "modality", "shape", "dtype")
    said["inputs"] = [{key: value for key, value in described.items() if key not in drop}]
    mask = output(
        "mask", labels=("spleen",), thresholds=[{"label": "spleen", "value": 0.5, "basis": "t"}]
    )
    said["outputs"] = [{k: v for k, v in mask.items() if k not in ("name", "kind", "labels")}]
    said["golden"] = [
        {"inputs": {"x": "in.npy"}, "outputs": {"pred": "out.npy"}, "atol": 1e-4, "rtol": 1e-4}
    ]
    said.update(changes)
    folder.mkdir(exist_ok=True)
    ones = np.ones((1, 1, 8, 8), np.float32)
    np.save(folder / "in.npy", ones)
    np.save(folder / "out.npy", ones * 10)
    (folder / "given.json").write_text(json.dumps(said), "utf-8")
    return folder / "given.json"


def monai(folder: Path, **changes: Any) -> Path:
    """A bundle as its specification describes it (MONAI Bundle Specification)."""
    meta = {
        "version": "0.1.0",
        "monai_version": "1.4.0",
        "pytorch_version": "2.5.0",
        "numpy_version": "1.26.4",
        "optional_packages_version": {},
        "task": "Spleen segmentation",
        "description": "A bundle for a test",
        "authors": "the test",
        "copyright": "none",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image", "format": "hounsfield", "modality": "CT", "num_channels": 1,
                    "spatial_shape": [8, 8], "dtype": "float32", "value_range": [0, 1],
                    "is_patch_data": True, "channel_def": {"0": "image"},
                }
            },
            "outputs": {
                "pred": {
                    "type": "image", "format": "classes", "num_channels": 1,
                    "spatial_shape": [8, 8], "dtype": "float32", "value_range": [],
                    "is_patch_data": True, "channel_def": {"0": "spleen"},
                }
            },
        },
        **changes,
    }  # fmt: skip
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "configs" / "metadata.json").write_text(json.dumps(meta), "utf-8")
    (folder / "configs" / "inference.json").write_text('{"x": "$import os"}', "utf-8")
    (folder / "models" / "model.onnx").write_bytes(named_graph())
    (folder / "docs" / "README.md").write_text(CARD, "utf-8")
    (folder / "LICENSE").write_text(LICENCE, "utf-8")
    return folder


def test_a_monai_bundle_with_what_it_lacks_runs(tmp_path: Path) -> None:
    with bring(monai(tmp_path / "b"), "monai", given(tmp_path / "g")) as made:
        model = load_model(made)
    said = model.contract
    assert (said.id, said.version, said.title) == (
        "spleen-segmentation", "0.1.0", "Spleen segmentation",
    )  # fmt: skip
    assert said.input.modality == ("CT",)
    assert said.input.shape == (1, 1, 8, 8)
    assert said.outputs[0].labels == ("spleen",)
    found = ask(model, film(modality="CT", spacing_mm=(1.0, 1.0))).result
    assert found.mask[0].pixels == 16 * 8


@pytest.mark.parametrize(
    "lost", ["performance", "contraindications", "regulatory_status", "golden"]
)
def test_what_a_bundle_does_not_say_and_nobody_gives_is_refused(tmp_path: Path, lost: str) -> None:
    file = given(tmp_path / "g")
    said = json.loads(file.read_text("utf-8"))
    del said[lost]
    file.write_text(json.dumps(said), "utf-8")
    with (
        pytest.raises(ContractError, match=lost),
        bring(monai(tmp_path / "b"), "monai", file) as made,
    ):
        load_model(made)


def test_a_bundle_is_not_overruled(tmp_path: Path) -> None:
    file = given(tmp_path / "g", version="9.9")
    with (
        pytest.raises(ContractError, match=r"model\.json\.version"),
        bring(monai(tmp_path / "b"), "monai", file),
    ):
        pass


def test_a_bundle_without_onnx_or_with_two_inputs_is_refused(tmp_path: Path) -> None:
    folder = monai(tmp_path / "b")
    (folder / "models" / "model.onnx").unlink()
    with pytest.raises(UnreadableError, match="no ONNX file"), bring(folder, "monai", None):
        pass
    two: dict[str, Any] = {"inputs": {"a": {}, "b": {}}, "outputs": {}}
    folder = monai(tmp_path / "c", network_data_format=two)
    with pytest.raises(ContractError, match="2 inputs"), bring(folder, "monai", None):
        pass


def bioimage(folder: Path, **changes: Any) -> Path:
    """A model of BioImage.IO, format 0.5, as its field reference describes it."""
    folder.mkdir(parents=True, exist_ok=True)
    made = named_graph()
    (folder / "weights.onnx").write_bytes(made)
    raw = np.full((1, 1, 8, 8), 255, np.uint8)
    np.save(folder / "test_input.npy", raw)
    np.save(folder / "test_output.npy", np.full((1, 1, 8, 8), 10, np.float32))
    (folder / "README.md").write_text(CARD, "utf-8")
    (folder / "LICENSE").write_text(LICENCE, "utf-8")

    def axes(*names: str) -> list[dict[str, Any]]:
        space = [{"type": "space", "id": a, "size": 8} for a in ("y", "x")]
        return [
            {"type": "batch", "size": 1},
            {"type": "channel", "channel_names": [*names]},
            *space,
        ]

    rdf: dict[str, Any] = {
        "format_version": "0.5.4",
        "type": "model",
        "name": "Bright things",
        "version": "1.2",
        "description": "for a test",
        "license": "CC0-1.0",
        "authors": [{"name": "the test"}],
        "documentation": "README.md",
        "inputs": [
            {
                "id": "raw",
                "axes": axes("grey"),
                "preprocessing": [
                    {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
                    {"id": "scale_linear", "kwargs": {"gain": 1 / 255, "offset": 0.0}},
                ],
                "test_tensor": {"source": "test_input.npy"},
            }
        ],
        "outputs": [
            {
                "id": "prediction",
                "axes": axes("bright"),
                "test_tensor": {"source": "test_output.npy"},
            }
        ],
        "weights": {
            "onnx": {
                "source": "weights.onnx",
                "sha256": hashlib.sha256(made).hexdigest(),
                "opset_version": 17,
            }
        },
        **changes,
    }
    (folder / "rdf.yaml").write_text(yaml.safe_dump(rdf), "utf-8")
    return folder


def given_for_bioimage(folder: Path) -> Path:
    file = given(folder)
    said = json.loads(file.read_text("utf-8"))
    del said["golden"], said["licence"]
    inputs = {k: v for k, v in said["inputs"][0].items() if k not in ("axes", "normalise")}
    said["inputs"] = [{**inputs, "modality": ["DX"], "dtype": "float32"}]
    said["outputs"] = [{**said["outputs"][0], "kind": "mask", "labels": ["spleen"]}]
    file.write_text(json.dumps(said), "utf-8")
    return file


def test_a_bioimage_model_runs_and_its_test_tensors_are_the_golden_vectors(tmp_path: Path) -> None:
    with bring(bioimage(tmp_path / "b"), "bioimage", given_for_bioimage(tmp_path / "g")) as made:
        model = load_model(made)
    assert (model.contract.id, model.contract.version) == ("bright-things", "1.2")
    assert model.contract.licence == "CC0-1.0"
    assert ask(model, film()).result.mask[0].pixels == 16 * 8


def change_rdf(folder: Path, **changes: Any) -> Path:
    rdf = yaml.safe_load((folder / "rdf.yaml").read_text("utf-8"))
    rdf.update(changes)
    (folder / "rdf.yaml").write_text(yaml.safe_dump(rdf), "utf-8")
    return folder


def test_a_bioimage_model_that_needs_what_is_not_done_here_is_refused(tmp_path: Path) -> None:
    folder = bioimage(tmp_path / "b")
    rdf = yaml.safe_load((folder / "rdf.yaml").read_text("utf-8"))
    step = {"id": "scale_range", "kwargs": {"min_percentile": 1, "max_percentile": 99}}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"inputs": [{**rdf["inputs"][0], "preprocessing": [step]}]}, "scale_range"),
        ({"outputs": [{**rdf["outputs"][0], "postprocessing": [{"id": "sigmoid"}]}]}, "post-proc"),
        ({"format_version": "0.4.10"}, "format 0.5"),
        ({"type": "dataset"}, "no model"),
        ({"weights": {"torchscript": {}}}, "no ONNX weights"),
        ({"weights": {"onnx": {"source": "weights.onnx", "sha256": "0" * 64}}}, "SHA-256"),
        ({"weights": {"onnx": {"source": "../weights.onnx"}}}, "leads out"),
        ({"weights": {"onnx": {"source": "https://elsewhere.test/w.onnx"}}}, "no file"),
        ({"inputs": [rdf["inputs"][0]] * 2}, "one of inputs"),
    ]
    for changes, said in cases:
        broken = change_rdf(bioimage(tmp_path / "b"), **changes)
        with pytest.raises(InputError, match=said), bring(broken, "bioimage", None):
            pass


@pytest.mark.parametrize("content", ["", "a: [", "!!python/object/apply:os.system ['true']", "1"])
def test_what_is_no_description_is_refused(tmp_path: Path, content: str) -> None:
    folder = bioimage(tmp_path / "b")
    (folder / "rdf.yaml").write_text(content, "utf-8")
    with pytest.raises(InputError), bring(folder, "bioimage", None):
        pass


def test_an_unknown_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="unknown form"), bring(tmp_path, "keras", None):
        pass
