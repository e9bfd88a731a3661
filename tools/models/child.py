"""The process in which a plugged graph runs: it answers over its pipes and has a memory limit.

Nothing of a patient but the tensors comes here. A graph that asks for too much memory, or breaks
the runtime, ends this process and not the product's.
"""

import json
import resource
import struct
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import EpicrisisError
from tools.models.runner import OnnxRunner, known_errors

LENGTH = struct.Struct(">Q")
MEMORY = "memory"
_ALLOCATION = ("bad_alloc", "allocate", "memory")


def send(stream: BinaryIO, head: Mapping[str, Any], parts: Mapping[str, NDArray[Any]]) -> None:
    """Write a message: what it says, then the raw numbers of its tensors."""
    described = {
        name: {"dtype": value.dtype.str, "shape": list(value.shape)}
        for name, value in parts.items()
    }
    text = json.dumps({**head, "tensors": described}).encode()
    stream.write(LENGTH.pack(len(text)) + text)
    for value in parts.values():
        plain = np.ascontiguousarray(value)
        stream.write(LENGTH.pack(plain.nbytes))
        stream.write(plain.tobytes())
    stream.flush()


def tensors_of(head: Mapping[str, Any], contents: list[bytes]) -> dict[str, NDArray[Any]]:
    """Return the tensors of a message from its raw numbers.

    Raises:
        ValueError: They do not fit what it says of them.
    """
    described = head["tensors"]
    return {
        name: np.frombuffer(content, dtype=np.dtype(said["dtype"])).reshape(said["shape"])
        for (name, said), content in zip(described.items(), contents, strict=True)
    }


def _receive(stream: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """Return the next message; None where the other side has closed."""
    length = stream.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    head = json.loads(stream.read(LENGTH.unpack(length)[0]))
    contents = [stream.read(LENGTH.unpack(stream.read(LENGTH.size))[0]) for _ in head["tensors"]]
    return head, contents


def main() -> None:
    """Take a graph, then answer until the other side closes."""
    inward, outward = sys.stdin.buffer, sys.stdout.buffer
    first = _receive(inward)
    if first is None:
        return
    head, (graph,) = first
    try:
        known_errors()  # the runtime is loaded before the limit counts
        _limit(int(head["memory_bytes"]))
        runner = OnnxRunner(bytes(graph), item=head["item"], threads=head["threads"])
        said = {"where": runner.where, "inputs": runner.inputs, "outputs": list(runner.outputs)}
        send(outward, said, {})
    except (EpicrisisError, MemoryError) as error:
        send(outward, _refusal(error), {})
        return
    while (asked := _receive(inward)) is not None:
        _answer(runner, *asked, outward)


def _answer(
    runner: OnnxRunner, head: Mapping[str, Any], contents: list[bytes], outward: BinaryIO
) -> None:
    try:
        values = runner.run(tensors_of(head, contents), tuple(head["outputs"]))
        plain = {k: v for k, v in values.items() if isinstance(v, np.ndarray) and v.dtype != object}
        send(outward, {}, plain)
    except (EpicrisisError, MemoryError) as error:
        send(outward, _refusal(error), {})


def _refusal(error: Exception) -> dict[str, Any]:
    cause = f"{error.__cause__ or error}".casefold()
    if isinstance(error, MemoryError) or any(word in cause for word in _ALLOCATION):
        return {"error": MEMORY}
    if isinstance(error, EpicrisisError):
        return {
            "error": type(error).__name__, "item": error.item, "reason": error.reason,
            "way_out": error.way_out,
        }  # fmt: skip
    return {"error": MEMORY}


def _limit(more_bytes: int) -> None:
    """Let this process take so much memory beyond what it has now; on Linux alone."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
    except FileNotFoundError:  # another system: the time is limited there, the memory is not
        return
    most = pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
