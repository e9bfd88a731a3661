"""From a file's pixels to a model's tensor: always these steps, in this order, by its description.

1. axes of a volume exchanged and turned (orientation)
2. resampled to the model's spacing
3. window, then inversion where light and dark are the other way round
4. brought to the model's size (fit)
5. one channel repeated to three where the model takes three
6. normalised, and padded where it is smaller; axes in the tensor's order

Nothing of the model is run for it. Every step that was done is recorded with its numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, TooLargeError
from knowledge.model import Frozen
from tools.models import geometry
from tools.models.contract import ModelContract
from tools.models.geometry import Placed
from tools.models.input_contract import FixedWindow, InputContract, MeanStd, Scaled
from tools.models.sample import GreyWindow, Sample

MAX_VALUES = 400_000_000
"""Most numbers of a prepared array: a CT of 512 x 512 x 1500."""


class Step(Frozen):
    """One thing that was done to the pixels.

    Args:
        name: ``reorient``, ``resample``, ``window``, ``invert``, ``fit``, ``normalise``, ...
        detail: With its numbers.
    """

    name: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the model is given.

    Args:
        lie: The prepared array (axes in space, then channels) and how it lies over the source.
        tensor: In the order of the model's axes, one picture; None where it is looked at piece by
            piece.
        steps: What was done.
    """

    lie: Placed
    tensor: NDArray[Any] | None
    steps: tuple[Step, ...]


def prepare(contract: ModelContract, sample: Sample) -> Prepared:
    """Return the tensor of a sample that is within the model's contract.

    Raises:
        TooLargeError: It would be over `MAX_VALUES` numbers.
        ContractError: It does not come to the model's shape.
    """
    wanted = contract.input
    made = _picture(wanted, sample) if wanted.spatial else _plain(wanted, sample)
    if made.tensor is not None:
        shape = made.tensor.shape
        fits = len(shape) == len(wanted.shape) and all(
            want in (None, have) for have, want in zip(shape, wanted.shape, strict=True)
        )
        if not fits:
            raise ContractError(
                sample.name,
                f"comes to shape {list(shape)}; {contract.name} takes {list(wanted.shape)}",
                "another size, or another fit in model.json",
            )
    return made


def _picture(wanted: InputContract, sample: Sample) -> Prepared:
    steps: list[Step] = []
    lie = geometry.placed(sample.pixels, wanted.spatial)
    lie = _turn(lie, wanted, sample, steps)
    lie = _resample(lie, wanted, sample, steps)
    lie = _grey(lie, wanted, sample, steps)
    lie = _fit(lie, wanted, steps)
    lie = _channels(lie, wanted, steps)
    lie = _normalise(lie, wanted, steps)
    lie = _pad(lie, wanted, steps)
    tensor = None if wanted.fit.kind == "slide" else to_tensor(lie.values[None], wanted)
    return Prepared(lie=lie, tensor=tensor, steps=tuple(steps))


def to_tensor(batch: NDArray[Any], wanted: InputContract) -> NDArray[Any]:
    """Return a batch (N, axes in space, channels) in the order and type of the model's tensor."""
    ordered = batch if wanted.axes.endswith("C") else np.moveaxis(batch, -1, 1)
    if wanted.axes == "NCWHD":
        ordered = ordered.transpose(0, 1, 4, 3, 2)
    if wanted.dtype == "uint8":
        ordered = np.clip(np.rint(ordered), 0, 255)
    return np.ascontiguousarray(ordered, dtype=wanted.dtype)


def _turn(lie: Placed, wanted: InputContract, sample: Sample, steps: list[Step]) -> Placed:
    if wanted.orientation is None:
        return lie
    if sample.orientation != wanted.orientation:
        steps.append(Step(name="reorient", detail=f"{sample.orientation} to {wanted.orientation}"))
    return geometry.reoriented(lie, sample.orientation, wanted.orientation)


def _resample(lie: Placed, wanted: InputContract, sample: Sample, steps: list[Step]) -> Placed:
    if not wanted.resample or wanted.spacing_mm is None or sample.spacing_mm is None:
        _require_size(sample.name, lie.values.shape)
        return lie
    have = tuple(sample.spacing_mm[axis] for axis in lie.source_axis)
    size = tuple(
        max(1, round(count * own / want))
        for count, own, want in zip(lie.values.shape, have, wanted.spacing_mm, strict=False)
    )
    _require_size(sample.name, (*size, *lie.values.shape[len(size) :]))
    if size != lie.values.shape[: len(size)]:
        shown, taken = (" x ".join(f"{v:.4g}" for v in s) for s in (have, wanted.spacing_mm))
        steps.append(Step(name="resample", detail=f"{shown} mm to {taken} mm, linear"))
        return geometry.resized(lie, size)
    return lie


def _require_size(name: str, shape: tuple[int, ...]) -> None:
    if int(np.prod([int(v) for v in shape], dtype=np.int64)) > MAX_VALUES:
        raise TooLargeError(name, f"{' x '.join(map(str, shape))} values", "give a part of it")


