"""What the contract around a plugged model costs: embeddings a second, and a CT piece by piece.

Embeddings: tiles of 256 x 256 through the contract check, pre-processing, ONNX Runtime and the
check of the numbers, against ONNX Runtime alone on tensors made ready before, in turn, in one
process. The network is five convolutions with random weights; what it computes does not matter.

CT: a volume of 100 x 512 x 512 in pieces of 64 x 128 x 128 with half an overlap, a network of two
operations: the time is that of cutting, blending and putting the mask back.
"""

import hashlib
import itertools
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.models.isolated import Limits
from tools.models.loaded import LoadedModel, load_model
from tools.models.reading import array_tile
from tools.models.run import ask, bag_of
from tools.models.sample import InputRef, Sample

TILES, ROUNDS = 48, 3
WIDTHS = (3, 32, 64, 128, 256, 384)


def network(nodes: list[Any], shape: list[int], out: list[int], constants: dict[str, Any]) -> bytes:
    """Return an ONNX file from ``x`` to ``y``."""
    made = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    found: bytes = model.SerializeToString()
    return found


def convolutions() -> bytes:
    """Return the network of the embeddings."""
    draw = np.random.default_rng(1)
    nodes, constants, last = [], {}, "x"
    for at, (i, o) in enumerate(itertools.pairwise(WIDTHS)):
        constants[f"w{at}"] = (draw.normal(size=(o, i, 3, 3)) / (3 * i**0.5)).astype(np.float32)
        nodes.append(
            helper.make_node(
                "Conv", [last, f"w{at}"], [f"c{at}"], strides=[2, 2], pads=[1, 1, 1, 1]
            )
        )
        nodes.append(helper.make_node("Relu", [f"c{at}"], [f"r{at}"]))
        last = f"r{at}"
    nodes.append(helper.make_node("ReduceMean", [last], ["y"], axes=[2, 3], keepdims=0))
    return network(nodes, [1, 3, 224, 224], [1, WIDTHS[-1]], constants)


def plugged(folder: Path, content: bytes, task: str, given: Any, output: Any) -> LoadedModel:
    """Write a model's folder around a network and load it."""
    import onnxruntime  # type: ignore[import-untyped]

    shape = given["shape"]
    tensor = np.zeros(shape, np.float32)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    text = "Made by a benchmark of random numbers; of no use for anything else.\n"
    common = {
        "views": None, "body_parts": None, "dtype": "float32", "spacing_tolerance": None,
        "resample": False, "spacing_mm": None, "orientation": None, "window": None,
        "fs_hz": None, "leads": None, "age_years": None, "embedding_of": None, "name": "x",
    }  # fmt: skip
    empty: dict[str, Any] = {
        "name": "y", "labels": [], "codes": [], "background": None, "activation": "none",
        "calibration": {"method": "none"}, "thresholds": [], "abstain_band": None, "boxes": None,
        "aggregate": None,
    }  # fmt: skip
    figure = {"dataset": "none", "population": "none", "n": 1, "metric": "none", "value": 0}
    said = {
        "schema": "epicrisis/model/1", "id": f"bench-{task}", "version": "1", "title": "bench",
        "task": task, "intended_use": "bench", "contraindications": ["everything"],
        "regulatory_status": "none", "status": "demonstration", "licence": "CC0-1.0",
        "licence_file": "LICENSE", "card_file": "CARD.md", "authors": ["bench"],
        "training_data": "none", "onnx_sha256": hashlib.sha256(content).hexdigest(),
        "inputs": [{**common, **given}], "outputs": [{**empty, **output}],
        "performance": [{**figure, "ci": None}],
        "golden": [
            {"inputs": {"x": "in.npy"}, "outputs": {"y": "out.npy"}, "atol": 1e-3, "rtol": 1e-3}
        ],
    }  # fmt: skip
    folder.mkdir()
    (folder / "model.onnx").write_bytes(content)
    (folder / "model.json").write_text(json.dumps(said), "utf-8")
    for name in ("LICENSE", "CARD.md"):
        (folder / name).write_text(text, "utf-8")
    np.save(folder / "in.npy", tensor)
    np.save(folder / "out.npy", session.run(["y"], {"x": tensor})[0])
    return load_model(folder)


