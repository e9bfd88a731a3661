"""Fitting a calibration to cases with known truth."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError
from tools.models.calibration import (
    Calibration,
    Isotonic,
    IsotonicPart,
    Platt,
    PlattPart,
    Temperature,
    logits_of,
    scores_of,
    sigmoid,
)

Method = Literal["temperature", "platt", "isotonic"]

LEAST: dict[Method, int] = {"temperature": 10, "platt": 10, "isotonic": 50}
"""Cases with and without each label below which nothing is fitted: one number, two, or a whole
curve. Ours, from what keeps a fit of so many numbers from following single cases."""

_STEPS = 200
_STEEPEST = 1e6


def fit(
    raw: NDArray[np.float64],
    truth: NDArray[np.float64],
    labels: tuple[str, ...],
    activation: str,
    method: Method,
    *,
    fitted_on: str,
) -> Calibration:
    """Return a calibration.

    Args:
        raw: (cases, labels) as the graph gives them.
        truth: (cases, labels) 1, 0, or NaN where it is not known.
        labels: Of the columns.
        activation: ``none``, ``sigmoid`` or ``softmax``.
        method: Platt and isotonic do not go with softmax.
        fitted_on: Words for the record.

    Raises:
        ContractError: Too few cases, or the method does not fit the activation.
    """
    for at, label in enumerate(labels):
        _require_cases(truth[:, at], label, method)
    if method == "temperature":
        cooled = _softmax_temperature if activation == "softmax" else _sigmoid_temperature
        value = cooled(logits_of(raw, activation), truth)
        return Temperature(method="temperature", temperature=value, fitted_on=fitted_on, n=len(raw))
    if activation == "softmax":
        raise ContractError(method, "is for one label at a time", "use temperature with softmax")
    known = [np.isfinite(truth[:, at]) for at in range(len(labels))]
    if method == "platt":
        logits = logits_of(raw, activation)
        lines = [platt(logits[k, at], truth[k, at] > 0) for at, k in enumerate(known)]
        parts = tuple(
            PlattPart(label=label, slope=line[0], intercept=line[1])
            for label, line in zip(labels, lines, strict=True)
        )
        return Platt(method="platt", parts=parts, fitted_on=fitted_on, n=len(raw))
    scores = scores_of(raw, activation)
    curves = tuple(
        _curve(label, scores[k, at], truth[k, at]) for at, (label, k) in enumerate(
            zip(labels, known, strict=True)
        )
    )  # fmt: skip
    return Isotonic(method="isotonic", parts=curves, fitted_on=fitted_on, n=len(raw))


def platt(logits: NDArray[np.float64], present: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and intercept of the likeliest logistic curve, by Newton's method.

    The truth is drawn a little inwards as Platt (1999) does, so that cases which are told apart
    completely do not give an endless slope.

    Args:
        logits: (cases,).
        present: (cases,).
    """
    plus, minus = int(present.sum()), int((~present).sum())
    aim = np.where(present, (plus + 1) / (plus + 2), 1 / (minus + 2))
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    line = np.array([0.0, np.log((plus + 1) / (minus + 1))])
    loss = _loss(design @ line, aim)
    for _ in range(_STEPS):
        likely = sigmoid(design @ line)
        gradient = design.T @ (likely - aim)
        curvature = (design * (likely * (1 - likely))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        share = 1.0
        while share > 1e-6 and _loss(design @ (line - share * step), aim) > loss + 1e-12:
            share /= 2
        line = line - share * step
        newest = _loss(design @ line, aim)
        if loss - newest < 1e-12:
            break
        loss = newest
    return float(np.clip(line[0], -_STEEPEST, _STEEPEST)), float(line[1])


def rising(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the closest sequence that never falls (pool adjacent violators, Ayer 1955).

    >>> [float(v) for v in rising(np.array([1.0, 3.0, 2.0, 4.0]))]
    [1.0, 2.5, 2.5, 4.0]
    """
    means: list[float] = []
    sizes: list[int] = []
    for value in values:
        means.append(float(value))
        sizes.append(1)
        while len(means) > 1 and means[-2] > means[-1]:
            size = sizes[-1] + sizes[-2]
            means[-2] = (means[-1] * sizes[-1] + means[-2] * sizes[-2]) / size
            sizes[-2] = size
            means.pop()
            sizes.pop()
    return np.repeat(means, sizes)


def _curve(label: str, scores: NDArray[np.float64], truth: NDArray[np.float64]) -> IsotonicPart:
    order = np.argsort(scores, kind="stable")
    ranked, risen = scores[order], truth[order]
    # Equal scores are one point: their mean, before and after pooling.
    single, first, count = np.unique(ranked, return_index=True, return_counts=True)
    means = np.add.reduceat(risen, first) / count
    pooled = rising(np.repeat(means, count))[first]
    return IsotonicPart(
        label=label,
        scores=tuple(float(v) for v in single),
        probabilities=tuple(float(min(max(v, 0.0), 1.0)) for v in np.maximum.accumulate(pooled)),
    )


def _require_cases(truth: NDArray[np.float64], label: str, method: Method) -> None:
    present, absent = int((truth == 1).sum()), int((truth == 0).sum())
    least = LEAST[method]
    if min(present, absent) < least:
        raise ContractError(
            f"label {label!r}",
            f"{present} cases with it and {absent} without",
            f"{method} needs {least} of each",
        )


def _sigmoid_temperature(logits: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    known = np.isfinite(truth)
    x, aim = logits[known], truth[known]
    return _best(lambda t: _loss(x / t, aim))


def _softmax_temperature(logits: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    if not (np.isfinite(truth).all() and (truth.sum(axis=1) == 1).all()):
        raise ContractError(
            "temperature", "labels that exclude each other", "each case has exactly one of them"
        )
    right = truth.astype(bool)

    def loss(t: float) -> float:
        x = logits / t
        peak = x.max(axis=1, keepdims=True)
        total = np.log(np.exp(x - peak).sum(axis=1)) + peak[:, 0]
        return float((total - x[right]).mean())

    return _best(loss)


def _best(loss: Callable[[float], float]) -> float:
    """Return the temperature of the least loss, from 0.01 to 100, by golden section of its log."""
    low, high = np.log(0.01), np.log(100.0)
    share = (5**0.5 - 1) / 2
    for _ in range(100):
        a, b = high - share * (high - low), low + share * (high - low)
        if loss(float(np.exp(a))) < loss(float(np.exp(b))):
            high = b
        else:
            low = a
    return float(np.exp((low + high) / 2))


def _loss(logits: NDArray[np.float64], aim: NDArray[np.float64]) -> float:
    """Return the mean cross entropy of logits with aims from 0 to 1."""
    return float((np.logaddexp(0.0, logits) - aim * logits).mean())
