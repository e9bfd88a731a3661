"""Train the demonstration model: where P waves, QRS complexes and T waves begin and end.

    python scripts/train_wave_model.py OUT --data ../shared/data/ecg-ludb

OUT becomes a model's folder for ``epicrisis model add OUT``. It is a demonstration of how a model
of tracings is plugged in, not validated for anything. Every second record is held out: none of its
samples is trained on, and a record is a patient. What is printed at the end are the errors of each
boundary on them, beside those of this product's own delineation (`tools.ecg.measure`).

The reference is the 10th percentile over leads of the onsets that cardiologists marked, and the
90th of the ends. The network looks at smoothed slopes and curvatures of all leads (5 widths of
each, their size averaged over the leads), at 41 places within 400 ms to either side, through two
layers. Always the same for the same records and library versions.
"""

import argparse
import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from knowledge.errors import ContractError
from tests.tools.ecg.ecg_data import ludb_waves, read_path
from tools.ecg.measure import measure
from tools.ecg.model import EcgRecording
from tools.models.loaded import load_model
from tools.models.runner import OnnxRunner
from tools.models.tracing_mask import stretches

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
LABELS = ("none", "P", "QRS", "T")
KINDS = {"p": 1, "N": 2, "t": 3}
RATE, SIGMAS_MS, TAPS, DILATION = 500.0, (4, 8, 16, 32, 64), 41, 10
UNITS, INNER, BATCH, STEPS = 64, 32, 512, 4000
SEED = 20_260_102
SHORTEST = 10
"""Samples: a shorter stretch is no wave."""

FEWEST = 6
"""Leads in which a wave is marked, so that it counts."""

OWN = (
    "This product's own delineation on the same records (one median beat, placed at each R peak; "
    "its thresholds were chosen on these records, so it is not held out)"
)
Array = NDArray[np.float32]
Boundary = tuple[str, str]
Weights = dict[str, Array]


@dataclass(frozen=True)
class Wave:
    """One wave over all leads, in samples: kind as in `LABELS`, onset, end."""

    kind: int
    on: float
    off: float


@dataclass(frozen=True)
class Record:
    """One record with its waves in order."""

    name: str
    recording: EcgRecording
    waves: tuple[Wave, ...]

    @property
    def signal(self) -> Array:
        """(leads, samples)."""
        order = [self.recording.leads.index(lead) for lead in LEADS]
        return self.recording.signal_mv.T[order].astype(np.float32)


def records(folder: Path) -> list[Record]:
    """Return the records in the order of their numbers."""
    headers = sorted((folder / "records").glob("*.hea"), key=lambda p: int(p.stem))
    return [Record(p.stem, read_path(p), tuple(_waves(p))) for p in headers]


def _waves(header: Path) -> Iterator[Wave]:
    """Yield the waves that are marked in at least `FEWEST` leads."""
    for symbol, kind in KINDS.items():
        marked = sorted(
            (peak, on, off)
            for lead in LEADS
            for wave, on, peak, off in ludb_waves(header.with_suffix(f".{lead.lower()}"))
            if wave == symbol and on is not None and off is not None
        )
        peaks = np.array([peak for peak, _, _ in marked])
        for group in np.split(np.arange(len(marked)), np.flatnonzero(np.diff(peaks) > 60) + 1):
            if len(group) >= FEWEST:
                on = float(np.percentile([marked[i][1] for i in group], 10))
                yield Wave(kind, on, float(np.percentile([marked[i][2] for i in group], 90)))


def truth(record: Record) -> tuple[NDArray[np.int64], slice]:
    """Return the label of each sample, and the part of the record in which waves were marked."""
    found = np.zeros(record.signal.shape[1], np.int64)
    for kind in (3, 1, 2):  # where two touch, the QRS counts
        for wave in record.waves:
            if wave.kind == kind:
                found[round(wave.on) : round(wave.off) + 1] = kind
    first = min(wave.on for wave in record.waves)
    last = max(wave.off for wave in record.waves)
    return found, slice(round(first), round(last) + 1)


