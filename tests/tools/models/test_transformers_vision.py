"""Vision models of transformers: random weights made here, exported, and asked like any other."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from knowledge.errors import ContractError, MissingExtraError, UnreadableError
from tests.tools.models.builders import CARD, LICENCE, contract, image_input
from tools.models.importers import bring
from tools.models.importers.transformers_vision import read_transformers
from tools.models.loaded import load_model
from tools.models.reading import Stated, read_sample
from tools.models.run import ask

SIDE = 32
HERE = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
needs_extra = pytest.mark.skipif(not HERE, reason="the extra transformers-vision is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the packages while they are imported

CONFIG: dict[str, Any] = {
    "architectures": ["ViTForImageClassification"], "model_type": "vit", "num_channels": 3,
    "id2label": {"0": "none", "1": "nodule", "2": "mass"},
}  # fmt: skip
PICTURES: dict[str, Any] = {
    "do_resize": True, "do_rescale": True, "do_normalize": True, "rescale_factor": 1 / 255,
    "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4],
    "image_processor_type": "ViTImageProcessor", "size": {"height": SIDE, "width": SIDE},
}  # fmt: skip


def _folder(place: Path, config: dict[str, Any], pictures: dict[str, Any]) -> Path:
    place.mkdir()
    (place / "config.json").write_text(json.dumps(config), "utf-8")
    (place / "preprocessor_config.json").write_text(json.dumps(pictures), "utf-8")
    (place / "model.safetensors").write_bytes(b"")
    (place / "README.md").write_text(CARD, "utf-8")
    (place / "LICENSE").write_text(LICENCE, "utf-8")
    return place


def _made(place: Path, *, encoder: bool = False) -> Path:
    """A network of two layers with random weights, as the package itself saves it."""
    import torch  # type: ignore[import-not-found]
    from transformers import (  # type: ignore[import-not-found]
        ViTConfig,
        ViTForImageClassification,
        ViTModel,
    )

    torch.manual_seed(5)
    labels = {int(key): name for key, name in CONFIG["id2label"].items()}
    config = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        image_size=SIDE, patch_size=8, id2label=labels, label2id={n: k for k, n in labels.items()},
    )  # fmt: skip
    network = ViTModel(config) if encoder else ViTForImageClassification(config)
    network.save_pretrained(place)
    (place / "preprocessor_config.json").write_text(json.dumps(PICTURES), "utf-8")
    (place / "README.md").write_text(CARD, "utf-8")
    (place / "LICENSE").write_text(LICENCE, "utf-8")
    return place


def _given(place: Path, *, encoder: bool = False) -> Path:
    whole = contract(b"")
    keys = (
        "id", "version", "title", "intended_use", "contraindications", "regulatory_status",
        "status", "licence", "authors", "training_data", "performance",
    )  # fmt: skip
    tile = image_input(kind="tile", modality=["SM"], views=None, age_years=None)
    known = (
        "name", "axes", "shape", "dtype", "orientation", "window", "fs_hz", "leads", "photometric",
        "normalise", "fit", "embedding_of",
    )  # fmt: skip
    output: dict[str, Any] = {
        "background": None, "calibration": {"method": "none"}, "thresholds": [],
        "abstain_band": None, "boxes": None, "aggregate": None,
    }  # fmt: skip
    said: dict[str, Any] = {key: whole[key] for key in keys}
    said["inputs"] = [{k: v for k, v in tile.items() if k not in known}]
    said["outputs"] = [output if encoder else {**output, "codes": [None] * 3}]
    place.write_text(json.dumps(said), "utf-8")
    return place


@needs_extra
def test_a_classifier_gives_here_what_the_package_itself_gives(tmp_path: Path) -> None:
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    folder = _made(tmp_path / "vit")
    pixels = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "tile.png")
    processor = AutoImageProcessor.from_pretrained(str(folder), backend="pil")
    ready = processor(images=Image.fromarray(pixels), return_tensors="pt")
    network = AutoModelForImageClassification.from_pretrained(str(folder)).eval()
    expected = network(**ready).logits.softmax(-1).detach().numpy()[0]
    with bring(folder, "transformers", _given(tmp_path / "given.json")) as made:
        model = load_model(made)
    found = ask(model, read_sample(tmp_path / "tile.png", "tile", Stated(modality="SM"))).result
    assert [s.label for s in found.scores] == ["none", "nodule", "mass"]
    assert [s.score for s in found.scores] == pytest.approx(list(expected), abs=1e-4)
    assert model.runner.where.startswith("onnxruntime")
    assert "torchvision" not in sys.modules


@needs_extra
def test_an_encoder_gives_the_vector_of_its_first_token(tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = _made(tmp_path / "vit", encoder=True)
    with bring(folder, "transformers", _given(tmp_path / "given.json", encoder=True)) as made:
        model = load_model(made)
        ready = np.load(made / "golden" / "in.npy")
    import torch

    network = AutoModel.from_pretrained(str(folder)).eval()
    with torch.no_grad():
        expected = network(pixel_values=torch.from_numpy(ready)).last_hidden_state[0, 0].numpy()
    (vector,) = model.runner.run({"pixel_values": ready}, ("vector",)).values()
    assert vector[0] == pytest.approx(expected, abs=1e-4)


@needs_extra
def test_a_processor_that_does_something_else_is_refused(tmp_path: Path) -> None:
    folder = _made(tmp_path / "vit")
    # that processor crops to 224 unless told otherwise, which the file does not say
    odd = {**PICTURES, "image_processor_type": "CLIPImageProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(odd), "utf-8")
    with pytest.raises(ContractError, match="something else than it says"):
        read_transformers(folder)


@pytest.mark.skipif(HERE, reason="the extra is installed")
def test_without_the_package_the_extra_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "vit", CONFIG, PICTURES)
    with pytest.raises(MissingExtraError, match="transformers-vision"):
        read_transformers(folder)


@pytest.mark.parametrize(
    ("config", "pictures", "reason"),
    [
        ({"auto_map": {"AutoModel": "x.Y"}}, {}, "code of its own"),
        ({}, {"auto_map": {"AutoImageProcessor": "x.Y"}}, "code of its own"),
        ({"architectures": ["ViTForMaskedImageModeling"]}, {}, "is not exported"),
        ({"architectures": []}, {}, "is not exported"),
        ({"id2label": {"a": "x"}}, {}, "id2label is not numbered"),
        ({}, {"size": {"shortest_edge": 256}, "do_center_crop": True,
              "crop_size": {"height": 224, "width": 224}}, "no words for"),
        ({}, {"size": {"longest_edge": 256}}, "no words for"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_named(
    tmp_path: Path, config: dict[str, Any], pictures: dict[str, Any], reason: str
) -> None:
    folder = _folder(tmp_path / "vit", {**CONFIG, **config}, {**PICTURES, **pictures})
    with pytest.raises(ContractError, match=reason):
        read_transformers(folder)


def test_pickled_weights_are_never_opened(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "vit", CONFIG, PICTURES)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UnreadableError, match="taken as safetensors"):
        read_transformers(folder)
    (folder / "config.json").unlink()
    with pytest.raises(UnreadableError, match=r"config\.json"):
        read_transformers(folder)
