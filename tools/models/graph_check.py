"""What an ONNX file may hold: standard operators and its own weights, nothing else."""

from collections.abc import Iterator
from typing import Any

from knowledge.errors import ContractError, UnreadableError

_STANDARD = ("", "ai.onnx", "ai.onnx.ml")
_RANDOM = (
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike",
)  # fmt: skip
_BOOL = 9
"""TensorProto.DataType of truth values."""

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
    known, off = _known_operators(), _always_false(graph)
    for kind, part in _parts(graph):
        if kind == "TensorProto" and (part.data_location or part.external_data):
            raise ContractError(file, "its weights are in other files (external data)", _AGAIN)
        if kind == "NodeProto" and (part.domain, part.op_type) not in own:
            _check_operator(part, known, file)
            _check_training(part, off, file)


def _check_operator(node: Any, known: set[tuple[str, str]], file: str) -> None:
    domain = "" if node.domain == "ai.onnx" else node.domain
    if domain not in _STANDARD or (domain, node.op_type) not in known:
        shown = f"{node.domain or 'ai.onnx'}:{node.op_type}"[:80]
        raise ContractError(file, f"operator {shown!r} is not of the ONNX standard", _AGAIN)
    if node.op_type in _RANDOM:
        raise ContractError(
            file, f"operator {node.op_type!r} gives another answer each time", "export without it"
        )


def _check_training(node: Any, off: frozenset[str], file: str) -> None:
    """Refuse a node that runs as in training: then it draws by chance, or learns from its input.

    Dropout from opset 12 on has it as its third input, BatchNormalization from 14 on as attribute.
    """
    trains = node.op_type == "Dropout" and any(name and name not in off for name in node.input[2:])
    if node.op_type == "BatchNormalization":
        trains = any(one.name == "training_mode" and one.i for one in node.attribute)
    if trains:
        raise ContractError(
            file,
            f"operator {node.op_type!r} runs as in training: it gives another answer each time",
            "export it for inference",
        )


def _always_false(graph: Any) -> frozenset[str]:
    """Return the names of tensors that are one constant false wherever they are written."""
    said: dict[str, bool] = {}
    for kind, part in _parts(graph):
        if kind == "GraphProto":
            for one in part.initializer:
                said[one.name] = said.get(one.name, True) and _is_false(one)
        elif kind == "NodeProto":
            false = part.op_type == "Constant" and any(
                one.name == "value" and _is_false(one.t) for one in part.attribute
            )
            for name in part.output:
                said[name] = said.get(name, True) and false
    given = {one.name for one in graph.graph.input}
    return frozenset(name for name, false in said.items() if false and name not in given)


def _is_false(tensor: Any) -> bool:
    """Return whether a tensor is one truth value that is false, as ONNX may write it."""
    if tensor.data_type != _BOOL:
        return False
    return bool(tensor.raw_data == b"\0" or list(tensor.int32_data) == [0])


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
