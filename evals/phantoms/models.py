"""Tiny models for tests: graphs whose answers can be worked out by hand."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.models.sample import InputRef, Sample

Json = dict[str, Any]

LICENCE = "Made for a test; may be used by anybody for anything.\n"
CARD = "# A model for a test\nIt computes what the test works out by hand.\n"


def f32(values: Any) -> NDArray[np.float32]:
    """Return an array of float32."""
    return np.array(values, np.float32)


def graph(
    nodes: Sequence[onnx.NodeProto],
    *,
    input_shape: Sequence[int | str],
    outputs: dict[str, Sequence[int | str]],
    constants: dict[str, NDArray[Any]] | None = None,
    opset: int = 17,
) -> bytes:
    """Return an ONNX file with one float input called ``x``."""
    made = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(input_shape))],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
            for name, shape in outputs.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    found: bytes = model.SerializeToString()
    return found


def mean_logits(labels: int = 1, size: int = 8, slope: float = 4.0) -> bytes:
    """Return a classifier: the logit of label k is (mean - 0.5) x slope x (k + 1)."""
    weights = slope * np.arange(1, labels + 1, dtype=np.float32).reshape(1, labels)
    return graph(
        [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
            helper.make_node("Sub", ["m", "half"], ["c"]),
            helper.make_node("MatMul", ["c", "w"], ["y"]),
        ],
        input_shape=[1, 1, size, size],
        outputs={"y": [1, labels]},
        constants={"half": f32([0.5]), "w": weights},
    )


def image_input(size: int = 8, **changes: Any) -> Json:
    """Return the input of a grey picture of any side, from 0 to 255."""
    return {
        "name": "x",
        "kind": "image2d",
        "modality": ["DX", "CR"],
        "views": ["PA"],
        "body_parts": None,
        "axes": "NCHW",
        "shape": [1, 1, size, size],
        "dtype": "float32",
        "spacing_mm": None,
        "spacing_tolerance": None,
        "resample": False,
        "orientation": None,
        "photometric": "MONOCHROME2",
        "window": None,
        "normalise": {"kind": "range", "low": 0, "high": 255},
        "fit": {"kind": "stretch"},
        "fs_hz": None,
        "leads": None,
        "age_years": [18, 120],
        "embedding_of": None,
        **changes,
    }


def output(kind: str = "scores", labels: Sequence[str] = ("opacity",), **changes: Any) -> Json:
    """Return an output called ``y``."""
    named = list(labels) if kind in ("scores", "mask", "box_scores") else []
    return {
        "name": "y",
        "kind": kind,
        "labels": named,
        "codes": [None] * len(named),
        "background": None,
        "activation": "sigmoid" if kind in ("scores", "mask") else "none",
        "calibration": {"method": "none"},
        "thresholds": [],
        "abstain_band": None,
        "boxes": None,
        "aggregate": None,
        **changes,
    }


def contract(graph_bytes: bytes, **changes: Any) -> Json:
    """Return a whole ``model.json``."""
    return {
        "schema": "epicrisis/model/1",
        "id": "test-model",
        "version": "1.0",
        "title": "A model for a test",
        "task": "classification",
        "intended_use": "To test how models are plugged in.",
        "contraindications": ["Any patient."],
        "regulatory_status": "not a medical device",
        "status": "demonstration",
        "licence": "CC0-1.0",
        "licence_file": "LICENSE",
        "card_file": "MODEL_CARD.md",
        "authors": ["the test"],
        "training_data": "none",
        "onnx_sha256": hashlib.sha256(graph_bytes).hexdigest(),
        "inputs": [image_input()],
        "outputs": [output()],
        "performance": [
            {
                "dataset": "worked out by hand",
                "population": "none",
                "n": 1,
                "metric": "difference",
                "value": 0.0,
                "ci": None,
            }
        ],
        "golden": [
            {
                "inputs": {"x": "golden/in.npy"},
                "outputs": {"y": "golden/out.npy"},
                "atol": 0.0001,
                "rtol": 0.0001,
            }
        ],
        **changes,
    }


def write_model(
    folder: Path,
    graph_bytes: bytes,
    described: Json,
    golden_in: NDArray[Any],
    golden_out: dict[str, NDArray[Any]],
) -> Path:
    """Write a model's folder and return it."""
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(graph_bytes)
    (folder / "model.json").write_text(json.dumps(described), "utf-8")
    (folder / "LICENSE").write_text(LICENCE, "utf-8")
    (folder / "MODEL_CARD.md").write_text(CARD, "utf-8")
    np.save(folder / "golden" / "in.npy", golden_in)
    for name, value in golden_out.items():
        file = "out.npy" if name == "y" else f"{name}.npy"
        np.save(folder / "golden" / file, value)
    return folder


def classifier(folder: Path, *, labels: int = 1, **changes: Any) -> Path:
    """Write the classifier of `mean_logits` for 8 x 8 pictures; logit (mean - 0.5) x 4."""
    made = mean_logits(labels)
    names = ("opacity", "effusion", "device")[:labels]
    described = contract(made, **{"outputs": [output(labels=names)], **changes})
    expected = f32([[2.0 * (k + 1) for k in range(labels)]])
    return write_model(folder, made, described, np.ones((1, 1, 8, 8), np.float32), {"y": expected})


def film(value: float = 255.0, **changes: Any) -> Sample:
    """Return an adult PA film, left half `value` and right half 0, 16 x 16."""
    pixels = np.zeros((16, 16))
    pixels[:, :8] = value
    given: Json = {
        "pixels": pixels,
        "kind": "image2d",
        "sources": (InputRef(file="film.dcm", sha256="0" * 64, sop_instance_uid="1.2.3"),),
        "modality": "DX",
        "view": "PA",
        "photometric": "MONOCHROME2",
        "value_range": (0.0, 255.0),
        "age_years": 50.0,
        **changes,
    }
    return Sample(**given)
