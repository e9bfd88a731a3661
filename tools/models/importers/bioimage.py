"""Models of BioImage.IO (``rdf.yaml``, model format 0.5) with ONNX weights.

Its test tensors become the golden vectors, after the one pre-processing step that it may have. It
says neither modality, population nor measured performance: these have to be given. Python that it
brings is never run.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from knowledge.errors import ContractError, UnreadableError
from tools.models.folder import read_array
from tools.models.importers.foreign import Foreign, slug, tensor_names, text_of

_RDF = "rdf.yaml"
_LETTER = {"z": "D", "y": "H", "x": "W"}
_ALIGNED = {"NCHW", "NHWC", "NCDHW", "NDHWC"}
_MM = {"micrometer": 0.001, "millimeter": 1.0, "nanometer": 1e-6, "centimeter": 10.0}
_TOLERANCE = {"atol": 0.0001, "rtol": 0.001}
"""Of its test tensors: its own tests use about this."""

Scale = Callable[[NDArray[Any]], NDArray[Any]]


def read_bioimage(folder: Path) -> Foreign:
    """Return what a description says.

    Args:
        folder: The unpacked model.

    Raises:
        UnreadableError: No description or no ONNX weights.
        ContractError: Another hash, several tensors, or steps that are not done here.
    """
    rdf = _description(folder)
    weights = rdf.get("weights")
    onnx = weights.get("onnx") if isinstance(weights, dict) else None
    if not isinstance(onnx, dict):
        raise UnreadableError(_RDF, "no ONNX weights", "convert its weights to ONNX first")
    graph = _file(folder, onnx.get("source"), "weights")
    _require_hash(graph, onnx.get("sha256"))
    if onnx.get("external_data"):
        raise ContractError(_RDF, "its weights are in other files (external data)", "one file")
    names, outs = tensor_names(graph, _RDF)
    first, second = _only(rdf, "inputs"), _only(rdf, "outputs")
    if second.get("postprocessing"):
        raise ContractError(_RDF, "has post-processing, which is not done", "put it in the graph")
    normalise, scale = _normalise(first.get("preprocessing") or [])
    said: dict[str, Any] = {
        "inputs": [{"name": names[0], "normalise": normalise, **_axes(first)}],
        "outputs": [{"name": outs[0]}],
        "golden": [
            {
                "inputs": {names[0]: "golden/input.npy"},
                "outputs": {outs[0]: "golden/output.npy"},
                **_TOLERANCE,
            }
        ],
    }
    for ours, theirs in (("title", "name"), ("licence", "license"), ("version", "version")):
        if isinstance(rdf.get(theirs), str | int | float) and str(rdf[theirs]).strip():
            said[ours] = str(rdf[theirs])
    if "title" in said:
        said["id"] = slug(said["title"])
    people = [a.get("name") for a in rdf.get("authors") or [] if isinstance(a, dict)]
    if people and all(isinstance(p, str) for p in people):
        said["authors"] = people
    files = {"golden/output.npy": _tensor(folder, second)}
    if isinstance(rdf.get("documentation"), str):
        said["card_file"] = "MODEL_CARD.md"
        files["MODEL_CARD.md"] = _file(folder, rdf["documentation"], "documentation")
    if (folder / "LICENSE").is_file():
        said["licence_file"], files["LICENSE"] = "LICENSE", folder / "LICENSE"
    raw = read_array(_bytes_of(_tensor(folder, first)), "test tensor")
    return Foreign(graph=graph, said=said, files=files, write=partial(_write, raw=raw, scale=scale))


def _bytes_of(path: Path) -> bytes:
    """Return the bytes of a test tensor.

    Raises:
        UnreadableError: It is missing.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be read: {error.strerror}", "") from error


def _write(folder: Path, *, raw: NDArray[Any], scale: Scale) -> None:
    (folder / "golden").mkdir(exist_ok=True)
    np.save(folder / "golden" / "input.npy", scale(raw.astype(np.float32)).astype(np.float32))


def _description(folder: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text_of(folder / _RDF))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(_RDF, "no YAML", "is this a model of BioImage.IO?") from error
    if not isinstance(found, dict) or found.get("type") != "model":
        raise UnreadableError(_RDF, "describes no model", "type: model")
    if not str(found.get("format_version", "")).startswith("0.5"):
        raise ContractError(_RDF, "is not of format 0.5", "update it with bioimageio.spec")
    return found


def _only(rdf: dict[str, Any], key: str) -> dict[str, Any]:
    rows = rdf.get(key)
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], dict):
        raise ContractError(_RDF, f"one of {key} is taken", "another model")
    found: dict[str, Any] = rows[0]
    return found


