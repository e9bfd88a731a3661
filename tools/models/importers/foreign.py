"""What a folder of another form says, in the words of ours."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.errors import ContractError, TooLargeError, UnreadableError

_MAX_TEXT = 4 << 20


def _nothing(folder: Path) -> None:
    """Write nothing."""


def _nothing_made() -> None:
    """Remove nothing."""


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A folder in another form.

    Args:
        graph: Its ONNX file.
        said: The part of ``model.json`` that it says.
        files: Name in our folder to the file that is copied there.
        write: Writes what has to be computed (golden tensors) into our folder.
        close: Removes what was made for it, once it has been copied.
    """

    graph: Path
    said: dict[str, Any]
    files: dict[str, Path] = field(default_factory=dict)
    write: Callable[[Path], None] = _nothing
    close: Callable[[], None] = _nothing_made


def text_of(path: Path) -> bytes:
    """Return a description file.

    Raises:
        UnreadableError: It is missing.
        TooLargeError: It is no description.
    """
    try:
        if path.stat().st_size > _MAX_TEXT:
            raise TooLargeError(path.name, f"over {_MAX_TEXT} bytes", "it is a description")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableError(
            path.name, f"cannot be read: {error.strerror}", "is this the unpacked folder?"
        ) from error


def slug(text: str) -> str:
    """Return words as an id.

    >>> slug("Spleen CT segmentation")
    'spleen-ct-segmentation'
    """
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())
    return "-".join(part for part in letters.split("-") if part)[:100]


def tensor_names(graph: Path, item: str) -> tuple[list[str], list[str]]:
    """Return the names of a graph's inputs and outputs; weights are no inputs.

    Raises:
        UnreadableError: No ONNX file.
        ContractError: It uses files beside itself or operators of its own.
    """
    import onnx

    from tools.models.graph_check import check_graph

    try:
        content = graph.read_bytes()
    except OSError as error:
        raise UnreadableError(
            item, f"no ONNX file: {graph.name}", "export the model to ONNX first"
        ) from error
    check_graph(content, file=graph.name)
    found = onnx.load_model_from_string(content).graph
    weights = {i.name for i in found.initializer}
    inputs = [i.name for i in found.input if i.name not in weights]
    if len(inputs) != 1:
        raise ContractError(item, f"{len(inputs)} inputs; one is taken", "another model")
    return inputs, [o.name for o in found.output]
