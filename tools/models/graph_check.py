"""What an ONNX file may hold: standard operators and its own weights, nothing else."""

from collections.abc import Iterator
from typing import Any

from knowledge.errors import ContractError, UnreadableError

_STANDARD = ("", "ai.onnx", "ai.onnx.ml")
_RANDOM = (
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike",
)  # fmt: skip
_AGAIN = "export it again as one file with standard operators"


def check_graph(content: bytes, *, file: str = "model.onnx") -> None:
    """Refuse an ONNX file that needs anything beside itself and ONNX Runtime.

    Nothing is loaded or run: the bytes are read as a protocol buffer, and every node and every
    tensor in it is looked at, in branches, loops and functions too.

    Args:
        content: The whole file.
        file: Its name.

    Raises:
        UnreadableError: Not an ONNX file.
        ContractError: Weights in other files, operators outside the standard or of chance, or a
            training part.
    """
    import onnx

    try:
        graph = onnx.load_model_from_string(content)
    except (ValueError, TypeError, RecursionError, _decode_error()) as error:
        raise UnreadableError(file, "not an ONNX file", _AGAIN) from error
    if not graph.HasField("graph") or not graph.graph.node:
        raise UnreadableError(file, "an ONNX file without a graph", _AGAIN)
    if graph.training_info:
        raise ContractError(file, "it holds a training part", _AGAIN)
    own = {(f.domain, f.name) for f in graph.functions}
    known = _known_operators()
    for kind, part in _parts(graph):
        if kind == "TensorProto" and (part.data_location or part.external_data):
            raise ContractError(file, "its weights are in other files (external data)", _AGAIN)
        if kind == "NodeProto" and (part.domain, part.op_type) not in own:
            _check_operator(part, known, file)


def _check_operator(node: Any, known: set[tuple[str, str]], file: str) -> None:
    domain = "" if node.domain == "ai.onnx" else node.domain
    if domain not in _STANDARD or (domain, node.op_type) not in known:
        shown = f"{node.domain or 'ai.onnx'}:{node.op_type}"[:80]
        raise ContractError(file, f"operator {shown!r} is not of the ONNX standard", _AGAIN)
    if node.op_type in _RANDOM:
        raise ContractError(
            file, f"operator {node.op_type!r} gives another answer each time", "export without it"
        )


def _decode_error() -> type[Exception]:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    found: type[Exception] = DecodeError
    return found


def _known_operators() -> set[tuple[str, str]]:
    from onnx import defs

    return {(schema.domain, schema.name) for schema in defs.get_all_schemas()}


def _parts(message: Any) -> Iterator[tuple[str, Any]]:
    """Yield every message inside a message with the name of its type, itself included."""
    waiting = [message]
    while waiting:
        one = waiting.pop()
        yield one.DESCRIPTOR.name, one
        for field, value in one.ListFields():
            if field.message_type is None:
                continue
            repeated = not hasattr(value, "DESCRIPTOR")
            waiting.extend(value if repeated else [value])
