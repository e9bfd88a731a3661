"""What a server of the Open Inference Protocol answered: bytes to JSON, JSON to tensors."""

import json
import math
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES: dict[str, Any] = {
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "INT8": np.int8,
    "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8,
    "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "BOOL": np.bool_,
}  # fmt: skip
NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}
"""Type of a tensor to its name in the protocol."""

_MOST_SIDES = 8
_LONGEST_SIDE = 1 << 31


class UnusableError(Exception):
    """Why an answer holds nothing that can be used; continues "its server answers"."""


def decoded(content: bytes) -> dict[str, Any]:
    """Return the object of an answer.

    Raises:
        UnusableError: No JSON, nested without end, or no object.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnusableError("with something else than JSON") from error
    if not isinstance(found, dict):
        raise UnusableError("with something else than an object")
    return found


def tensors(answer: dict[str, Any], outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return the tensors that were asked for.

    Raises:
        UnusableError: One is missing, stands there twice, or is no tensor of numbers of its type.
    """
    given = answer.get("outputs")
    rows = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    names = [str(one.get("name")) for one in rows]
    if any(names.count(name) > 1 for name in outputs):
        raise UnusableError("with an output twice")
    if not set(outputs) <= set(names):
        raise UnusableError("without the outputs that were asked for")
    by_name = dict(zip(names, rows, strict=True))
    return {name: _tensor(by_name[name]) for name in outputs}


def _tensor(one: dict[str, Any]) -> NDArray[Any]:
    kind, shape = _TYPES.get(str(one.get("datatype"))), one.get("shape")
    if kind is None or not _is_shape(shape):
        raise UnusableError("with a tensor of no known type or shape")
    try:
        flat = _numbers(one.get("data"), np.dtype(kind))
        if flat.size != math.prod(shape or ()):
            raise UnusableError("with a tensor of another size than its shape")
        with np.errstate(over="ignore"):  # endless then, which no number is
            return flat.astype(kind).reshape(shape)
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise UnusableError("with a tensor that is not of numbers of its type") from error


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, list)
        and len(shape) <= _MOST_SIDES
        and all(type(side) is int and 0 <= side <= _LONGEST_SIDE for side in shape)
    )


def _numbers(data: Any, kind: np.dtype[Any]) -> NDArray[Any]:
    """Return numbers in one row; of a whole type only whole ones that it can hold.

    Raises:
        TypeError: Something else than numbers, or truth values of another type than BOOL.
        ValueError: Numbers that the stated type cannot hold.
        OverflowError: Numbers without bound.
    """
    level = data
    for _ in range(_MOST_SIDES):
        if not isinstance(level, list):
            raise TypeError
        if not any(isinstance(one, list) for one in level):
            break
        level = list(chain.from_iterable(level))
    wanted: tuple[type, ...] = (bool,) if kind.kind == "b" else (int, float)
    if not all(type(one) in wanted for one in level):
        raise TypeError
    if kind.kind not in "iu":
        return np.array(level, np.float64)
    ends = np.iinfo(kind)
    if not all(type(one) is int and ends.min <= one <= ends.max for one in level):
        raise ValueError
    return np.array(level, kind)
