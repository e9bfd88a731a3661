"""The median beat of signals without a shape to compare, and amplitudes that cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from knowledge.errors import ContractError
from tests.tools.ecg.gaussian_ecg import gaussian_ecg
from tools.ecg.measure import measure
from tools.ecg.median_beat import median_beat

PEAKS = np.arange(300, 4700, 400)
COLUMNS = np.arange(8)


@pytest.mark.parametrize(
    "signal",
    [
        np.zeros((5000, 12)),
        np.full((5000, 12), 3.0),
        np.random.default_rng(1).normal(size=(5000, 12)) * 1e300,
        np.full((5000, 12), np.nan),
    ],
    ids=["zero", "constant", "too large for a product", "not a number"],
)
def test_beats_without_a_shape_have_no_median(signal: np.ndarray) -> None:
    assert median_beat(signal, PEAKS, 500.0, COLUMNS) is None


def test_beats_with_a_shape_have_one() -> None:
    recording = gaussian_ecg()
    peaks = np.round((0.5 + 0.8 * np.arange(11)) * 500).astype(int)
    beat = median_beat(recording.signal_mv, peaks, 500.0, COLUMNS)
    assert beat is not None
    assert len(beat.used) == len(beat.complete) >= 9


@pytest.mark.parametrize("factor", [1e4, 1e300, np.inf])
def test_an_amplitude_no_recorder_can_put_out_is_not_measured(factor: float) -> None:
    recording = gaussian_ecg()
    with np.errstate(over="ignore"):
        huge = np.where(recording.signal_mv == 0, 1, recording.signal_mv) * factor
    with pytest.raises(ContractError, match="no recorder can put out"):
        measure(replace(recording, signal_mv=huge))
