"""Bringing a recording to the working rate, with invalid samples filled and counted elsewhere."""

import math

import numpy as np
from numpy.typing import NDArray

WORKING_RATE_HZ = 500.0
"""Rate of all measurements: the rate AHA/ACC/HRS 2007 ask for in adult recordings."""

_ZERO_CROSSINGS = 12  # of the interpolating sinc on each side: stop band below -60 dB
_KAISER_BETA = 6.0


def fill_invalid(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the signal with NaN replaced by a straight line between its valid neighbours.

    A lead without any valid sample becomes 0.

    Args:
        signal: (samples, leads).
    """
    bad = ~np.isfinite(signal)
    if not bad.any():
        return signal
    filled = signal.copy()
    at = np.arange(len(signal))
    for lead in np.flatnonzero(bad.any(axis=0)):
        good = ~bad[:, lead]
        filled[:, lead] = np.interp(at, at[good], signal[good, lead]) if good.any() else 0.0
    return filled


def resample(
    signal: NDArray[np.float64], rate_hz: float, to_hz: float = WORKING_RATE_HZ
) -> NDArray[np.float64]:
    """Return the signal at another rate by band-limited interpolation (Kaiser-windowed sinc).

    Sample k of the result is at time k / `to_hz`; any ratio of rates is taken, whole or not.

    Args:
        signal: (samples, leads), without NaN.
        rate_hz: Its rate.
        to_hz: The wanted rate.
    """
    if math.isclose(rate_hz, to_hz, rel_tol=1e-6):
        return signal
    cutoff = min(1.0, to_hz / rate_hz)
    half = math.ceil(_ZERO_CROSSINGS / cutoff)
    count = int((len(signal) - 1) * to_hz / rate_hz) + 1
    position = np.arange(count) * (rate_hz / to_hz)
    base = np.floor(position).astype(np.int64)
    padded = np.pad(signal, ((half, half), (0, 0)), mode="edge")
    taps = np.arange(1 - half, half + 1)
    distance = (position - base)[:, None] - taps
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, 1)))
    weights = np.sinc(cutoff * distance) * window
    weights /= weights.sum(axis=1, keepdims=True)
    result = np.zeros((count, signal.shape[1]))
    for column, tap in enumerate(taps):
        result += weights[:, column, None] * padded[base + (half + tap)]
    return result
