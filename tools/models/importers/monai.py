"""MONAI Bundles that hold an ONNX file: ``configs/metadata.json`` to a part of ``model.json``.

The metadata says neither axes nor spacing tolerance, orientation, normalisation, calibration,
thresholds, regulatory status nor how many cases a figure is of: these have to be given. Scripts
and configurations of the bundle are never run.
"""

from pathlib import Path
from typing import Any

from knowledge.errors import ContractError, UnreadableError
from tools.models.contract import plain_json
from tools.models.importers.foreign import Foreign, slug, tensor_names, text_of

_GRAPH = Path("models/model.onnx")
_META = Path("configs/metadata.json")
_CARD, _LICENCES = Path("docs/README.md"), (Path("LICENSE"), Path("docs/license.txt"))
_MODALITIES = ("CT", "MR", "US", "MG", "DX", "CR", "SM", "PT", "XA")
_MASKS = ("labels", "segmentation", "classes")


def read_monai(folder: Path) -> Foreign:
    """Return what a bundle says.

    Args:
        folder: The unpacked bundle.

    Raises:
        UnreadableError: No metadata, or no ONNX file.
        ContractError: Several inputs, or no format of the network.
    """
    meta = plain_json(text_of(folder / _META), _META.name)
    if not isinstance(meta, dict):
        raise UnreadableError(_META.name, "no JSON object", "is this a MONAI Bundle?")
    inputs, outputs = tensor_names(folder / _GRAPH, "MONAI Bundle")
    shape = meta.get("network_data_format")
    if not isinstance(shape, dict):
        raise ContractError(_META.name, "without network_data_format", "a whole bundle is needed")
    said: dict[str, Any] = {
        "inputs": [_input(_only(shape.get("inputs"), "inputs"), inputs[0])],
        "outputs": [_output(_only(shape.get("outputs"), "outputs"), outputs[0])],
    }
    said |= _words(meta)
    files: dict[str, Path] = {}
    if (folder / _CARD).is_file():
        said["card_file"], files["MODEL_CARD.md"] = "MODEL_CARD.md", folder / _CARD
    for licence in _LICENCES:
        if (folder / licence).is_file() and "LICENSE" not in files:
            said["licence_file"], files["LICENSE"] = "LICENSE", folder / licence
    return Foreign(graph=folder / _GRAPH, said=said, files=files)


def _words(meta: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if isinstance(meta.get("version"), str):
        said["version"] = meta["version"]
    name = meta.get("name") or meta.get("task")
    if isinstance(name, str) and name.strip():
        said |= {"title": name, "id": slug(name)}
    if isinstance(meta.get("authors"), str) and meta["authors"].strip():
        said["authors"] = [meta["authors"]]
    for ours, theirs in (("intended_use", "intended_use"), ("training_data", "data_source")):
        if isinstance(meta.get(theirs), str) and meta[theirs].strip():
            said[ours] = meta[theirs]
    return said


def _only(part: Any, where: str) -> dict[str, Any]:
    rows = list(part.values()) if isinstance(part, dict) else []
    if len(rows) != 1 or not isinstance(rows[0], dict):
        raise ContractError(_META.name, f"{len(rows)} {where}; one is taken", "another model")
    found: dict[str, Any] = rows[0]
    return found


def _input(part: dict[str, Any], name: str) -> dict[str, Any]:
    said: dict[str, Any] = {"name": name}
    if part.get("modality") in _MODALITIES:
        said["modality"] = [part["modality"]]
    sides = part.get("spatial_shape")
    channels = part.get("num_channels")
    if isinstance(sides, list) and isinstance(channels, int):
        # A side that is an expression ("*", "2**n") is any size.
        said["shape"] = [1, channels, *(s if isinstance(s, int) else None for s in sides)]
    if part.get("dtype") in ("float32", "float16", "uint8"):
        said["dtype"] = part["dtype"]
    return said


def _output(part: dict[str, Any], name: str) -> dict[str, Any]:
    said: dict[str, Any] = {"name": name}
    if part.get("type") == "probabilities":
        said["kind"] = "scores"
    elif part.get("format") in _MASKS and part.get("type") == "image":
        said["kind"] = "mask"
    channels = part.get("channel_def")
    if isinstance(channels, dict) and channels:
        try:
            order = sorted(channels, key=int)
        except ValueError as error:
            raise ContractError(_META.name, "channel_def is not numbered", "correct it") from error
        said["labels"] = [str(channels[key]) for key in order]
    return said
