"""Every beat on its own: how early, how alike to the dominant beat, how wide."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.ecg.filters import low_pass
from tools.ecg.leads import INDEPENDENT
from tools.ecg.model import EcgMeasurements

_BEFORE_S, _AFTER_S = 0.10, 0.14
_REALIGN_S = 0.020
_SMOOTH_HZ = 40.0
_QUIET = 0.10  # of a beat's largest velocity: below it the QRS has not begun or has ended
_LOCAL_BEATS = 4


@dataclass(frozen=True, kw_only=True)
class Beat:
    """One beat of the recording.

    Args:
        early: RR before it over the usual RR around it; None for the first.
        pause: RR after it over the usual RR; None for the last.
        alike: Correlation of its QRS with that of the dominant beat, over the leads; None where its
            QRS does not lie whole in the recording.
        width_ms: Its own QRS duration: its ratio to the dominant beat's, times that one's, ms.
    """

    early: float | None
    pause: float | None
    alike: float | None
    width_ms: float | None


def beats_of(m: EcgMeasurements) -> tuple[Beat, ...]:
    """Return every beat, in time order."""
    columns = [m.leads.index(name) for name in INDEPENDENT if name in m.leads]
    signal = low_pass(m.baseline_mv[:, columns], m.sampling_rate_hz, _SMOOTH_HZ)
    median = low_pass(m.beat_mv[:, columns], m.sampling_rate_hz, _SMOOTH_HZ)
    usual = _usual(m.rr_ms)
    own = _width(median, m.fiducials.r, m.sampling_rate_hz)
    found = []
    for k, r in enumerate(m.r_peaks):
        width = _width(signal, int(r), m.sampling_rate_hz)
        scaled = None if width is None or not own else width * m.qrs_ms / own
        found.append(
            Beat(
                early=None if k == 0 else float(m.rr_ms[k - 1] / usual[k - 1]),
                pause=None if k == len(m.rr_ms) else float(m.rr_ms[k] / usual[max(k - 1, 0)]),
                alike=_alike(signal, int(r), median, m.fiducials.r, m.sampling_rate_hz),
                width_ms=scaled,
            )
        )
    return tuple(found)


def _usual(rr_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (intervals,) the median of the intervals around each, itself left out."""
    usual = np.empty(len(rr_ms))
    for k in range(len(rr_ms)):
        near = np.r_[rr_ms[max(0, k - _LOCAL_BEATS) : k], rr_ms[k + 1 : k + 1 + _LOCAL_BEATS]]
        usual[k] = np.median(near) if len(near) else rr_ms[k]
    return usual


def _alike(
    signal: NDArray[np.float64], r: int, median: NDArray[np.float64], at: int, rate_hz: float
) -> float | None:
    """Return the best correlation of a beat with the median beat within a small shift."""
    before, after = min(int(_BEFORE_S * rate_hz), at), int(_AFTER_S * rate_hz)
    after = min(after, len(median) - at)
    shift = int(_REALIGN_S * rate_hz)
    if r - before - shift < 0 or r + after + shift > len(signal):
        return None
    wanted = _unit(median[at - before : at + after])
    fits = [
        float((_unit(signal[r + s - before : r + s + after]) * wanted).sum())
        for s in range(-shift, shift + 1, 2)
    ]
    return max(fits)


def _unit(part: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = part - part.mean(axis=0)
    norm = float(np.linalg.norm(centred))
    return np.asarray(centred / norm if norm > 0 else centred, dtype=np.float64)


def _width(signal: NDArray[np.float64], r: int, rate_hz: float) -> float | None:
    """Return how long the velocity around a beat stays above a share of its largest, ms."""
    start, stop = max(0, r - int(0.16 * rate_hz)), min(len(signal), r + int(0.20 * rate_hz))
    part = signal[start:stop]
    if len(part) < int(0.2 * rate_hz):
        return None
    velocity = np.sqrt((np.gradient(part, axis=0) ** 2).sum(axis=1))
    top = int(np.argmax(velocity))
    loud = velocity > _QUIET * velocity[top]
    gap = int(0.024 * rate_hz)
    first = last = top
    for k in range(top, -1, -1):
        if loud[k]:
            first = k
        elif first - k > gap:
            break
    for k in range(top, len(loud)):
        if loud[k]:
            last = k
        elif k - last > gap:
            break
    return float(last - first + 1) * 1000 / rate_hz
