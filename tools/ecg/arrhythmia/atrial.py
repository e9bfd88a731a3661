"""Atrial waves one by one: where they stand in the whole recording, and how evenly they come.

The median beat shows only what is locked to the QRS. Here every bump between the QRS complexes is
looked at: its size and its direction over the eight independent leads. Bumps that point the same
way and come at an even pace are one atrial rhythm.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tools.ecg.filters import low_pass
from tools.ecg.leads import INDEPENDENT
from tools.ecg.model import EcgMeasurements

_LOW_PASS_HZ = 25.0
_P_REACH_S, _FLUTTER_REACH_S = 0.070, 0.045  # half a P wave with its feet; half a flutter wave
_BEFORE_QRS_S, _AFTER_QRS_S = 0.020, 0.040
_MIN_MV = 0.035  # of a chord-lifted bump in its largest lead; the feet of a P wave take a part
_ALIKE = 0.80  # cosine of two bumps over the leads
_SIZE = 2.0  # two waves of one rhythm differ in size by at most this factor
_STRANGE = 0.8  # correlation with the median QRS below this: a beat of another shape


@dataclass(frozen=True, kw_only=True, eq=False)
class Waves:
    """Atrial waves of one recording.

    Args:
        at_s: (waves,) times of their tops, s from the start.
        vector: (8,) their median direction and size, mV.
        period_s: Even pace that fits them best, s.
        regularity: 0 to 1: length of the mean vector of their phases at that pace; 1 is even.
        covered: Share of the places at that pace, outside QRS, at which a wave stands.
    """

    at_s: NDArray[np.float64] = field(repr=False)
    vector: NDArray[np.float64] = field(repr=False)
    period_s: float
    regularity: float
    covered: float

    @cached_property
    def rate_per_min(self) -> float:
        """Return the atrial rate."""
        return 60.0 / self.period_s


@dataclass(frozen=True, kw_only=True, eq=False)
class Bumps:
    """Every bump outside the QRS: time, direction and size.

    Args:
        at: (bumps,) sample of the top.
        vector: (bumps, 8) chord-lifted amplitude, mV.
        open: (samples,) whether a sample lies outside QRS.
        rate_hz: Samples a second.
    """

    at: NDArray[np.int64]
    vector: NDArray[np.float64] = field(repr=False)
    open: NDArray[np.bool_] = field(repr=False)
    rate_hz: float


def bumps(m: EcgMeasurements, *, flutter: bool = False) -> Bumps:
    """Return the bumps between QRS complexes that are large enough to be a wave.

    Args:
        m: The measured recording.
        flutter: Look for short waves, and leave the T wave in: flutter waves locked to the QRS are
            part of the median beat and would be subtracted with it.
    """
    rate = m.sampling_rate_hz
    columns = [m.leads.index(name) for name in INDEPENDENT if name in m.leads]
    signal = low_pass(m.baseline_mv[:, columns], rate, _LOW_PASS_HZ)
    closed = np.zeros(len(signal), dtype=bool)
    marks = m.fiducials
    before = marks.r - marks.qrs_on + int(_BEFORE_QRS_S * rate)
    after = marks.qrs_off - marks.r + int(_AFTER_QRS_S * rate)
    for r in m.r_peaks:
        closed[max(0, r - before) : r + after] = True
    if not flutter:
        signal = _without_t(m, signal, columns)
    reach = int((_FLUTTER_REACH_S if flutter else _P_REACH_S) * rate)
    signal = _bridged(signal, closed)
    lifted = np.zeros_like(signal)
    middle = signal[reach:-reach]
    lifted[reach:-reach] = middle - (signal[: -2 * reach] + signal[2 * reach :]) / 2
    size = np.sqrt((lifted**2).mean(axis=1))
    apart = int((0.10 if flutter else 0.20) * rate)
    tops = _tops(np.where(closed, 0.0, size), apart)
    tops = tops[np.abs(lifted[tops]).max(axis=1, initial=0.0) >= _MIN_MV]
    return Bumps(at=tops, vector=lifted[tops], open=~closed, rate_hz=rate)


def even_train(
    found: Bumps, *, shortest_s: float, longest_s: float, seed: NDArray[np.float64] | None = None
) -> Waves | None:
    """Return the bumps of one direction at an even pace, or None where fewer than four are alike.

    Args:
        found: All bumps.
        shortest_s: Shortest interval between two waves.
        longest_s: Longest.
        seed: (8,) direction and size looked for; without it that of the largest like group.
    """
    if len(found.at) < 4:
        return None
    alike = _like(found, seed) if seed is not None else _largest_group(found)
    times = found.at[alike] / found.rate_hz
    if len(times) < 4:
        return None
    periods = np.geomspace(shortest_s, longest_s, 600)
    regularity = np.abs(np.exp(2j * np.pi * times[None, :] / periods[:, None]).mean(axis=1))
    best, covered = _best_period(times, periods, regularity, found)
    return Waves(
        at_s=times,
        vector=np.median(found.vector[alike], axis=0),
        period_s=float(periods[best]),
        regularity=float(regularity[best]),
        covered=covered,
    )


def _best_period(
    times: NDArray[np.float64],
    periods: NDArray[np.float64],
    regularity: NDArray[np.float64],
    found: Bumps,
) -> tuple[int, float]:
    """Return the period of the largest product of regularity and share covered, and that share.

    No share is above 1: a period less regular than the best product so far cannot be better.
    """
    best, share, most = 0, 0.0, -1.0
    for index in np.argsort(-regularity, kind="stable"):
        even = min(float(regularity[index]), 1.0)
        if even <= most:
            break
        covered = _covered(times, float(periods[index]), found)
        if even * covered > most:
            best, share, most = int(index), covered, even * covered
    return best, share


def like(
    found: Bumps, seed: NDArray[np.float64], *, alike: float = _ALIKE, size: float = _SIZE
) -> NDArray[np.float64]:
    """Return (waves,) times in s of the bumps with the direction and size of `seed`.

    Args:
        found: All bumps.
        seed: (8,) what is looked for, mV.
        alike: Least cosine.
        size: Largest ratio of sizes.
    """
    hits = _like(found, seed, alike, size)
    return np.asarray(found.at[hits] / found.rate_hz, dtype=np.float64)


def p_seed(m: EcgMeasurements) -> NDArray[np.float64] | None:
    """Return (8,) direction and size of the P wave of the median beat, or None without one."""
    if m.fiducials.p_on is None:
        return None
    rate = m.sampling_rate_hz
    columns = [m.leads.index(name) for name in INDEPENDENT if name in m.leads]
    beat = low_pass(m.beat_mv[:, columns], rate, _LOW_PASS_HZ)
    reach, end = int(_P_REACH_S * rate), m.fiducials.qrs_on - int(_BEFORE_QRS_S * rate)
    start = max(reach, m.fiducials.p_on)
    held = np.concatenate([beat[:end], np.repeat(beat[end : end + 1], reach + 1, axis=0)])
    tops = np.arange(start, min(end, len(held) - reach))
    if len(tops) == 0:
        return None
    lifted = held[tops] - (held[tops - reach] + held[tops + reach]) / 2
    return np.asarray(lifted[int(np.argmax((lifted**2).sum(axis=1)))], dtype=np.float64)


def _like(
    found: Bumps, seed: NDArray[np.float64], alike: float = _ALIKE, ratio: float = _SIZE
) -> NDArray[np.bool_]:
    size = np.linalg.norm(found.vector, axis=1)
    own = float(np.linalg.norm(seed))
    cosine = found.vector @ seed / np.where(size * own > 0, size * own, 1)
    return np.asarray((cosine >= alike) & (size >= own / ratio) & (size <= own * ratio))


def _largest_group(found: Bumps) -> NDArray[np.bool_]:
    groups = [_like(found, vector) for vector in found.vector]
    return max(groups, key=lambda group: int(group.sum()))


def _covered(times: NDArray[np.float64], period: float, found: Bumps) -> float:
    """Return the share of even places outside QRS that hold a wave."""
    phase = np.angle(np.exp(2j * np.pi * times / period).mean()) / (2 * np.pi) * period
    end = len(found.open) / found.rate_hz
    places = np.arange(phase % period, end, period)
    inside = np.minimum((places * found.rate_hz).astype(int), len(found.open) - 1)
    places = places[found.open[inside]]
    if len(places) == 0:
        return 0.0
    near = np.abs(places[:, None] - times[None, :]).min(axis=1) <= 0.12 * period
    return float(near.mean())


def _without_t(
    m: EcgMeasurements, signal: NDArray[np.float64], columns: list[int]
) -> NDArray[np.float64]:
    """Return the signal minus the median ST-T of each beat of the median's shape."""
    marks, rate = m.fiducials, m.sampling_rate_hz
    if marks.t_off is None:
        return signal
    beat = low_pass(m.beat_mv[:, columns], rate, _LOW_PASS_HZ)
    stop = min(len(beat), marks.t_off + int(0.02 * rate))
    wave = beat[marks.qrs_off : stop]
    ramp = np.linspace(0, 1, len(wave))[:, None]
    wave = wave - ramp * wave[-1]
    left = signal.copy()
    for r in m.r_peaks:
        start = int(r) - marks.r + marks.qrs_off
        part = slice(max(0, start), min(len(left), start + len(wave)))
        if part.stop > part.start:
            left[part] -= wave[part.start - start : part.stop - start]
    return left


def _bridged(signal: NDArray[np.float64], closed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the signal with straight lines over the closed samples."""
    if closed.all() or not closed.any():
        return signal
    index = np.arange(len(signal))
    kept = index[~closed]
    columns = [np.interp(index, kept, signal[~closed, i]) for i in range(signal.shape[1])]
    return np.stack(columns, axis=1)


def _tops(size: NDArray[np.float64], apart: int) -> NDArray[np.int64]:
    """Return the local maxima, the larger of two that are closer than `apart`."""
    inner = np.flatnonzero((size[1:-1] >= size[:-2]) & (size[1:-1] > size[2:])) + 1
    kept: list[int] = []
    for at in sorted(inner, key=lambda k: -size[k]):
        if all(abs(at - other) >= apart for other in kept):
            kept.append(int(at))
    return np.array(sorted(kept), dtype=np.int64)
