"""Boxes of a model to boxes on the file."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from tools.models.geometry import Placed
from tools.models.output_contract import Boxes, OutputContract
from tools.models.result import Box
from tools.models.scores import label_score, values_of

_MOST_RAW = 200_000


def boxes_of(
    raw_boxes: NDArray[Any],
    raw_scores: NDArray[Any],
    outputs: tuple[OutputContract, OutputContract],
    lie: Placed,
    spacing_mm: tuple[float, ...] | None,
    extent: tuple[int, ...],
    *,
    item: str,
) -> tuple[Box, ...]:
    """Return what was detected, strongest first, in the pixels of the file.

    Args:
        raw_boxes: (N, 4), or with a leading 1.
        raw_scores: (N, labels) or (N,) of one label, or with a leading 1.
        outputs: What boxes and scores mean.
        lie: How the model's picture lies over the file.
        spacing_mm: Of the file's pixels.
        extent: Rows and columns of the file; a box ends there.
        item: What messages call the model.

    Raises:
        ContractError: The shapes do not fit.
        InvalidValueError: A score that should be a share is none.
    """
    written, labelled = outputs
    rule = written.boxes
    boxes = _rows(raw_boxes, 4, item, written.name)
    scores = _rows(raw_scores, len(labelled.labels), item, labelled.name)
    if rule is None or len(boxes) != len(scores):
        raise ContractError(item, f"{len(boxes)} boxes with {len(scores)} scores", "correct it")
    shares, likely = values_of(scores, labelled, item=item)
    value = shares if likely is None else likely
    corners = _corners(boxes, rule, lie.values.shape[:2])
    found = []
    for label in range(len(labelled.labels)):
        kept = np.flatnonzero(value[:, label] >= rule.keep_above)
        for at in _strongest(corners[kept], value[kept, label], rule.overlap):
            row = int(kept[at])
            found.append((float(value[row, label]), label, row))
    found.sort(key=lambda one: (-one[0], one[1], one[2]))
    return tuple(
        _box(
            labelled, label, corners[row], lie, spacing_mm, extent,
            float(shares[row, label]), None if likely is None else float(likely[row, label]),
        )
        for _, label, row in found[: rule.most]
    )  # fmt: skip


def overlap_of(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of their union that a box has in common with each of others.

    Args:
        box: (4,) first row, first column, last row, last column.
        others: (N, 4).

    >>> float(overlap_of(np.array([0.0, 0, 2, 2]), np.array([[0.0, 1, 2, 3]]))[0].round(4))
    0.3333
    """
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    own = float(np.prod(box[2:] - box[:2]))
    whole = np.prod(others[:, 2:] - others[:, :2], axis=1) + own - common
    shares: NDArray[np.float64] = common / np.maximum(whole, 1e-12)
    return shares


def _rows(raw: NDArray[Any], wide: int, item: str, name: str) -> NDArray[np.float64]:
    values = np.asarray(raw, np.float64)
    if values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if values.ndim == 1 and wide == 1:
        values = values[:, None]
    if values.ndim == 2 and values.shape[0] == 1 and wide == 1 and values.shape[1] != 1:
        values = values.T
    if values.ndim != 2 or values.shape[1] != wide or len(values) > _MOST_RAW:
        raise ContractError(
            item, f"output {name!r} has shape {np.shape(raw)}, not (N, {wide})", "correct it"
        )
    return values


def _corners(
    boxes: NDArray[np.float64], rule: Boxes, extent: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return (N, 4) first row, first column, last row, last column in pixels of the tensor."""
    x1, y1, x2, y2 = boxes.T
    if rule.corners == "cxcywh":
        x1, y1, x2, y2 = x1 - x2 / 2, y1 - y2 / 2, x1 + x2 / 2, y1 + y2 / 2
    found = np.stack([y1, x1, y2, x2], axis=1)
    if rule.unit == "share":
        found *= np.array([*extent, *extent], np.float64)
    ordered = np.concatenate(
        [np.minimum(found[:, :2], found[:, 2:]), np.maximum(found[:, :2], found[:, 2:])], axis=1
    )
    limit = np.array([*extent, *extent], np.float64)
    inside: NDArray[np.float64] = np.clip(ordered, 0.0, limit)
    return inside


def _strongest(corners: NDArray[np.float64], value: NDArray[np.float64], most: float) -> list[int]:
    """Return which boxes stay when each drops weaker ones that overlap it too much."""
    order = list(np.argsort(-value, kind="stable"))
    kept: list[int] = []
    while order:
        best = int(order.pop(0))
        kept.append(best)
        if order:
            shares = overlap_of(corners[best], corners[order])
            order = [at for at, share in zip(order, shares, strict=True) if share <= most]
    return kept


def _box(
    output: OutputContract,
    label: int,
    corners: NDArray[np.float64],
    lie: Placed,
    spacing_mm: tuple[float, ...] | None,
    extent: tuple[int, ...],
    score: float,
    probability: float | None,
) -> Box:
    # Corners are edges of pixels; the maps are of their centres, half a pixel further in.
    ends = [
        sorted(
            min(max(along.back(corners[axis + half] - 0.5) + 0.5, 0.0), float(extent[axis]))
            for half in (0, 2)
        )
        for axis, along in enumerate(lie.maps)
    ]
    low, high = [e[0] for e in ends], [e[1] for e in ends]
    size = None
    if spacing_mm is not None:
        size = tuple((b - a) * mm for a, b, mm in zip(low, high, spacing_mm, strict=True))
    said = label_score(output, label, score, probability)
    return Box(**dict(said), corners=(*low, *high), size_mm=size)
