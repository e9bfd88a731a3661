"""Models of tiles for tests whose answers can be worked out by hand."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import helper

from tests.tools.models.builders import contract, f32, graph, image_input, output, write_model

SIDE = 64


def mean_colour(folder: Path, *, side: int = SIDE, mpp_um: float | None = 0.5) -> Path:
    """Write an embedding model: the vector of a tile is its mean red, green and blue, 0 to 1."""
    made = graph(
        [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)],
        input_shape=["n", 3, side, side],
        outputs={"y": ["n", 3]},
    )
    spacing = None if mpp_um is None else [mpp_um / 1000] * 2
    given = image_input(
        kind="tile", modality=["SM"], views=None, shape=[None, 3, side, side], photometric="RGB",
        spacing_mm=spacing, spacing_tolerance=None if mpp_um is None else 0.1, age_years=None,
        fit={"kind": "centre-crop"},
    )  # fmt: skip
    described = contract(
        made, id="mean-colour", task="embedding", inputs=[given], outputs=[output("embedding")]
    )
    golden = np.ones((1, 3, side, side), np.float32)
    return write_model(folder, made, described, golden, {"y": f32([[1, 1, 1]])})


def reddest(folder: Path, embedder: Path, *, attention: bool = True) -> Path:
    """Write a multiple-instance model: its score is the mean red, its weights red less green."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
        helper.make_node("MatMul", ["m", "red"], ["y"]),
        helper.make_node("MatMul", ["x", "pink"], ["a"]),
    ]
    outputs: dict[str, Sequence[int | str]] = {"y": [1, 1]}
    described = [output(labels=("red",), activation="none")]
    golden = {"y": f32([[0.5]])}
    if attention:
        outputs["a"] = ["n", 1]
        described.append(output("attention", (), name="a"))
        golden["a"] = f32([[0.25], [0.25]])
    made = graph(
        nodes if attention else nodes[:2],
        input_shape=["n", 3],
        outputs=outputs,
        constants={"red": f32([[1], [0], [0]]), "pink": f32([[1], [-1], [0]])},
    )
    source = {
        "id": "mean-colour",
        "version": "1.0",
        "onnx_sha256": hashlib.sha256((embedder / "model.onnx").read_bytes()).hexdigest(),
        "members_max": 10_000,
    }
    given = image_input(
        kind="bag", modality=["SM"], views=None, axes="MC", shape=[None, 3], photometric=None,
        normalise={"kind": "none"}, fit={"kind": "exact"}, age_years=None, embedding_of=source,
    )  # fmt: skip
    said = contract(
        made, id="reddest", task="multiple-instance", inputs=[given], outputs=described,
        golden=[{"inputs": {"x": "golden/in.npy"}, "outputs": {
            k: f"golden/{'out' if k == 'y' else k}.npy" for k in golden
        }, "atol": 1e-4, "rtol": 1e-4}],
    )  # fmt: skip
    rows = f32([[0.5, 0.25, 0], [0.5, 0.25, 0]])
    return write_model(folder, made, said, rows, golden)
