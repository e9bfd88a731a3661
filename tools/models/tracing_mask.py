"""A class or several for every sample of a tracing, and the stretches in which each is found."""

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from tools.models.contract import ModelContract
from tools.models.prepare import Prepared
from tools.models.result import MaskPart
from tools.models.runner import Runner, finite
from tools.models.sample import Sample
from tools.models.scores import values_of
from tools.models.segmentation import decided

Masks = NDArray[np.bool_]


def segment_tracing(
    contract: ModelContract, runner: Runner, prepared: Prepared, sample: Sample
) -> tuple[Masks, tuple[MaskPart, ...]]:
    """Return the mask of each label on the samples of a tracing, and their stretches.

    Returns:
        (labels, samples), and one part per label but the background.

    Raises:
        ContractError: The graph gives another shape than its input has.
        InvalidValueError: It gives NaN, or what is no share.
    """
    output, tensor = contract.output("mask"), prepared.tensor
    if output is None or tensor is None or sample.fs_hz is None:
        raise ContractError(contract.name, "it segments no tracing", "use another model")
    count = sample.pixels.shape[-1]
    wanted = contract.input
    raw = finite(runner.run({wanted.name: tensor}, (output.name,)), item=contract.name)
    values = raw[output.name]
    last = wanted.axes == "NLC" and values.shape == (1, count, len(output.labels))
    if not last and values.shape != (1, len(output.labels), count):
        raise ContractError(
            contract.name,
            f"output {output.name!r} has shape {values.shape}, not "
            f"{(1, len(output.labels), count)}",
            "a mask has a number for every sample",
        )
    rows = values[0] if last else values[0].T
    masks = decided(values_of(rows, output, item=contract.name)[0].T, output)
    parts = tuple(
        MaskPart(
            label=label,
            code=output.codes[at],
            pixels=int(masks[at].sum()),
            stretches_s=stretches(masks[at], sample.fs_hz),
        )
        for at, label in enumerate(output.labels)
        if label != output.background
    )
    return masks, parts


def stretches(mask: Masks, fs_hz: float) -> tuple[tuple[float, float], ...]:
    """Return where each unbroken run of a mask begins and ends, s from the first sample.

    >>> stretches(np.array([False, True, True, False, True]), 500)
    ((0.002, 0.006), (0.008, 0.01))
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    seconds = [round(float(edge) / fs_hz, 6) for edge in edges]
    return tuple(zip(seconds[::2], seconds[1::2], strict=True))
