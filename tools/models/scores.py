"""Raw numbers of the graph to scores, probabilities and verdicts per label."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ContractError, InvalidValueError
from tools.models.calibration import probabilities_of, scores_of
from tools.models.output_contract import OutputContract
from tools.models.result import LabelScore, Verdict

_SLACK = 1e-4


def row_scores(raw: NDArray[Any], output: OutputContract, *, item: str) -> tuple[LabelScore, ...]:
    """Return the labels of one input.

    Args:
        raw: One number per label, in any shape of that many numbers.
        output: What they mean.
        item: What messages call the model.

    Raises:
        ContractError: Not as many numbers as labels.
        InvalidValueError: A number that should be a share is none.
    """
    flat = np.asarray(raw, np.float64).reshape(-1)
    if flat.size != len(output.labels):
        raise ContractError(
            item, f"{flat.size} numbers for {len(output.labels)} labels", "correct model.json"
        )
    scores, likely = values_of(flat, output, item=item)
    return tuple(
        label_score(output, at, float(scores[at]), None if likely is None else float(likely[at]))
        for at in range(flat.size)
    )


def values_of(
    raw: NDArray[np.float64], output: OutputContract, *, item: str
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return scores and probabilities (..., labels); no probabilities without a calibration.

    Raises:
        InvalidValueError: A score is not from 0 to 1.
    """
    scores = scores_of(raw, output.activation)
    if ((scores < -_SLACK) | (scores > 1 + _SLACK)).any():
        raise InvalidValueError(
            item,
            f"output {output.name!r} is not from 0 to 1",
            "its activation is not the described one; no score is given",
        )
    scores = np.clip(scores, 0.0, 1.0)
    return scores, probabilities_of(raw, output.activation, output.labels, output.calibration)


def label_score(
    output: OutputContract, at: int, score: float, probability: float | None
) -> LabelScore:
    """Return one label with its verdict."""
    label = output.labels[at]
    threshold = output.threshold(label)
    value = score if probability is None else probability
    return LabelScore(
        label=label,
        code=output.codes[at],
        score=score,
        probability=probability,
        threshold=None if threshold is None else threshold.value,
        verdict=_verdict(value, None if threshold is None else threshold.value, output),
    )


def _verdict(value: float, threshold: float | None, output: OutputContract) -> Verdict:
    band = output.abstain_band
    if band is not None and band[0] < value < band[1]:
        return "undecided"
    if threshold is None:
        return "no-threshold"
    return "at-or-above" if value >= threshold else "below"
