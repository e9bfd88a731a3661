"""Finding the beats: slope energy over the eight independent leads."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tools.ecg.filters import band_pass

# Window lengths and factors: tuned and tested on LUDB.
_REFRACTORY_S = 0.25
_ENERGY_WINDOW_S = 0.08
_ENVELOPE_WINDOW_S = 2.0
_THRESHOLD = 0.38
_SEARCH_BACK_THRESHOLD = 0.18
_SEARCH_BACK_RR = 1.66  # Pan and Tompkins 1985: search back after 166 % of the mean RR
_MID_RANKS = slice(2, 7)


def find_r_peaks(signal: NDArray[np.float64], rate_hz: float) -> NDArray[np.int64]:
    """Return the sample indices of all beats, each at the largest QRS vector within 80 ms.

    Args:
        signal: (samples, 8) the independent leads I, II, V1-V6, mV.
        rate_hz: Their rate.
    """
    energy = _slope_energy(signal, rate_hz)
    width = int(_ENVELOPE_WINDOW_S * rate_hz)
    envelope = moving_mean(moving_max(energy, width), width)
    threshold = _THRESHOLD * np.minimum(envelope, 1.6 * np.median(envelope))
    candidates = _separated_maxima(energy, int(_REFRACTORY_S * rate_hz))
    beats = candidates[energy[candidates] > threshold[candidates]]
    beats = _search_back(beats, candidates, energy, envelope, rate_hz)
    return _snap(beats, signal, rate_hz)


def moving_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the mean over a centred window of `width` samples, ends held constant."""
    left = width // 2
    padded = np.pad(values, (left + 1, width - left - 1), mode="edge")
    total = np.cumsum(padded)
    return (total[width:] - total[:-width]) / width


def moving_max(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the maximum over a centred window of `width` samples, by doubling."""
    left = width // 2
    best = np.pad(values, (left, width - left - 1), mode="edge")
    reach = 1
    while reach * 2 <= width:
        best = np.maximum(best[:-reach], best[reach:])
        reach *= 2
    rest = width - reach
    return np.maximum(best[: len(best) - rest], best[rest:]) if rest else best


def _slope_energy(signal: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Return how steep the leads are together, tolerant of one or two noisy or flat ones."""
    slope = np.abs(np.gradient(band_pass(signal, rate_hz, 5, 25), axis=0))
    scale = np.percentile(slope, 98, axis=0)
    slope = slope / np.where(scale > 1e-9, scale, 1)
    middle = np.sort(slope, axis=1)[:, _MID_RANKS].mean(axis=1)
    return moving_mean(middle, int(_ENERGY_WINDOW_S * rate_hz))


def _separated_maxima(values: NDArray[np.float64], distance: int) -> NDArray[np.int64]:
    """Return local maxima, the higher first, each at least `distance` from any chosen before."""
    peaks = np.flatnonzero((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])) + 1
    free = np.ones(len(values), dtype=bool)
    chosen = []
    for peak in peaks[np.argsort(-values[peaks], kind="stable")]:
        if free[peak]:
            chosen.append(peak)
            free[max(0, peak - distance + 1) : peak + distance] = False
    return np.sort(np.array(chosen, dtype=np.int64))


def _search_back(
    beats: NDArray[np.int64],
    candidates: NDArray[np.int64],
    energy: NDArray[np.float64],
    envelope: NDArray[np.float64],
    rate_hz: float,
) -> NDArray[np.int64]:
    """Return the beats with the best weaker candidate added in each overlong pause."""
    if len(beats) < 4:
        return beats
    usual = np.median(np.diff(beats))
    weak = candidates[energy[candidates] > _SEARCH_BACK_THRESHOLD * envelope[candidates]]
    margin = 0.3 * rate_hz
    found = []
    for first, second in pairwise(beats):
        if second - first > _SEARCH_BACK_RR * usual:
            inside = weak[(weak > first + margin) & (weak < second - margin)]
            if len(inside):
                found.append(inside[np.argmax(energy[inside])])
    return np.sort(np.concatenate([beats, np.array(found, dtype=np.int64)]))


def _snap(
    beats: NDArray[np.int64], signal: NDArray[np.float64], rate_hz: float
) -> NDArray[np.int64]:
    size = (band_pass(signal, rate_hz, 1, 40) ** 2).sum(axis=1)
    reach = int(0.08 * rate_hz)
    snapped = [
        max(0, beat - reach) + int(np.argmax(size[max(0, beat - reach) : beat + reach]))
        for beat in beats
    ]
    return np.unique(np.array(snapped, dtype=np.int64))
