"""A model that passed every check and is ready to run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from tools.models.contract import Golden, ModelContract
from tools.models.folder import GoldenVector, ModelFolder, read_folder
from tools.models.graph_check import check_graph
from tools.models.isolated import IsolatedRunner, Limits
from tools.models.runner import OnnxRunner, Runner, finite
from tools.models.site import SiteCalibration

_TYPES = {"float32": "tensor(float)", "float16": "tensor(float16)", "uint8": "tensor(uint8)"}


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A checked model.

    Args:
        folder: Its files.
        runner: What runs it.
        golden_difference: Largest difference of a golden output, as a share of what is allowed.
        contract: Its description, with the site's calibration where there is one.
        calibration: Where the calibration comes from: ``model.json``, ``none`` or the site's.
        site: What the site calibrated it with; None where it did not.
    """

    folder: ModelFolder
    runner: Runner
    golden_difference: float
    contract: ModelContract
    calibration: str
    site: SiteCalibration | None = None


def load_model(
    path: Path, *, threads: int | None = None, limits: Limits | None = None
) -> LoadedModel:
    """Return a model after every check: hash, graph, tensors, golden vectors.

    Args:
        path: Its folder.
        threads: Of ONNX Runtime.
        limits: On time and memory, in a process of its own; None for this process and no limit.

    Raises:
        InputError: Whatever is wrong with it; the message names file and reason.
        UnavailableError: It takes more than its limits.
    """
    folder = read_folder(path)
    check_graph(folder.graph)
    name = folder.contract.name
    runner: OnnxRunner | IsolatedRunner
    if limits is None:
        runner = OnnxRunner(folder.graph, item=name, threads=threads)
    else:
        runner = IsolatedRunner(folder.graph, item=name, threads=threads, limits=limits)
    _compare_tensors(folder, runner)
    return with_runner(folder, runner)


def with_runner(folder: ModelFolder, runner: Runner) -> LoadedModel:
    """Return a model on a given runner after its golden self-test.

    Raises:
        ContractError: The golden vectors do not come out.
        InvalidValueError: They come out as NaN.
    """
    worst = max(self_test(folder, vector, runner) for vector in folder.golden)
    methods = {o.calibration.method for o in folder.contract.outputs}
    return LoadedModel(
        folder=folder,
        runner=runner,
        golden_difference=worst,
        contract=folder.contract,
        calibration="none" if methods == {"none"} else "model.json",
    )


def self_test(folder: ModelFolder, vector: GoldenVector, runner: Runner) -> float:
    """Return the largest difference from a golden output, 1 being all that is allowed.

    Raises:
        ContractError: It is above what is allowed, or the shapes differ.
    """
    name = folder.contract.name
    found = finite(runner.run(vector.inputs, tuple(vector.outputs)), item=name)
    worst = 0.0
    for output, expected in vector.outputs.items():
        got = found[output]
        file = vector.of.outputs[output]
        if got.shape != expected.shape:
            raise ContractError(
                name, f"golden {file}: shape {got.shape}, not {expected.shape}", _RIGHT
            )
        wanted = expected.astype(np.float64)
        allowed = vector.of.atol + vector.of.rtol * np.abs(wanted)
        apart = np.abs(got - wanted)
        if bool((apart > allowed).any()):
            raise ContractError(
                name, f"golden {file}: differs by up to {float(apart.max()):.3g}", _RIGHT
            )
        worst = max(worst, float((apart / np.maximum(allowed, 1e-300)).max()))
    return worst


def steady(model: LoadedModel) -> None:
    """Refuse a model that gives another answer to the same input: asked twice, with noise too.

    In this process it has to be the same bit by bit; a server has the tolerance of its golden
    vector.

    Raises:
        ContractError: It does not.
    """
    draw = np.random.default_rng(_NOISE)
    for vector in model.folder.golden:
        shown = {name: _noise(draw, value) for name, value in vector.inputs.items()}
        for inputs in (vector.inputs, shown):
            first, second = (model.runner.run(inputs, tuple(vector.outputs)) for _ in range(2))
            for name, one in first.items():
                if not _same(one, second[name], vector.of, exact=bool(model.folder.graph)):
                    raise ContractError(
                        model.contract.name,
                        f"output {name!r} differs when it is asked twice",
                        "export it for inference, without chance",
                    )


def _noise(draw: np.random.Generator, like: NDArray[Any]) -> NDArray[Any]:
    """Return chance from 0 to 1, of whole types from 0 to 255, in the shape of a tensor."""
    found = draw.random(like.shape)
    return (
        (found * _BYTE).astype(like.dtype) if like.dtype.kind in "iu" else found.astype(like.dtype)
    )


def _same(one: NDArray[Any], other: NDArray[Any], of: Golden, *, exact: bool) -> bool:
    if exact:
        return one.shape == other.shape and one.tobytes() == other.tobytes()
    return one.shape == other.shape and np.allclose(
        one, other, rtol=of.rtol, atol=of.atol, equal_nan=True
    )


_NOISE, _BYTE = 20_260_101, 255  # any seed, but always the same
_RIGHT = "the model does not compute here what its maker measured: it is not used"


def _compare_tensors(folder: ModelFolder, runner: OnnxRunner | IsolatedRunner) -> None:
    contract = folder.contract
    ins = runner.inputs
    declared = {i.name for i in contract.inputs}
    if set(ins) != declared:
        said = f"the graph takes {sorted(ins)}, not {sorted(declared)}"
        raise ContractError(contract.name, said, "correct inputs")
    lost = {o.name for o in contract.outputs} - set(runner.outputs)
    if lost:
        raise ContractError(
            contract.name, f"the graph does not give {sorted(lost)}", "correct outputs"
        )
    for one in contract.inputs:
        shape, kind = ins[one.name]
        if kind != _TYPES[one.dtype]:
            raise ContractError(
                contract.name, f"input {one.name} is {kind}, not {one.dtype}", "correct dtype"
            )
        same = len(shape) == len(one.shape) and all(
            not isinstance(there, int) or here is None or here == there
            for here, there in zip(one.shape, shape, strict=True)
        )
        if not same:
            raise ContractError(
                contract.name,
                f"input {one.name} has shape {shape} in the graph, {list(one.shape)} here",
                "correct shape and axes",
            )
