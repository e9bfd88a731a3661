"""Whatever turns tensors into tensors: the graph in this process, or a server elsewhere."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, InvalidValueError, UnreadableError

Tensors = Mapping[str, NDArray[Any]]

_THREADS = 8


class Runner(Protocol):
    """Runs a model."""

    where: str
    """For the record: ``onnxruntime 1.31.1 CPU``, or the server."""

    def run(self, inputs: Tensors, outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return the named outputs."""


class OnnxRunner:
    """ONNX Runtime on the CPU, of bytes that were checked before."""

    def __init__(self, content: bytes, *, item: str, threads: int | None = None) -> None:
        """Prepare the graph.

        Args:
            content: The ONNX file.
            item: What messages call the model.
            threads: None for the cores this process may use, at most 8.

        Raises:
            UnreadableError: ONNX Runtime cannot use the graph.
        """
        import onnxruntime  # type: ignore[import-untyped]

        self._item = item
        self._errors = known_errors()
        self.where = f"onnxruntime {onnxruntime.__version__} CPU"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or min(len(os.sched_getaffinity(0)), _THREADS)
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                content,
                options,
                providers=["CPUExecutionProvider"],
                enable_fallback=False,  # it prints, and there is nothing to fall back to
            )
        except self._errors as error:
            raise UnreadableError(
                item, f"ONNX Runtime cannot use its graph ({type(error).__name__})", "export again"
            ) from error

    @property
    def inputs(self) -> dict[str, tuple[list[Any], str]]:
        """Name of each input to its shape (numbers or names) and type."""
        return {i.name: (list(i.shape), str(i.type)) for i in self._session.get_inputs()}

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return tuple(o.name for o in self._session.get_outputs())

    def run(self, inputs: Tensors, outputs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Return the named outputs.

        Raises:
            ContractError: The graph does not take these tensors.
        """
        try:
            values = self._session.run(list(outputs), dict(inputs))
        except self._errors as error:
            raise ContractError(
                self._item,
                f"the graph does not take this input ({type(error).__name__})",
                "shape and axes in model.json do not fit its graph",
            ) from error
        return dict(zip(outputs, values, strict=True))


def finite(values: Mapping[str, NDArray[Any]], *, item: str) -> dict[str, NDArray[np.float64]]:
    """Return outputs as float64.

    Raises:
        InvalidValueError: A number is NaN or infinite, or not a number: then nothing can be said.
    """
    found = {}
    for name, value in values.items():
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
            raise InvalidValueError(item, f"output {name!r} is no tensor of numbers", "")
        plain = value.astype(np.float64)
        if not np.isfinite(plain).all():
            raise InvalidValueError(
                item, f"output {name!r} holds NaN or infinity", "no score is given for this input"
            )
        found[name] = plain
    return found


def known_errors() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises; it is loaded for it."""
    from onnxruntime.capi import (  # type: ignore[import-untyped]
        onnxruntime_pybind11_state as state,
    )

    own = tuple(
        value
        for value in vars(state).values()
        if isinstance(value, type) and issubclass(value, Exception)
    )
    return (*own, ValueError, TypeError, RuntimeError)
