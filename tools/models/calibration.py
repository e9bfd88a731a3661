"""From a model's numbers to probabilities: how the description writes it, and how it is applied."""

from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from knowledge.model import Frozen
from tools.models.vocabulary import Positive, Share, Text

_TINY = 1e-12
_MOST = 700.0  # exp of more is infinite in float64


class Uncalibrated(Frozen):
    """The numbers order pictures; how likely anything is they do not say."""

    method: Literal["none"]


class Temperature(Frozen):
    """Logits divided by one number (Guo 2017, arXiv:1706.04599)."""

    method: Literal["temperature"]
    temperature: Positive
    fitted_on: Text
    n: PositiveInt


class PlattPart(Frozen):
    """Slope and intercept of one label."""

    label: Text
    slope: FiniteFloat
    intercept: FiniteFloat


class Platt(Frozen):
    """A logistic curve over the logit of each label (Platt 1999)."""

    method: Literal["platt"]
    parts: tuple[PlattPart, ...] = Field(min_length=1)
    fitted_on: Text
    n: PositiveInt


class IsotonicPart(Frozen):
    """Points of a rising curve of one label: score and probability; straight lines between."""

    label: Text
    scores: tuple[FiniteFloat, ...] = Field(min_length=1, max_length=10_000)
    probabilities: tuple[Share, ...] = Field(min_length=1, max_length=10_000)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if len(self.scores) != len(self.probabilities):
            raise ValueError("as many scores as probabilities")
        if np.any(np.diff(self.scores) <= 0) or np.any(np.diff(self.probabilities) < 0):
            raise ValueError("the points do not rise")
        return self


class Isotonic(Frozen):
    """A rising step curve per label (Zadrozny and Elkan 2002, doi 10.1145/775047.775151)."""

    method: Literal["isotonic"]
    parts: tuple[IsotonicPart, ...] = Field(min_length=1)
    fitted_on: Text
    n: PositiveInt


Calibration = Annotated[
    Uncalibrated | Temperature | Platt | Isotonic, Field(discriminator="method")
]


def sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)) without overflow.

    >>> [round(float(p), 4) for p in sigmoid(np.array([-1000.0, 0.0, 2.0]))]
    [0.0, 0.5, 0.8808]
    """
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -_MOST, _MOST)))


def softmax(logits: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    """Return shares that add up to 1 along an axis."""
    raised = np.exp(logits - logits.max(axis=axis, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=axis, keepdims=True)
    return shares


def logit(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(p / (1 - p)), with p kept a little inside 0 and 1."""
    kept = np.clip(share, _TINY, 1 - _TINY)
    logits: NDArray[np.float64] = np.log(kept / (1 - kept))
    return logits


def logits_of(raw: NDArray[np.float64], activation: str) -> NDArray[np.float64]:
    """Return logits from what the graph gives.

    Args:
        raw: (..., labels). Logits where there is an activation to apply, else numbers from 0 to 1.
        activation: ``none``, ``sigmoid`` or ``softmax``.
    """
    return logit(raw) if activation == "none" else raw


def scores_of(raw: NDArray[np.float64], activation: str) -> NDArray[np.float64]:
    """Return the activated numbers, not calibrated.

    Args:
        raw: (..., labels).
        activation: ``none``, ``sigmoid`` or ``softmax``.
    """
    if activation == "sigmoid":
        return sigmoid(raw)
    return softmax(raw) if activation == "softmax" else raw


def probabilities_of(
    raw: NDArray[np.float64],
    activation: str,
    labels: tuple[str, ...],
    calibration: Calibration,
) -> NDArray[np.float64] | None:
    """Return calibrated probabilities (..., labels), or None where there is no calibration.

    Args:
        raw: (..., labels), as the graph gives them.
        activation: ``none``, ``sigmoid`` or ``softmax``.
        labels: Of the last axis.
        calibration: As fitted.

    Raises:
        KeyError: The calibration lacks a label; a checked description cannot.
    """
    if isinstance(calibration, Uncalibrated):
        return None
    if isinstance(calibration, Temperature):
        cooled = logits_of(raw, activation) / calibration.temperature
        return softmax(cooled) if activation == "softmax" else sigmoid(cooled)
    found = np.empty(raw.shape, np.float64)
    if isinstance(calibration, Platt):
        lines = {part.label: part for part in calibration.parts}
        logits = logits_of(raw, activation)
        for at, label in enumerate(labels):
            line = lines[label]
            found[..., at] = sigmoid(line.slope * logits[..., at] + line.intercept)
        return found
    curves = {part.label: part for part in calibration.parts}
    scores = scores_of(raw, activation)
    for at, label in enumerate(labels):
        curve = curves[label]
        found[..., at] = np.interp(scores[..., at], curve.scores, curve.probabilities)
    return found
