"""A folder of another form to a folder of ours, beside it and never in it.

What the other form says is taken; what it does not say has to stand in a file of its own
(``given``, a part of ``model.json``). Where both say something, they have to say the same. Nothing
is guessed: what is then still missing is refused by the ordinary check of ``model.json``.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import ContractError, InvalidValueError, TooLargeError, UnreadableError
from tools.models.contract import MAX_JSON_BYTES, SCHEMA, plain_json
from tools.models.folder import CONTRACT, GRAPH, MAX_GOLDEN_BYTES, MAX_GRAPH_BYTES
from tools.models.importers.bioimage import read_bioimage
from tools.models.importers.foreign import Foreign
from tools.models.importers.monai import read_monai
from tools.models.importers.transformers_vision import read_transformers

_READERS: dict[str, Callable[[Path], Foreign]] = {
    "monai": read_monai,
    "bioimage": read_bioimage,
    "transformers": read_transformers,
}
KINDS = tuple(_READERS)
"""Forms that can be brought."""


@dataclass(frozen=True)
class _Given:
    said: dict[str, Any]
    folder: Path


@contextmanager
def bring(folder: Path, kind: str, given: Path | None) -> Iterator[Path]:
    """Give a temporary folder in our form made of one in another.

    Args:
        folder: In the other form.
        kind: One of `KINDS`.
        given: JSON file with what it does not say; files it names lie beside it.

    Raises:
        InvalidValueError: An unknown kind.
        UnreadableError: A file is missing or damaged.
        ContractError: Both say something and not the same, or it needs what is not done here.
    """
    if kind not in _READERS:
        raise InvalidValueError("--from", f"unknown form {kind[:40]!r}", f"one of {list(KINDS)}")
    if not folder.is_dir():
        raise UnreadableError(str(folder), "no folder", "name the unpacked folder")
    foreign = _READERS[kind](folder)
    try:
        stated = _Given({}, folder) if given is None else _Given(_object(given), given.parent)
        with tempfile.TemporaryDirectory(prefix="epicrisis-model-") as name:
            made = Path(name)
            graph = made / GRAPH
            _copy(foreign.graph, graph, MAX_GRAPH_BYTES, made)
            digest = hashlib.sha256(graph.read_bytes()).hexdigest()
            known = {**foreign.said, "schema": SCHEMA, "onnx_sha256": digest}
            whole = merged(known, stated.said, "model.json")
            foreign.write(made)
            for file, path in foreign.files.items():
                _copy(path, made / file, MAX_GOLDEN_BYTES, made)
            for file in _named(whole):
                if not (made / file).exists():
                    _copy(stated.folder / file, made / file, MAX_GOLDEN_BYTES, made)
            (made / CONTRACT).write_text(json.dumps(whole), "utf-8")
            yield made
    finally:
        foreign.close()


def merged(known: Any, given: Any, where: str) -> Any:
    """Return both together: objects by key, lists by place.

    Raises:
        ContractError: They say different things in one place.

    Examples:
        >>> merged({"a": [{"b": 1}]}, {"a": [{"c": 2}]}, "it")
        {'a': [{'b': 1, 'c': 2}]}
    """
    if isinstance(known, Mapping) and isinstance(given, Mapping):
        found = dict(known)
        for key, value in given.items():
            found[key] = merged(known[key], value, f"{where}.{key}") if key in known else value
        return found
    objects = all(isinstance(v, list) and v and isinstance(v[0], dict) for v in (known, given))
    if objects and len(known) == len(given):
        return [
            merged(a, b, f"{where}.{at}")
            for at, (a, b) in enumerate(zip(known, given, strict=True))
        ]
    if known != given:
        raise ContractError(
            where, "the model's own files say something else than was given", "leave it out"
        )
    return known


def _object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise TooLargeError(path.name, f"over {MAX_JSON_BYTES} bytes", "it is a part of a text")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(path.name, f"cannot be read: {error.strerror}", "") from error
    found = plain_json(content, path.name)
    if not isinstance(found, dict):
        raise UnreadableError(path.name, "no JSON object", "a part of model.json")
    return found


def _named(whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that a description names, as far as it has got."""
    for key in ("licence_file", "card_file"):
        if isinstance(whole.get(key), str):
            yield whole[key]
    golden = whole.get("golden")
    for one in golden if isinstance(golden, list) else []:
        for side in ("inputs", "outputs"):
            names = one.get(side) if isinstance(one, dict) else None
            yield from (v for v in (names or {}).values() if isinstance(v, str))


def _copy(source: Path, target: Path, most: int, root: Path) -> None:
    inside = target.resolve().is_relative_to(root.resolve())
    if source.is_symlink() or not inside or ".." in target.parts:
        raise ContractError(source.name, "a link, or a name that leads elsewhere", "copy the file")
    try:
        if source.stat().st_size > most:
            raise TooLargeError(source.name, f"over {most} bytes", "a smaller file")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise UnreadableError(
            source.name, f"cannot be read: {error.strerror}", "it has to be there"
        ) from error