def embeddings(folder: Path) -> None:
    """Print embeddings a second, with and without the contract."""
    given = {
        "kind": "tile", "modality": ["SM"], "axes": "NCHW", "shape": [1, 3, 224, 224],
        "photometric": "RGB", "fit": {"kind": "centre-crop"},
        "normalise": {
            "kind": "mean-std", "divide": 255, "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
    }  # fmt: skip
    model = plugged(folder, convolutions(), "embedding", given, {"kind": "embedding"})
    draw = np.random.default_rng(2)
    source = InputRef(file="slide", sha256="0" * 64)
    pixels = draw.integers(0, 255, (TILES, 256, 256, 3), dtype=np.uint8)
    tiles = [array_tile(p, source=source, spacing_mm=0.0005) for p in pixels]
    ready = np.zeros((1, 3, 224, 224), np.float32)
    apart = load_model(folder, limits=Limits(seconds=300, memory_mib=4096))
    bag_of(model, tiles[:2])
    bag_of(apart, tiles[:2])
    ours, alone, isolated = [], [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        bag_of(model, tiles)
        ours.append(TILES / (time.perf_counter() - start))
        start = time.perf_counter()
        for _ in tiles:
            model.runner.run({"x": ready}, ("y",))
        alone.append(TILES / (time.perf_counter() - start))
        start = time.perf_counter()
        bag_of(apart, tiles)
        isolated.append(TILES / (time.perf_counter() - start))
    with_, without = statistics.median(ours), statistics.median(alone)
    cost = 1000 / with_ - 1000 / without
    print(f"embeddings a second: {with_:.1f} with contract and pre-processing")
    print(f"embeddings a second: {without:.1f} ONNX Runtime alone ({cost:.1f} ms a tile less)")
    slow = 1000 / statistics.median(isolated) - 1000 / with_
    print(f"embeddings a second: {statistics.median(isolated):.1f} in a process of its own "
          f"({slow:.1f} ms a tile more)")  # fmt: skip


def volume(folder: Path) -> None:
    """Print seconds and memory of a CT."""
    piece = [64, 128, 128]
    content = network(
        [helper.make_node("Mul", ["x", "k"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])],
        [1, 1, *piece], [1, 1, *piece],
        {"k": np.array([0.001], np.float32), "b": np.array([0], np.float32)},
    )  # fmt: skip
    given = {
        "kind": "volume3d", "modality": ["CT"], "axes": "NCDHW", "shape": [1, 1, *piece],
        "photometric": "MONOCHROME2", "normalise": {"kind": "none"}, "orientation": "LPS",
        "spacing_mm": [1.0, 0.7, 0.7], "spacing_tolerance": 0.5,
        "fit": {"kind": "slide", "overlap": 0.5},
    }  # fmt: skip
    output = {
        "kind": "mask", "labels": ["bone"], "codes": [None], "activation": "sigmoid",
        "thresholds": [{"label": "bone", "value": 0.55, "basis": "bench"}],
    }  # fmt: skip
    model = plugged(folder, content, "segmentation", given, output)
    draw = np.random.default_rng(3)
    pixels = draw.integers(-1000, 1000, (100, 512, 512), dtype=np.int16)
    sample = Sample(
        pixels=pixels, kind="volume3d", sources=(), modality="CT", photometric="MONOCHROME2",
        spacing_mm=(1.0, 0.7, 0.7), orientation="LPS",
    )  # fmt: skip
    start = time.perf_counter()
    ask(model, sample)
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"CT of 100 x 512 x 512 piece by piece: {taken:.1f} s, peak memory {peak:.0f} MiB")


def main() -> None:
    """Run both."""
    with tempfile.TemporaryDirectory() as folder:
        embeddings(Path(folder) / "embedding")
        volume(Path(folder) / "volume")


if __name__ == "__main__":
    main()
