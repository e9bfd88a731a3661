"""What a model gives back and what its numbers mean: the ``outputs`` of ``model.json``."""

from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from knowledge.model import Frozen
from tools.models.calibration import Calibration, Uncalibrated
from tools.models.vocabulary import Code, OutputKind, Share, Text

Activation = Literal["none", "sigmoid", "softmax"]
"""What is applied to the raw numbers; ``none`` where the graph holds it already."""

_LABELLED = ("scores", "mask", "box_scores")


class Threshold(Frozen):
    """From which value on a label counts.

    Args:
        label: One of the labels.
        value: Of the calibrated probability, or of the score where there is no calibration.
        basis: On which data and for which aim it was chosen.
    """

    label: Text
    value: Share
    basis: Text


class Boxes(Frozen):
    """How boxes are written.

    Args:
        corners: ``xyxy`` two corners, or ``cxcywh`` centre and size; x along columns.
        unit: Pixels of the tensor, or shares of its sides.
        keep_above: Boxes with a lower score are dropped.
        overlap: Of two boxes that share more of their union than this, the weaker is dropped.
        most: Boxes kept at most.
    """

    corners: Literal["xyxy", "cxcywh"]
    unit: Literal["pixel", "share"]
    keep_above: Share
    overlap: Share
    most: PositiveInt = 300


class OutputContract(Frozen):
    """One output of a model.

    Args:
        name: Of the tensor in the graph.
        kind: What it holds.
        labels: One per number or channel; empty for boxes, vectors and attention.
        codes: One per label, null where there is none.
        background: For a mask whose labels exclude each other: the one that means nothing found;
            each pixel is then of the strongest label. Null: each label by its own threshold.
        activation: Applied to the raw numbers before the calibration.
        calibration: From scores to probabilities.
        thresholds: At most one per label.
        abstain_band: From, to: a value strictly between is said to be undecided; null for none.
        boxes: How boxes are written; for kind ``boxes`` alone.
        aggregate: Where a slide is looked at tile by tile, what becomes of the tiles' scores; null
            where the model is for one picture.
        aggregate_share: Of the highest tiles whose mean is taken, for ``top-mean``.
    """

    name: Text
    kind: OutputKind
    labels: tuple[Text, ...]
    codes: tuple[Code | None, ...]
    background: Text | None
    activation: Activation
    calibration: Calibration
    thresholds: tuple[Threshold, ...]
    abstain_band: tuple[Share, Share] | None
    boxes: Boxes | None
    aggregate: Literal["mean", "max", "top-mean"] | None
    aggregate_share: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = None

    def threshold(self, label: str) -> Threshold | None:
        """Return the threshold of a label, or None."""
        return next((t for t in self.thresholds if t.label == label), None)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for problem in [*_label_problems(self), *_kind_problems(self)]:
            raise ValueError(f"output {self.name}: {problem}")
        return self


def _label_problems(given: OutputContract) -> list[str]:
    found = []
    if given.kind in _LABELLED and not given.labels:
        found.append("the labels are missing")
    if given.kind not in _LABELLED and given.labels:
        found.append(f"{given.kind} has no labels")
    if len(set(given.labels)) != len(given.labels):
        found.append("a label stands there twice")
    if len(given.codes) != len(given.labels):
        found.append("as many codes as labels; null where a label has none")
    named = [t.label for t in given.thresholds]
    if set(named) - set(given.labels) or len(set(named)) != len(named):
        found.append("a threshold is of no label, or of one twice")
    if given.background is not None and given.background not in given.labels:
        found.append("the background is none of the labels")
    return found


def _kind_problems(given: OutputContract) -> list[str]:
    found = []
    if (given.kind == "boxes") != (given.boxes is not None):
        found.append("boxes, and nothing else, say how boxes are written")
    if given.kind in ("boxes", "embedding", "attention") and given.activation != "none":
        found.append(f"{given.kind} has no activation")
    if given.kind not in ("scores", "box_scores") and not isinstance(
        given.calibration, Uncalibrated
    ):
        found.append(f"{given.kind} is not calibrated")
    if given.activation == "softmax" and given.calibration.method in ("platt", "isotonic"):
        found.append("platt and isotonic are for one label at a time: use temperature with softmax")
    if given.abstain_band is not None and given.abstain_band[0] >= given.abstain_band[1]:
        found.append("abstain_band goes from the lower to the higher")
    if (given.aggregate == "top-mean") != (given.aggregate_share is not None):
        found.append("top-mean, and nothing else, has an aggregate_share")
    if given.aggregate is not None and given.kind != "scores":
        found.append("only scores are aggregated over tiles")
    return found + _mask_problems(given)


def _mask_problems(given: OutputContract) -> list[str]:
    if given.kind != "mask":
        return [] if given.background is None else ["only a mask has a background"]
    if given.background is None and {t.label for t in given.thresholds} != set(given.labels):
        return ["a mask without a background has a threshold for every label"]
    if given.background is None and given.activation == "softmax":
        return ["a mask with softmax names its background"]
    return []