def _axes(part: dict[str, Any]) -> dict[str, Any]:
    """Return axes, shape and, where it is stated for every axis in space, the spacing."""
    letters, shape, spacing = "", [], []
    for axis in part.get("axes") or []:
        kind = axis.get("type") if isinstance(axis, dict) else None
        if kind == "batch":
            letters, size = letters + "N", axis.get("size")
        elif kind == "channel":
            letters, size = letters + "C", len(axis.get("channel_names") or [])
        elif kind == "space" and axis.get("id") in _LETTER:
            letters, size = letters + _LETTER[axis["id"]], axis.get("size")
            unit = _MM.get(str(axis.get("unit")))
            scale = axis.get("scale")
            known = unit is not None and isinstance(scale, int | float)
            spacing.append(float(scale) * unit if known and unit is not None else None)
        else:
            raise ContractError(_RDF, f"an axis of type {str(kind)[:40]!r}", "another model")
        shape.append(size if isinstance(size, int) and size > 0 else None)
    if letters not in _ALIGNED:
        raise ContractError(_RDF, f"axes {letters!r}", f"one of {sorted(_ALIGNED)}")
    found: dict[str, Any] = {"axes": letters, "shape": shape}
    if None not in spacing:
        found["spacing_mm"] = spacing
    return found


def _normalise(steps: list[Any]) -> tuple[dict[str, Any], Scale]:
    """Return our step for its steps, and the same on a test tensor."""
    real = [s for s in steps if isinstance(s, dict) and s.get("id") != "ensure_dtype"]
    if not real:
        return {"kind": "none"}, lambda x: x
    kwargs = real[0].get("kwargs") or {}
    name = real[0].get("id")
    if len(real) == 1 and isinstance(kwargs, dict):
        if name == "zero_mean_unit_variance" and not _by_channel(kwargs):
            return {"kind": "zscore"}, lambda x: (x - x.mean()) / (x.std() or 1.0)
        if name == "fixed_zero_mean_unit_variance":
            mean, std = np.ravel(kwargs.get("mean", [])), np.ravel(kwargs.get("std", []))
            return _mean_std(1.0, mean, std)
        if name == "scale_linear":
            gain, offset = np.ravel(kwargs.get("gain", 1.0)), np.ravel(kwargs.get("offset", 0.0))
            if gain.size == 1 and float(gain[0]) > 0:
                return _mean_std(1 / float(gain[0]), -offset, np.ones_like(offset))
        if name == "scale_range" and _whole_range(kwargs):
            return {"kind": "minmax"}, lambda x: (x - x.min()) / (np.ptp(x) or 1.0)
    shown = [str(s.get("id"))[:40] for s in real]
    raise ContractError(_RDF, f"pre-processing {shown}, which is not done here", "in the graph")


def _by_channel(kwargs: dict[str, Any]) -> bool:
    axes = kwargs.get("axes")
    return isinstance(axes, list) and "channel" not in axes


def _whole_range(kwargs: dict[str, Any]) -> bool:
    ends = (kwargs.get("min_percentile", 0), kwargs.get("max_percentile", 100))
    return ends == (0, 100) and not _by_channel(kwargs)


def _mean_std(divide: float, mean: NDArray[Any], std: NDArray[Any]) -> tuple[dict[str, Any], Scale]:
    if mean.size != 1 or std.size != 1 or not np.isfinite([mean[0], std[0]]).all() or std[0] <= 0:
        raise ContractError(_RDF, "means of several channels", "one mean is taken from this form")
    m, s = float(mean[0]), float(std[0])
    rule = {"kind": "mean-std", "divide": divide, "mean": [m], "std": [s]}
    return rule, lambda x: (x / divide - m) / s


def _tensor(folder: Path, part: dict[str, Any]) -> Path:
    test = part.get("test_tensor")
    source = test.get("source") if isinstance(test, dict) else test
    found = _file(folder, source, "test_tensor")
    if isinstance(test, dict) and test.get("sha256"):
        _require_hash(found, test["sha256"])
    return found


def _file(folder: Path, name: Any, what: str) -> Path:
    if not isinstance(name, str) or "://" in name:
        raise UnreadableError(_RDF, f"{what} is no file of the folder", "fetch it first")
    path = folder / name
    if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
        raise ContractError(_RDF, f"{what} leads out of the folder", "copy the file into it")
    return path


def _require_hash(path: Path, stated: Any) -> None:
    found = hashlib.sha256(_bytes_of(path)).hexdigest()
    if stated is not None and found != stated:
        raise ContractError(path.name, "SHA-256 is not the stated one", "fetch it again")