def _bank() -> Array:
    """Return slopes and curvatures of Gaussians as filters, (filters, 1, samples)."""
    half = round(3 * max(SIGMAS_MS) * RATE / 1000)
    t = np.arange(-half, half + 1) / RATE * 1000
    rows = []
    for sigma in SIGMAS_MS:
        bell = np.exp(-0.5 * (t / sigma) ** 2)
        for row in (t * bell, (1 - (t / sigma) ** 2) * bell):
            rows.append(row / np.abs(row).sum())
    return np.array(rows, np.float32)[:, None]


FILTERS = 2 * len(SIGMAS_MS)
REACH = TAPS // 2 * DILATION


def graph(w: Weights | None = None) -> bytes:
    """Return the network as ONNX; its features alone where there are no weights."""
    bank = _bank()
    side = bank.shape[2] // 2
    constants: dict[str, Any] = {
        "bank": bank, "tiny": np.array(1e-6, np.float32), "floor": np.array(0.02, np.float32),
        "as-batch": np.array([len(LEADS), 1, -1], np.int64),
    }  # fmt: skip
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["tracing"], ["middle"], axes=[2], keepdims=1),
        node("Sub", ["tracing", "middle"], ["around"]),
        node("Mul", ["around", "around"], ["square"]),
        node("ReduceMean", ["square"], ["power"], axes=[2], keepdims=1),
        node("Add", ["power", "tiny"], ["some"]),
        node("Sqrt", ["some"], ["spread"]),
        node("Div", ["around", "spread"], ["even"]),
        node("Reshape", ["even", "as-batch"], ["leads"]),
        node("Conv", ["leads", "bank"], ["answers"], pads=[side, side]),
        node("Abs", ["answers"], ["size"]),
        node("ReduceMean", ["size"], ["over-leads"], axes=[0], keepdims=1),
        node("ReduceMean", ["over-leads"], ["usual"], axes=[2], keepdims=1),
        node("Div", ["over-leads", "usual"], ["relative"]),
        node("Add", ["relative", "floor"], ["positive"]),
        node("Log", ["positive"], ["features"]),
    ]
    output, channels = "features", FILTERS
    if w is not None:
        look = w["look"].reshape(TAPS, FILTERS, UNITS).transpose(2, 1, 0)
        constants |= {
            "look": np.ascontiguousarray(look), "look-0": w["look-0"],
            "think": w["think"].T[:, :, None].copy(), "think-0": w["think-0"],
            "say": w["say"].T[:, :, None].copy(), "say-0": w["say-0"],
        }  # fmt: skip
        nodes += [
            node("Conv", ["features", "look", "look-0"], ["a"],
                 pads=[REACH, REACH], dilations=[DILATION]),
            node("Relu", ["a"], ["b"]),
            node("Conv", ["b", "think", "think-0"], ["c"]),
            node("Relu", ["c"], ["d"]),
            node("Conv", ["d", "say", "say-0"], ["logits"]),
        ]  # fmt: skip
        output, channels = "logits", len(LABELS)
    made = helper.make_graph(
        nodes, "waves",
        [helper.make_tensor_value_info("tracing", TensorProto.FLOAT, [1, len(LEADS), None])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, channels, None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    found: bytes = model.SerializeToString()
    return found


def train(given: Sequence[Record]) -> Weights:
    """Return the weights, learnt from samples drawn at random from the marked parts."""
    draw = np.random.default_rng(SEED)
    see = OnnxRunner(graph(), item="features")
    seen, labels, places = [], [], []
    for at, record in enumerate(given):
        found = see.run({"tracing": record.signal[None]}, ("features",))["features"][0]
        seen.append(np.pad(found, ((0, 0), (REACH, REACH))).T)
        named, part = truth(record)
        labels.append(named)
        places += [(at, t) for t in range(part.start, part.stop)]
    features, named, place = np.stack(seen), np.stack(labels), np.array(places)
    w = _start(draw)
    mean = {k: np.zeros_like(v) for k, v in w.items()}
    square = {k: np.zeros_like(v) for k, v in w.items()}
    window = np.arange(TAPS) * DILATION
    for step in range(1, STEPS + 1):
        at, t = place[draw.integers(0, len(place), BATCH)].T
        x = features[at[:, None], t[:, None] + window].reshape(BATCH, -1)
        rate = 1e-3 * (1 + np.cos(np.pi * step / STEPS))
        for k, g in _gradients(w, x, named[at, t]).items():
            mean[k] += np.float32(0.1) * (g - mean[k])
            square[k] += np.float32(0.01) * (g * g - square[k])
            size = np.sqrt(square[k] / (1 - 0.99**step)) + 1e-8
            w[k] -= (rate * mean[k] / (1 - 0.9**step) / size).astype(np.float32)
    return w


def _start(draw: np.random.Generator) -> Weights:
    sizes = {"look": (TAPS * FILTERS, UNITS), "think": (UNITS, INNER), "say": (INNER, len(LABELS))}
    w: Weights = {}
    for name, (rows, columns) in sizes.items():
        w[name] = draw.normal(0, np.sqrt(2 / rows), (rows, columns)).astype(np.float32)
        w[f"{name}-0"] = np.zeros(columns, np.float32)
    return w


def _gradients(w: Weights, x: Array, label: NDArray[np.int64]) -> Mapping[str, Array]:
    """Return the gradient of the cross entropy, with a little weight decay."""
    a = np.maximum(x @ w["look"] + w["look-0"], 0)
    b = np.maximum(a @ w["think"] + w["think-0"], 0)
    out = b @ w["say"] + w["say-0"]
    share = np.exp(out - out.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    share[np.arange(len(x)), label] -= 1
    wrong = (share / len(x)).astype(np.float32)
    back = (wrong @ w["say"].T) * (b > 0)
    first = (back @ w["think"].T) * (a > 0)
    decay = np.float32(1e-4)
    return {
        "say": b.T @ wrong + decay * w["say"], "say-0": wrong.sum(axis=0),
        "think": a.T @ back + decay * w["think"], "think-0": back.sum(axis=0),
        "look": x.T @ first + decay * w["look"], "look-0": first.sum(axis=0),
    }  # fmt: skip


def of_model(runner: OnnxRunner, record: Record) -> dict[Boundary, list[tuple[float, float]]]:
    """Return (found, reference) of each boundary in ms; a wave that was not found is left out."""
    logits = runner.run({"tracing": record.signal[None]}, ("logits",))["logits"][0]
    named = logits.argmax(axis=0)
    found: dict[Boundary, list[tuple[float, float]]] = {}
    for kind, label in enumerate(LABELS[1:], 1):
        runs = np.array(stretches(named == kind, RATE)).reshape(-1, 2) * RATE
        for wave in record.waves:
            if wave.kind != kind or not len(runs):
                continue
            shared = np.minimum(runs[:, 1], wave.off) - np.maximum(runs[:, 0], wave.on)
            best = int(shared.argmax())
            if shared[best] > 0:
                on, off = runs[best][0], runs[best][1] - 1
                for name, got, want in (("onset", on, wave.on), ("end", off, wave.off)):
                    found.setdefault((label, name), []).append(
                        (got / RATE * 1000, want / RATE * 1000)
                    )
    return found


def not_marked(runner: OnnxRunner, record: Record, kind: int) -> int:
    """Return how many waves of a kind the network sees in the marked part where none is marked.

    A wave that is marked in fewer leads than `FEWEST` counts as none.
    """
    logits = runner.run({"tracing": record.signal[None]}, ("logits",))["logits"][0]
    part = truth(record)[1]
    marked = [wave for wave in record.waves if wave.kind == kind]
    runs = np.array(stretches(logits.argmax(axis=0) == kind, RATE)).reshape(-1, 2) * RATE
    return sum(
        part.start <= on and off <= part.stop and off - on >= SHORTEST
        and not any(on <= wave.off and off >= wave.on for wave in marked)
        for on, off in runs
    )  # fmt: skip


def of_ours(record: Record) -> dict[Boundary, list[tuple[float, float]]]:
    """Return the same of our own delineation: its one beat, placed at each R peak."""
    try:
        m = measure(record.recording)
    except ContractError:
        return {}
    marks = m.fiducials
    found: dict[Boundary, list[tuple[float, float]]] = {}
    rows = (
        (1, "onset", marks.p_on), (2, "onset", marks.qrs_on), (2, "end", marks.qrs_off),
        (3, "end", marks.t_off),
    )  # fmt: skip
    for kind, name, mark in rows:
        if mark is None:
            continue
        places = m.r_peaks + (mark - marks.r)
        for wave in record.waves:
            want = wave.on if name == "onset" else wave.off
            near = float(places[np.abs(places - want).argmin()])
            if wave.kind == kind and abs(near - want) < RATE / 4:
                found.setdefault((LABELS[kind], name), []).append(
                    (near / RATE * 1000, want / RATE * 1000)
                )
    return found


def figures(per_record: Sequence[Mapping[Boundary, list[tuple[float, float]]]]) -> list[Any]:
    """Return bias, SD and mean absolute error of each boundary over records, in ms."""
    found = []
    names = [(label, end) for label in LABELS[1:] for end in ("onset", "end")]
    for name in names:
        errors = [np.array([got - want for got, want in one.get(name, [])]) for one in per_record]
        errors = [one for one in errors if len(one)]
        if not errors:
            continue
        every = np.concatenate(errors)
        draw = np.random.default_rng(SEED)
        means = [
            float(np.abs(np.concatenate([errors[i] for i in
                                         draw.integers(0, len(errors), len(errors))])).mean())
            for _ in range(500)
        ]  # fmt: skip
        low, high = np.percentile(means, [2.5, 97.5])
        found.append(
            {
                "boundary": f"{name[0]} {name[1]}",
                "n": len(every),
                "records": len(errors),
                "bias": float(every.mean()),
                "sd": float(every.std()),
                "mae": float(np.abs(every).mean()),
                "ci": [float(low), float(high)],
            }
        )
    return found


def described(content: bytes, rows: Sequence[Any], held: int) -> dict[str, Any]:
    """Return ``model.json``."""
    given = {
        "name": "tracing", "kind": "ecg12", "modality": ["ECG"], "views": None, "body_parts": None,
        "axes": "NCL", "shape": [1, len(LEADS), None], "dtype": "float32", "spacing_mm": None,
        "spacing_tolerance": None, "resample": False, "orientation": None, "photometric": None,
        "window": None, "normalise": {"kind": "none"}, "fit": {"kind": "exact"}, "fs_hz": RATE,
        "leads": list(LEADS), "age_years": None, "embedding_of": None,
    }  # fmt: skip
    output = {
        "name": "logits", "kind": "mask", "labels": list(LABELS), "codes": [None] * len(LABELS),
        "background": "none", "activation": "softmax", "calibration": {"method": "none"},
        "thresholds": [], "abstain_band": None, "boxes": None, "aggregate": None,
    }  # fmt: skip
    performance = [
        {
            "dataset": f"LUDB, {held} records held out (ODC-By 1.0); the interval takes records, "
            "not beats, as independent",
            "population": "volunteers and patients of one hospital", "n": row["n"],
            "metric": f"mean absolute error of the {row['boundary']}, ms", "value": row["mae"],
            "ci": row["ci"],
        }
        for row in rows
    ]  # fmt: skip
    return {
        "schema": "epicrisis/model/1", "id": "ecg-waves-ludb", "version": "1.0",
        "title": "P, QRS and T in a 12-lead ECG (demonstration, not validated)",
        "task": "segmentation",
        "intended_use": "To show how a model of tracings is plugged in: names each sample of a "
        "12-lead ECG as P wave, QRS complex, T wave or none.",
        "contraindications": [
            "Anything that matters to a patient.",
            "Rhythms, pacing and noise that the 50 records do not show.",
        ],
        "regulatory_status": "not a medical device; demonstration, not validated",
        "status": "demonstration", "licence": "Apache-2.0", "licence_file": "LICENSE",
        "card_file": "MODEL_CARD.md", "authors": ["scripts/train_wave_model.py"],
        "training_data": "Every second of 100 records of LUDB (ODC-By 1.0), waves as "
        "cardiologists marked them in at least six leads.",
        "onnx_sha256": hashlib.sha256(content).hexdigest(), "inputs": [given],
        "outputs": [output], "performance": performance,
        "golden": [
            {
                "inputs": {"tracing": "golden/in.npy"}, "outputs": {"logits": "golden/out.npy"},
                "atol": 0.01, "rtol": 0.01,
            }
        ],
    }  # fmt: skip


def card(rows: Sequence[Any], ours: Sequence[Any]) -> str:
    """Return the model's card."""
    return (
        "# P, QRS and T in a 12-lead ECG\n\n**Demonstration, not validated.** Not for use on "
        "patients.\n\nTrained by `scripts/train_wave_model.py` on half of the LUDB records here. "
        "Errors on the other half against cardiologists, ms (positive: later):\n\n"
        + table(rows)
        + f"\n\n{OWN}:\n\n"
        + table(ours)
        + "\n"
    )


def table(rows: Sequence[Any]) -> str:
    """Return figures as a table in Markdown."""
    head = "| boundary | n | records | bias | SD | mean absolute error (95 % interval) |"
    lines = [
        f"| {r['boundary']} | {r['n']} | {r['records']} | {r['bias']:+.1f} | {r['sd']:.1f} "
        f"| {r['mae']:.1f} ({r['ci'][0]:.1f} to {r['ci'][1]:.1f}) |"
        for r in rows
    ]
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *lines])


def write(out: Path, content: bytes, sample: Array, rows: Sequence[Any], ours: Sequence[Any],
          held: int) -> None:  # fmt: skip
    """Write the folder and check it as it will be checked when it is added."""
    (out / "golden").mkdir(parents=True, exist_ok=True)
    tracing = sample[None, :, :1500]
    answer = OnnxRunner(content, item="waves").run({"tracing": tracing}, ("logits",))["logits"]
    np.save(out / "golden" / "in.npy", tracing)
    np.save(out / "golden" / "out.npy", answer)
    (out / "model.onnx").write_bytes(content)
    said = json.dumps(described(content, rows, held), indent=1)
    (out / "model.json").write_text(said, "utf-8")
    (out / "MODEL_CARD.md").write_text(card(rows, ours), "utf-8")
    licence = Path(__file__).parents[1] / "LICENSE"
    (out / "LICENSE").write_text(licence.read_text("utf-8"), "utf-8")
    load_model(out)


def main() -> None:
    """Train, measure, write and check."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/ecg-ludb"))
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    every = records(chosen.data)
    start = time.perf_counter()
    content = graph(train(every[::2]))
    logging.info("trained on %d records, %.0f s", len(every[::2]), time.perf_counter() - start)
    held = every[1::2]
    runner = OnnxRunner(content, item="waves")
    found = [of_model(runner, one) for one in held]
    own = [of_ours(one) for one in held]
    for kind, label in enumerate(LABELS[1:], 1):
        there = sum(wave.kind == kind for one in held for wave in one.waves)
        seen = sum(len(one.get((label, "onset"), [])) for one in found)
        more = sum(not_marked(runner, one, kind) for one in held)
        logging.info("%s: %d of %d marked waves found, %d not marked", label, seen, there, more)
    rows, ours = figures(found), figures(own)
    write(chosen.out, content, held[0].signal, rows, ours, len(held))
    logging.info("demonstration, not validated; held out, errors in ms:\n%s", table(rows))
    logging.info("%s:\n%s", OWN, table(ours))


if __name__ == "__main__":
    main()
