"""A class or several for every pixel, on the grid of the file."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from tools.models.contract import ModelContract
from tools.models.geometry import to_source
from tools.models.output_contract import OutputContract
from tools.models.prepare import Prepared, to_tensor
from tools.models.result import MaskPart
from tools.models.runner import Runner, finite
from tools.models.sample import Sample
from tools.models.scores import values_of
from tools.models.sliding import blend


def segment(
    contract: ModelContract,
    runner: Runner,
    prepared: Prepared,
    sample: Sample,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.bool_], tuple[MaskPart, ...]]:
    """Return the mask of each label on the pixels of the file, and their sizes.

    Returns:
        (labels, axes in space of the file), and one part per label but the background.

    Raises:
        ContractError: The graph gives another shape than its input has.
        InvalidValueError: It gives NaN, or what is no share.
    """
    output = contract.output("mask")
    if output is None:
        raise ContractError(contract.name, "it segments nothing", "use another model")
    shares = _shares(contract, runner, prepared, output, progress)
    labelled = decided(shares, output)
    masks = np.stack([to_source(one, prepared.lie, sample.extent) for one in labelled])
    parts = tuple(
        _part(output, at, masks[at], sample)
        for at, label in enumerate(output.labels)
        if label != output.background
    )
    return masks, parts


def _shares(
    contract: ModelContract,
    runner: Runner,
    prepared: Prepared,
    output: OutputContract,
    progress: Callable[[int, int], None] | None,
) -> NDArray[Any]:
    wanted = contract.input

    def look(piece: NDArray[Any]) -> NDArray[np.float64]:
        tensor = to_tensor(piece[None], wanted)
        return seen(tensor, piece.shape[:-1])

    def seen(tensor: NDArray[Any], extent: tuple[int, ...]) -> NDArray[np.float64]:
        raw = finite(runner.run({wanted.name: tensor}, (output.name,)), item=contract.name)
        values = raw[output.name]
        if wanted.axes == "NCWHD" and values.ndim == 5:
            values = values.transpose(0, 1, 4, 3, 2)
        last = wanted.axes.endswith("C") and values.shape == (1, *extent, len(output.labels))
        expected = (1, *extent, len(output.labels)) if last else (1, len(output.labels), *extent)
        if values.shape != expected:
            raise ContractError(
                contract.name,
                f"output {output.name!r} has shape {values.shape}, not {expected}",
                "a mask has the size of its input",
            )
        rows = values[0] if last else np.moveaxis(values[0], 0, -1)
        return np.moveaxis(values_of(rows, output, item=contract.name)[0], -1, 0)

    if prepared.tensor is not None:
        return seen(prepared.tensor, prepared.lie.values.shape[: wanted.spatial])
    piece = tuple(side for side in wanted.size if side is not None)
    return blend(
        prepared.lie.values, piece, wanted.fit.overlap, look,
        labels=len(output.labels), progress=progress,
    )  # fmt: skip


def decided(shares: NDArray[Any], output: OutputContract) -> NDArray[np.bool_]:
    """Return which labels count where, from shares (labels, places)."""
    if output.background is not None:
        strongest = shares.argmax(axis=0)
        found = np.stack([strongest == at for at in range(len(output.labels))])
        return found
    limits = [t.value for label in output.labels if (t := output.threshold(label)) is not None]
    above: NDArray[np.bool_] = shares >= np.array(limits).reshape(-1, *[1] * (shares.ndim - 1))
    return above


def _part(output: OutputContract, at: int, mask: NDArray[np.bool_], sample: Sample) -> MaskPart:
    count = int(mask.sum())
    each = None if sample.spacing_mm is None else float(np.prod(sample.spacing_mm))
    volume = sample.kind == "volume3d"
    return MaskPart(
        label=output.labels[at],
        code=output.codes[at],
        pixels=count,
        area_mm2=None if each is None or volume else count * each,
        volume_ml=None if each is None or not volume else count * each / 1000,
    )