def _grey(lie: Placed, wanted: InputContract, sample: Sample, steps: list[Step]) -> Placed:
    values, window = lie.values, wanted.window
    inverted = sample.photometric != wanted.photometric
    if window is not None:
        if isinstance(window, FixedWindow):
            grey = GreyWindow(centre=window.centre, width=window.width, function="LINEAR_EXACT")
        else:
            grey = sample.windows[window.choice]
        detail = f"centre {grey.centre:g}, width {grey.width:g}, {grey.function}, to 0..1"
        steps.append(Step(name="window", detail=detail))
        values = windowed(values, grey)
    if inverted:
        low, high = (0.0, 1.0) if window is not None else sample.value_range or (0.0, 1.0)
        detail = f"{sample.photometric} to {wanted.photometric}: {low + high:g} - value"
        steps.append(Step(name="invert", detail=detail))
        values = (low + high) - values.astype(np.float32)
    return Placed(values, lie.source_axis, lie.maps)


def windowed(values: NDArray[Any], window: GreyWindow) -> NDArray[np.float32]:
    """Return grey values from 0 to 1 (PS3.3 C.11.2.1.2.1 to .3).

    >>> narrow = GreyWindow(centre=40, width=400, function="LINEAR_EXACT")
    >>> [float(v) for v in windowed(np.array([-160.0, 40.0, 240.0, 999.0]), narrow)]
    [0.0, 0.5, 1.0, 1.0]
    """
    x = values.astype(np.float32)
    centre, width = window.centre, window.width
    if window.function == "SIGMOID":
        grey = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (x - centre) / width, -80, 80)))
    elif window.function == "LINEAR" and width > 1:
        grey = (x - (centre - 0.5)) / (width - 1) + 0.5
    else:
        grey = (x - centre) / width + 0.5
    found: NDArray[np.float32] = np.clip(grey, 0.0, 1.0).astype(np.float32)
    return found


def _sizes(wanted: InputContract) -> tuple[int, ...]:
    """Return the sizes in space of a tensor that has them all."""
    return tuple(side for side in wanted.size if side is not None)


def _fit(lie: Placed, wanted: InputContract, steps: list[Step]) -> Placed:
    kind = wanted.fit.kind
    if kind in ("exact", "slide"):
        return lie
    size = _sizes(wanted)
    have = lie.values.shape[: len(size)]
    if have == size:
        return lie
    shown = f"{' x '.join(map(str, have))} to {' x '.join(map(str, size))}"
    steps.append(Step(name="fit", detail=f"{kind}, {shown}"))
    if kind == "stretch":
        return geometry.resized(lie, size)
    scales = [want / own for own, want in zip(have, size, strict=True)]
    scale = min(scales) if kind == "pad" else max(scales)
    inner = tuple(max(1, round(own * scale)) for own in have)
    inner = tuple(
        min(i, s) if kind == "pad" else max(i, s) for i, s in zip(inner, size, strict=True)
    )
    lie = geometry.resized(lie, inner)
    return lie if kind == "pad" else geometry.cropped(lie, size)


def _normalise(lie: Placed, wanted: InputContract, steps: list[Step]) -> Placed:
    rule = wanted.normalise
    if rule.kind == "none":
        return lie
    x: NDArray[Any] = lie.values.astype(np.float32)
    if isinstance(rule, MeanStd):
        std = np.array(rule.std)
        x *= (1 / (rule.divide * std)).astype(np.float32)
        x -= (np.array(rule.mean) / std).astype(np.float32)
        detail = f"/ {rule.divide:g}, mean {list(rule.mean)}, deviation {list(rule.std)}"
    elif isinstance(rule, Scaled):
        x = np.clip((x - rule.low) / (rule.high - rule.low), 0.0, 1.0)
        detail = f"{rule.low:g}..{rule.high:g} to 0..1"
    else:
        low, spread = float(x.min()), float(np.ptp(x))
        if rule.kind == "zscore":
            low, spread = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
        x = (x - low) / (spread or 1.0)
        detail = f"{rule.kind}: less {low:.6g}, divided by {spread or 1.0:.6g}"
    steps.append(Step(name="normalise", detail=detail))
    return Placed(x, lie.source_axis, lie.maps)


def _pad(lie: Placed, wanted: InputContract, steps: list[Step]) -> Placed:
    """Fill up to the size: after normalising, since `fill` is in the numbers of the tensor."""
    if wanted.fit.kind not in ("pad", "slide"):
        return lie
    size = _sizes(wanted)
    if all(have >= want for have, want in zip(lie.values.shape, size, strict=False)):
        return lie
    steps.append(Step(name="pad", detail=f"with {wanted.fit.fill:g}"))
    return geometry.padded(lie, size, wanted.fit.fill)


def _channels(lie: Placed, wanted: InputContract, steps: list[Step]) -> Placed:
    values = lie.values
    if values.ndim == wanted.spatial:
        count = wanted.channels or 1
        values = np.repeat(values[..., None], count, axis=-1)
        if count > 1:
            steps.append(Step(name="channels", detail=f"one repeated to {count}"))
    return Placed(values, lie.source_axis, lie.maps)


def _plain(wanted: InputContract, sample: Sample) -> Prepared:
    """Return a tracing with its leads in the model's order, or a bag as it is."""
    values = sample.pixels.astype(np.float32)
    steps: tuple[Step, ...] = ()
    if wanted.leads:
        values = values[[sample.leads.index(lead) for lead in wanted.leads]]
        steps = (Step(name="leads", detail=", ".join(wanted.leads)),)
    tensor = values[None] if wanted.axes.startswith("N") else values
    if wanted.axes == "NLC":
        tensor = tensor.transpose(0, 2, 1)
    lie = geometry.placed(values, 0)
    return Prepared(lie=lie, tensor=np.ascontiguousarray(tensor, dtype=wanted.dtype), steps=steps)
