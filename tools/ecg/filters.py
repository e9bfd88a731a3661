"""Zero-phase filters: they move no wave in time, so they cannot tilt the ST segment.

A Butterworth filter run forward and backward multiplies every frequency by its squared gain; here
that gain is applied to the spectrum directly, after odd extension at both ends.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Gain = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Maps warped frequencies tan(pi f / rate) to squared gains."""

_PAD_S = 1.0


def low_pass(
    signal: NDArray[np.float64], rate_hz: float, cutoff_hz: float, order: int = 2
) -> NDArray[np.float64]:
    """Return the signal (samples, leads) below `cutoff_hz`, -6 dB there."""
    edge = _warp(cutoff_hz, rate_hz)
    return _apply(signal, rate_hz, lambda w: 1 / (1 + (w / edge) ** (2 * order)))


def band_pass(
    signal: NDArray[np.float64], rate_hz: float, low_hz: float, high_hz: float, order: int = 2
) -> NDArray[np.float64]:
    """Return the signal (samples, leads) between two frequencies, -6 dB at each."""
    low, high = _warp(low_hz, rate_hz), _warp(high_hz, rate_hz)

    def gain(w: NDArray[np.float64]) -> NDArray[np.float64]:
        passed = ((high - low) * w) ** (2 * order)
        return passed / (passed + (w**2 - low * high) ** (2 * order))

    return _apply(signal, rate_hz, gain)


def without_mains(signal: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Return the signal with 50 or 60 Hz notched out, each only where it stands out.

    A notch always removes some QRS energy, so it is used only where the mean spectrum at the
    mains frequency is over 8 times its surroundings.

    Args:
        signal: (samples, leads).
        rate_hz: Above 140 Hz; below, the signal is returned unchanged.
    """
    if rate_hz <= 140:
        return signal
    frequency, power = _spectrum(signal, rate_hz)
    for mains in (50.0, 60.0):
        distance = np.abs(frequency - mains)
        around = (distance > 3) & (distance < 8)
        if power[distance < 1].max() > 8 * np.median(power[around]):
            signal = _apply(signal, rate_hz, _notch(_warp(mains, rate_hz), quality=30.0))
    return signal


def _notch(centre: float, quality: float) -> Gain:
    def gain(w: NDArray[np.float64]) -> NDArray[np.float64]:
        kept = (centre**2 - w**2) ** 2
        return kept / (kept + (w * centre / quality) ** 2)

    return gain


def _apply(signal: NDArray[np.float64], rate_hz: float, gain: Gain) -> NDArray[np.float64]:
    n = len(signal)
    pad = min(int(_PAD_S * rate_hz), n - 1)
    size = _fast_length(n + 2 * pad)
    extended = np.empty((signal.shape[1], size))  # one lead after the other, for speed
    leads = signal.T
    extended[:, :pad] = 2 * leads[:, :1] - leads[:, pad:0:-1]
    extended[:, pad : pad + n] = leads
    extended[:, pad + n : 2 * pad + n] = 2 * leads[:, -1:] - leads[:, -2 : -pad - 2 : -1]
    extended[:, 2 * pad + n :] = extended[:, 2 * pad + n - 1 : 2 * pad + n]
    frequency = np.arange(size // 2 + 1) / size
    warped = np.tan(np.pi * np.minimum(frequency, 0.5 - 1e-6))
    spectrum = np.fft.rfft(extended) * gain(warped)
    return np.ascontiguousarray(np.fft.irfft(spectrum, n=size)[:, pad : pad + n].T)


def _warp(frequency_hz: float, rate_hz: float) -> float:
    return float(np.tan(np.pi * min(frequency_hz / rate_hz, 0.49)))


def _spectrum(
    signal: NDArray[np.float64], rate_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies and the mean power over leads and 4 s windows that overlap by half."""
    size = min(len(signal), int(4 * rate_hz))
    starts = range(0, len(signal) - size + 1, max(size // 2, 1))
    window = np.hanning(size)[:, None]
    power: NDArray[np.float64] = np.zeros(size // 2 + 1)
    for start in starts:
        part = signal[start : start + size]
        spectrum = np.fft.rfft(((part - part.mean(axis=0)) * window).T)
        power = power + (np.abs(spectrum) ** 2).mean(axis=0)
    frequency: NDArray[np.float64] = np.arange(size // 2 + 1, dtype=np.float64) * rate_hz / size
    return frequency, power


def _fast_length(n: int) -> int:
    """Return the smallest length >= n with no prime factor over 5."""
    while True:
        rest = n
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return n
        n += 1
