"""The folder of the weights: there, whole, of this model, and with the hashes of its manifest."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from serving.llm.launch.errors import MissingWeightsError, WrongHashError, WrongWeightsError
from serving.llm.profiles.model import ModelProfile

MANIFEST = "SHA256SUMS"
_LINE = re.compile(r"(?P<hash>[0-9a-fA-F]{64}) [ *](?P<name>.+)")
_CHUNK = 1 << 22
_INDEX = "model.safetensors.index.json"
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_PER_TOKEN = ("num_experts_per_tok", "experts_per_token", "top_k_experts")
"""Names that makers give the same field in ``config.json``."""
_SHOWN = 40


def check_weights(folder: Path, profile: ModelProfile, *, template: Path | None) -> None:
    """Refuse a folder from which the model cannot be served.

    Args:
        folder: Of the weights.
        profile: The model that is to be served.
        template: File of the chat template that must be there as well; None for none.

    Raises:
        MissingWeightsError: The folder or a file is not there.
        WrongWeightsError: It holds another model.
    """
    if not folder.is_dir():
        raise MissingWeightsError(
            str(folder), "no such folder", f"put the files of {profile.repository} there"
        )
    config = folder / "config.json"
    if not config.is_file():
        raise MissingWeightsError(str(folder), "has no config.json", "copy every file of the model")
    for missing in _missing(folder):
        raise MissingWeightsError(str(folder), f"lacks {missing}", "copy every file of the model")
    _same_model(config, profile)
    if template is not None and not template.is_file():
        raise MissingWeightsError(
            str(template),
            "no such chat template",
            "copy it there from the examples of vLLM, or name one by --chat-template",
        )


def verify_weights(folder: Path, progress: Callable[[str], None] = lambda name: None) -> int:
    """Hash every file that the manifest names and return how many there were.

    The manifest is ``SHA256SUMS`` beside the weights, in the form that ``sha256sum`` writes.

    Args:
        folder: Of the weights.
        progress: Told the name of each file before it is read.

    Raises:
        MissingWeightsError: There is no manifest, or a file that it names is not there.
        WrongHashError: A file has another hash, or a weights file is not named.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise MissingWeightsError(
            str(manifest),
            "there is no manifest to check against",
            f"write one from a source you trust: sha256sum * > {MANIFEST}",
        )
    named = dict(_lines(manifest))
    named.pop(MANIFEST, None)  # it names itself where it was written a second time
    for path in sorted(folder.rglob("*.safetensors")):
        if path.relative_to(folder).as_posix() not in named:
            raise WrongHashError(str(path), f"is not named in {MANIFEST}", "remove it, or hash it")
    for name, expected in sorted(named.items()):
        path = folder / name
        if not path.is_file():
            raise MissingWeightsError(str(path), f"is named in {MANIFEST} but not there")
        progress(name)
        found = _hash(path)
        if found != expected:
            raise WrongHashError(
                str(path),
                f"has the SHA-256 {found[:16]}..., the manifest says {expected[:16]}...",
                "fetch the file again from a source you trust",
            )
    return len(named)


def _lines(manifest: Path) -> Iterator[tuple[str, str]]:
    text = manifest.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.rstrip())
        inside = match is not None and ".." not in Path(match["name"]).parts
        if match is None or not inside or Path(match["name"]).is_absolute():
            raise WrongHashError(
                str(manifest), f"line {number} is not a hash and a file of the folder"
            )
        yield match["name"].removeprefix("./"), match["hash"].lower()


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _missing(folder: Path) -> Iterator[str]:
    index = folder / _INDEX
    if index.is_file():
        parts = _json(index).get("weight_map")
        names = tuple(parts.values()) if isinstance(parts, dict) else ()
        if not names or not all(isinstance(name, str) for name in names):
            raise WrongWeightsError(
                str(index), "names no file of weights", "copy every file of the model"
            )
        files = [folder / name for name in sorted(set(names))]
    else:
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            yield "any *.safetensors file"
    for file in files:
        if not file.is_file():
            yield file.name
        elif not file.stat().st_size:
            yield f"the content of {file.name}, which is empty"


def _same_model(config: Path, profile: ModelProfile) -> None:
    """Compare what the folder says of its model with the profile.

    Raises:
        WrongWeightsError: It says something else, or not what every model says.
    """
    if profile.shape is None:
        return
    fields = _json(config)
    text = fields.get("text_config")
    if isinstance(text, dict):
        fields = {**fields, **text}
    hidden, layers = profile.shape.hidden, profile.shape.layers
    for name, value in (("hidden_size", hidden), ("num_hidden_layers", layers)):
        _require_same(config, profile, {name: fields.get(name)}, value)
    if "vocab_size" in fields:
        found = {"vocab_size": fields["vocab_size"]}
        _require_same(config, profile, found, profile.shape.vocabulary)
    experts = profile.feedforward.experts if profile.feedforward is not None else None
    if profile.feedforward is None:
        return
    for names, expected in (
        (_EXPERTS, experts.count if experts else None),
        (_PER_TOKEN, experts.per_token if experts else None),
    ):
        said = {name: fields[name] for name in names if fields.get(name)}
        if said or expected is not None:
            _require_same(config, profile, said or {names[0]: None}, expected)


def _require_same(
    config: Path, profile: ModelProfile, said: Mapping[str, Any], value: int | None
) -> None:
    for name, found in said.items():
        if found != value:
            raise WrongWeightsError(
                str(config),
                f"{name} is {_shown(found)}, that of {profile.name} is {_shown(value)}",
                "give the folder of this model, or the profile of that one",
            )


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)[:_SHOWN]


def _json(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise WrongWeightsError(str(path), f"is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise WrongWeightsError(str(path), "is not a JSON object")
    return found
