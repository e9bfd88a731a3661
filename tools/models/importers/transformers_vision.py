"""Vision models of the package transformers: exported once to ONNX, then a model like any other.

Read are ``config.json``, ``preprocessor_config.json`` and ``model.safetensors`` of a local folder:
architectures that the package itself has, never code or pickles of the folder, and nothing is
fetched. The package and torch are needed here and not when the model runs. The processor is the
package's own on Pillow; never torchvision.

Its pre-processing is described in our words (``normalise``, ``fit``) and compared with it on a
picture of the model's size; where that differs the model is refused. Pictures of another size are
brought to it by our interpolation, which is not the package's: measure it on those (``evaluate``).
"""

import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, MissingExtraError, UnreadableError
from tools.models.contract import plain_json
from tools.models.importers.foreign import Foreign, text_of

_CONFIG, _PICTURES, _WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
_FILES = {"README.md": ("card_file", "MODEL_CARD.md"), "LICENSE": ("licence_file", "LICENSE")}
_CLASSIFIER = "ForImageClassification"
_OPSET = 17
_SEED = 7
_NEAR = 1e-4
_EXTRA = "pip install epicrisis[transformers-vision]"


def read_transformers(folder: Path) -> Foreign:
    """Return what a folder of `save_pretrained` says, with its network exported.

    Args:
        folder: With configuration, processor and weights.

    Raises:
        MissingExtraError: torch or transformers are not installed.
        UnreadableError: A file is missing or damaged.
        ContractError: Code of its own, an architecture that is not exported, or pre-processing that
            our description does not cover.
    """
    config, pictures = _object(folder, _CONFIG), _object(folder, _PICTURES)
    for said, file in ((config, _CONFIG), (pictures, _PICTURES)):
        if "auto_map" in said:
            raise ContractError(file, "it asks for code of its own (auto_map)", "never run")
    if not (folder / _WEIGHTS).is_file():
        raise UnreadableError(
            _WEIGHTS, "is missing", "weights are taken as safetensors, in one file"
        )
    kind, output = _output(config)
    given = _input(config, pictures)
    size = (int(given["shape"][2]), int(given["shape"][3]))
    picture = _picture(size)
    ready = _processed(folder, picture)
    _check_same(ready, picture, given)
    network = _network(folder, kind)
    made = tempfile.TemporaryDirectory(prefix="epicrisis-export-")
    graph = Path(made.name) / "model.onnx"
    answer = _exported(network, ready, output["name"], graph)
    files = {
        ours: folder / theirs for theirs, (_, ours) in _FILES.items() if (folder / theirs).is_file()
    }

    def write(made: Path) -> None:
        (made / "golden").mkdir(exist_ok=True)
        np.save(made / "golden" / "in.npy", ready)
        np.save(made / "golden" / "out.npy", answer)

    named = {key: ours for theirs, (key, ours) in _FILES.items() if (folder / theirs).is_file()}
    golden = {
        "inputs": {given["name"]: "golden/in.npy"}, "outputs": {output["name"]: "golden/out.npy"},
        "atol": 0.001, "rtol": 0.001,
    }  # fmt: skip
    said = {"task": kind, "inputs": [given], "outputs": [output], "golden": [golden], **named}
    return Foreign(graph=graph, said=said, files=files, write=write, close=made.cleanup)


def _object(folder: Path, file: str) -> dict[str, Any]:
    found = plain_json(text_of(folder / file), file)
    if not isinstance(found, dict):
        raise UnreadableError(file, "no JSON object", "is this a folder of save_pretrained?")
    return found


