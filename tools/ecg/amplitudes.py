"""Amplitudes and durations of each lead on the median beat, against the PR-segment level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.ecg.fiducials import above_chord, p_window, pr_level
from tools.ecg.filters import low_pass
from tools.ecg.model import Fiducials, LeadMeasurement

_MIN_WAVE_MV = 0.02  # CSE 1985: a wave is at least 20 uV high and 6 ms long
_MIN_WAVE_S = 0.006
_T_LOW_PASS_HZ = 20.0
_P_LOW_PASS_HZ = 25.0


def lead_measurements(
    beat: NDArray[np.float64], leads: tuple[str, ...], marks: Fiducials, rate_hz: float
) -> tuple[LeadMeasurement, ...]:
    """Return what is measured in each lead.

    Args:
        beat: (samples, leads) median beat, mV.
        leads: Names of its columns.
        marks: Points on it.
        rate_hz: The rate.
    """
    level = beat - pr_level(beat, marks.qrs_on, rate_hz)
    t_wave = low_pass(level, rate_hz, _T_LOW_PASS_HZ)
    p_wave = low_pass(level, rate_hz, _P_LOW_PASS_HZ)
    return tuple(
        _one(name, level[:, i], t_wave[:, i], p_wave[:, i], marks, rate_hz)
        for i, name in enumerate(leads)
    )


def _one(
    name: str,
    level: NDArray[np.float64],
    t_wave: NDArray[np.float64],
    p_wave: NDArray[np.float64],
    marks: Fiducials,
    rate_hz: float,
) -> LeadMeasurement:
    waves = _qrs_waves(level[marks.qrs_on : marks.qrs_off + 1], rate_hz)
    st_j, st_60, st_80 = (st_level(level, marks.j, ms, rate_hz) for ms in (0, 60, 80))
    return LeadMeasurement(
        lead=name,
        q_mv=waves.q,
        r_mv=waves.r,
        s_mv=waves.s,
        r_prime_mv=waves.r_prime,
        q_ms=None if waves.q_s is None else waves.q_s * 1000,
        r_ms=None if waves.r_s is None else waves.r_s * 1000,
        st_j_mv=st_j,
        st_60_mv=st_60,
        st_80_mv=st_80,
        st_slope_mv_s=(st_80 - st_j) / 0.080,
        t_mv=_t_amplitude(t_wave, marks, rate_hz),
        p_mv=_p_amplitude(p_wave, marks, rate_hz),
    )


def st_level(level: NDArray[np.float64], j: int, after_ms: float, rate_hz: float) -> float:
    """Return the mean of three samples around J plus `after_ms`, mV."""
    at = min(j + int(after_ms * rate_hz / 1000), len(level) - 2)
    return float(level[at - 1 : at + 2].mean())


def frontal_axis(
    beat: NDArray[np.float64], leads: tuple[str, ...], marks: Fiducials, rate_hz: float
) -> float | None:
    """Return the frontal QRS axis in degrees, in (-180, 180], from net QRS areas in I and aVF.

    aVF is scaled by 2/sqrt(3), because an augmented lead is shorter than a bipolar one. None where
    I or aVF is missing or the net areas are too small to have a direction.
    """
    if "I" not in leads or "aVF" not in leads:
        return None
    level = beat - pr_level(beat, marks.qrs_on, rate_hz)
    qrs = level[marks.qrs_on : marks.qrs_off + 1]
    across = float(qrs[:, leads.index("I")].mean())
    down = float(qrs[:, leads.index("aVF")].mean()) * 2 / np.sqrt(3)
    if np.hypot(across, down) < _MIN_WAVE_MV / 2:
        return None
    angle = float(np.degrees(np.arctan2(down, across)))
    return 180.0 if angle <= -180.0 else angle


@dataclass(frozen=True, kw_only=True)
class _Waves:
    """Signed peaks in mV and durations in s of the QRS waves of one lead; 0 and None if absent."""

    q: float = 0.0
    r: float = 0.0
    s: float = 0.0
    r_prime: float = 0.0
    q_s: float | None = None
    r_s: float | None = None


def _qrs_waves(qrs: NDArray[np.float64], rate_hz: float) -> _Waves:
    waves = _deflections(qrs, rate_hz)
    upright = [k for k, (peak, _) in enumerate(waves) if peak > 0]
    if not upright:  # QS: all of it is Q
        q, q_s = min(waves, default=(0.0, None))
        return _Waves(q=q, q_s=q_s)
    q, q_s = min(waves[: upright[0]], default=(0.0, None))
    r, r_s = max((waves[k] for k in upright), key=lambda wave: wave[0])
    after = [peak for peak, _ in waves[upright[0] + 1 :]]
    return _Waves(
        q=q,
        r=r,
        s=min((peak for peak in after if peak < 0), default=0.0),
        r_prime=max((peak for peak in after if peak > 0), default=0.0),
        q_s=q_s,
        r_s=r_s,
    )


def _deflections(qrs: NDArray[np.float64], rate_hz: float) -> list[tuple[float, float]]:
    """Return (signed peak in mV, duration in s) of each wave in time order.

    A wave runs from one crossing of the PR level to the next. Waves below the minimum height or
    length are dropped, and the same-signed neighbours they parted become one. A last part that
    only leads to a raised or lowered ST segment is no wave.
    """
    parts = np.split(qrs, np.flatnonzero(np.diff(np.sign(qrs)) != 0) + 1)
    if len(parts) > 1 and np.abs(parts[-1]).max() - abs(parts[-1][-1]) < _MIN_WAVE_MV:
        parts.pop()
    merged: list[tuple[float, float]] = []
    for part in parts:
        peak = float(part[np.argmax(np.abs(part))])
        length = len(part) / rate_hz
        if abs(peak) < _MIN_WAVE_MV or length < _MIN_WAVE_S:
            continue
        if merged and merged[-1][0] * peak > 0:
            last_peak, last_length = merged[-1]
            merged[-1] = (max(last_peak, peak, key=abs), last_length + length)
        else:
            merged.append((peak, length))
    return merged


def _t_amplitude(t_wave: NDArray[np.float64], marks: Fiducials, rate_hz: float) -> float | None:
    """Return the largest deviation between J + 60 ms and the T end."""
    if marks.t_off is None:
        return None
    part = t_wave[marks.j + int(0.06 * rate_hz) : marks.t_off + 1]
    return float(part[np.argmax(np.abs(part))]) if len(part) else None


def _p_amplitude(p_wave: NDArray[np.float64], marks: Fiducials, rate_hz: float) -> float | None:
    """Return the largest deviation of the P wave from the line under it."""
    if marks.p_on is None:
        return None
    window = p_window(marks.qrs_on, rate_hz)
    part = above_chord(p_wave[min(window.start, marks.p_on) : window.stop, None])[:, 0]
    return float(part[np.argmax(np.abs(part))]) if len(part) else None
