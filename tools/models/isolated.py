"""A graph in a process of its own, with a limit on time and one on memory.

What a plugged graph takes cannot be seen from its file: a loop may never end, a shape may grow
without end. Past a limit the process is ended, nothing is said of the input, and the next input
gets a new process.
"""

import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, EpicrisisError, UnavailableError, UnreadableError
from knowledge.model import Frozen
from tools.models.child import LENGTH, MEMORY, send, tensors_of
from tools.models.runner import Tensors

_MIB = 1 << 20
_PIECE = 1 << 20
_ERRORS: Mapping[str, type[EpicrisisError]] = {
    "ContractError": ContractError, "UnreadableError": UnreadableError,
}  # fmt: skip


class Limits(Frozen):
    """What a plugged graph may take.

    Args:
        seconds: For one answer, and for making it ready.
        memory_mib: Beyond what the runtime itself takes.
    """

    seconds: float
    memory_mib: int


class IsolatedRunner:
    """ONNX Runtime on the CPU in a process of its own."""

    def __init__(
        self, content: bytes, *, item: str, limits: Limits, threads: int | None = None
    ) -> None:
        """Prepare the graph.

        Args:
            content: The ONNX file, checked before.
            item: What messages call the model.
            limits: What it may take.
            threads: None for the cores this process may use, at most 8.

        Raises:
            UnreadableError: ONNX Runtime cannot use the graph.
            UnavailableError: It takes more than its limits, or its process ended.
        """
        self._content, self._item = content, item
        self._limits, self._threads = limits, threads
        self._process: subprocess.Popen[bytes] | None = None
        said = self._started()
        self.where = f"{said['where']}, a process of its own"
        self.inputs = {name: (list(shape), str(kind)) for name, (shape, kind) in
                       said["inputs"].items()}  # fmt: skip
        self.outputs = tuple(said["outputs"])

    def run(self, inputs: Tensors, outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return the named outputs.

        Raises:
            ContractError: The graph does not take these tensors, or gives no tensor.
            UnavailableError: It takes more than its limits, or its process ended.
        """
        if self._process is None:
            self._started()
        head, contents = self._asked({"outputs": list(outputs)}, inputs)
        found = tensors_of(head, contents)
        if set(found) != set(outputs):
            raise ContractError(self._item, "gives something else than tensors", "correct outputs")
        return {name: found[name] for name in outputs}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            _end(self._process)
            self._process = None

    def _started(self) -> dict[str, Any]:
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from tools.models import child; child.main()"
        )
        made = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._process = made
        weakref.finalize(self, _end, made)
        graph = np.frombuffer(self._content, np.uint8)
        head = {
            "item": self._item, "threads": self._threads,
            "memory_bytes": self._limits.memory_mib * _MIB,
        }  # fmt: skip
        said, _ = self._asked(head, {"graph": graph})
        return said

    def _asked(self, head: Mapping[str, Any], parts: Tensors) -> tuple[dict[str, Any], list[bytes]]:
        """Return the answer of the process; it is ended where there is none in time."""
        process = self._process
        if process is None:
            raise UnavailableError(self._item, "its process is not there", "ask again")
        try:
            send(cast(BinaryIO, process.stdin), head, parts)
            said, contents = _Reply(process, self._limits.seconds).read()
        except (BrokenPipeError, EOFError) as error:
            self.close()
            raise UnavailableError(
                self._item,
                "its process ended without an answer: it broke, or took more than "
                f"{self._limits.memory_mib} MiB",
                "it is not used; EPICRISIS_MODEL_MEMORY_MIB is the limit",
            ) from error
        except TimeoutError as error:
            self.close()
            raise UnavailableError(
                self._item,
                f"no answer within {self._limits.seconds:g} s: stopped",
                "EPICRISIS_MODEL_SECONDS is the limit",
            ) from error
        if "error" in said:
            raise self._refused(said)
        return said, contents

    def _refused(self, said: Mapping[str, Any]) -> EpicrisisError:
        kind = str(said["error"])
        if kind == MEMORY:
            self.close()
            return UnavailableError(
                self._item,
                f"takes more than {self._limits.memory_mib} MiB of memory: stopped",
                "EPICRISIS_MODEL_MEMORY_MIB is the limit",
            )
        error = _ERRORS.get(kind, UnavailableError)
        return error(str(said["item"]), str(said["reason"]), str(said["way_out"]))


class _Reply:
    """What a process writes, read until a moment."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self._stream = cast(BinaryIO, process.stdout).fileno()
        self._until = time.monotonic() + seconds

    def read(self) -> tuple[dict[str, Any], list[bytes]]:
        import orjson

        said = orjson.loads(self._some(LENGTH.unpack(self._some(LENGTH.size))[0]))
        contents = [self._some(LENGTH.unpack(self._some(LENGTH.size))[0]) for _ in said["tensors"]]
        return said, contents

    def _some(self, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            left = self._until - time.monotonic()
            ready = select.select([self._stream], [], [], max(0.0, left))[0]
            if not ready:
                raise TimeoutError
            piece = os.read(self._stream, min(_PIECE, count - len(found)))
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:  # what was not sent any more
                continue