def _output(config: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the task and the output of an architecture."""
    names = config.get("architectures")
    name = str(names[0]) if isinstance(names, list) and len(names) == 1 else ""
    if name.endswith("Model"):
        return "embedding", {
            "name": "vector", "kind": "embedding", "labels": [], "codes": [], "activation": "none",
        }  # fmt: skip
    if not name.endswith(_CLASSIFIER):
        raise ContractError(
            _CONFIG, f"architecture {name[:60]!r} is not exported", "a classifier or an encoder"
        )
    labels = config.get("id2label")
    try:
        named = [str(labels[key]) for key in sorted(labels, key=int)]  # type: ignore[index, arg-type]
    except (TypeError, ValueError) as error:
        raise ContractError(_CONFIG, "id2label is not numbered", "correct it") from error
    several = config.get("problem_type") == "multi_label_classification"
    return ("multi-label" if several else "classification"), {
        "name": "logits", "kind": "scores", "labels": named,
        "activation": "sigmoid" if several else "softmax",
    }  # fmt: skip


def _input(config: dict[str, Any], pictures: dict[str, Any]) -> dict[str, Any]:
    height, width, fit = _size(pictures)
    channels = int(config.get("num_channels", 3))
    factor = float(pictures.get("rescale_factor") or 1 / 255)
    divide = 1 / factor if pictures.get("do_rescale", True) else 1.0
    normal = bool(pictures.get("do_normalize", True))
    mean = [float(v) for v in pictures["image_mean"]] if normal else [0.0] * channels
    std = [float(v) for v in pictures["image_std"]] if normal else [1.0] * channels
    return {
        "name": "pixel_values", "axes": "NCHW", "shape": [1, channels, height, width],
        "dtype": "float32", "orientation": None, "window": None, "fs_hz": None, "leads": None,
        "photometric": "RGB" if channels == 3 else "MONOCHROME2",  # as DICOM names colour
        "normalise": {"kind": "mean-std", "divide": divide, "mean": mean, "std": std},
        "fit": {"kind": fit}, "embedding_of": None,
    }  # fmt: skip


def _size(pictures: dict[str, Any]) -> tuple[int, int, str]:
    """Return height, width and how a picture comes to them."""
    size = pictures.get("size") or {}
    crop = pictures.get("crop_size") if pictures.get("do_center_crop") else None
    if isinstance(size, dict) and {"height", "width"} <= set(size) and crop is None:
        return int(size["height"]), int(size["width"]), "stretch"
    if isinstance(crop, dict) and isinstance(size, dict):
        edge = size.get("shortest_edge")
        if edge is not None and edge == crop.get("height") == crop.get("width"):
            return int(edge), int(edge), "centre-crop"
    raise ContractError(
        _PICTURES,
        "brings pictures to size in a way that model.json has no words for",
        "size with height and width, or shortest_edge as large as the crop",
    )


def _picture(size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture of the model's size with every brightness in it."""
    made: NDArray[np.uint8] = np.random.default_rng(_SEED).integers(
        0, 256, (*size, 3), dtype=np.uint8
    )
    return made


def _processed(folder: Path, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the package's own processor makes of a picture, (1, 3, rows, columns)."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from transformers import AutoImageProcessor  # type: ignore[import-not-found]
        except ImportError as error:
            raise _missing() from error
        try:
            processor = AutoImageProcessor.from_pretrained(
                str(folder), backend="pil", local_files_only=True, trust_remote_code=False
            )
            if not type(processor).__name__.endswith("Pil"):
                raise ContractError(_PICTURES, "has no processor on Pillow", "another model")
            made = processor(images=Image.fromarray(picture), return_tensors="np")
        except (OSError, ValueError, TypeError, ImportError) as error:
            raise ContractError(
                _PICTURES, f"its processor cannot be used ({type(error).__name__})", "correct it"
            ) from error
    return np.asarray(made["pixel_values"], dtype=np.float32)


def _check_same(
    ready: NDArray[np.float32], picture: NDArray[np.uint8], given: dict[str, Any]
) -> None:
    """Refuse a processor that does something else than what is described."""
    rule = given["normalise"]
    ours = (picture / rule["divide"] - np.array(rule["mean"])) / np.array(rule["std"])
    expected = ours.transpose(2, 0, 1)[None]
    if ready.shape != expected.shape or float(np.abs(ready - expected).max()) > _NEAR:
        raise ContractError(
            _PICTURES,
            "its processor does something else than it says",
            "export it to ONNX yourself",
        )


def _network(folder: Path, kind: str) -> Any:
    """Return the network with one output: logits, or the vector of the first token."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import torch  # type: ignore[import-not-found]
            from transformers import AutoModel, AutoModelForImageClassification
        except ImportError as error:
            raise _missing() from error
        loader = AutoModel if kind == "embedding" else AutoModelForImageClassification
        try:
            network = loader.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ContractError(
                _WEIGHTS, f"cannot be loaded ({type(error).__name__})", "save it again"
            ) from error

    class Only(torch.nn.Module):  # type: ignore[misc]
        """One output of the network."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: Any) -> Any:
            """Return it."""
            found = self.network(pixel_values=pixel_values)
            return found.last_hidden_state[:, 0] if kind == "embedding" else found.logits

    return Only().eval()


def _exported(
    network: Any, ready: NDArray[np.float32], name: str, file: Path
) -> NDArray[np.float32]:
    """Write the network as ONNX and return its own answer to a picture."""
    import torch

    shown = torch.from_numpy(ready)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = network(shown).numpy()
        torch.onnx.export(
            network, (shown,), str(file), dynamo=False, opset_version=_OPSET,
            input_names=["pixel_values"], output_names=[name],
        )  # fmt: skip
    return np.asarray(answer, dtype=np.float32)


def _missing() -> MissingExtraError:
    return MissingExtraError(
        "a transformers vision model", "torch and transformers are not installed", _EXTRA
    )
