"""Onsets and offsets of P, QRS and T on the median beat, global over the leads.

QRS bounds come from the spatial velocity of the eight independent leads, the T end from the slope
after the T peak in each lead. Thresholds were tuned on LUDB, that of the J point on the ST levels
which devices state (errors: ``knowledge/data/ecg_accuracy.yaml``).
"""

import numpy as np
from numpy.typing import NDArray

from tools.ecg.filters import low_pass
from tools.ecg.model import Fiducials
from tools.ecg.r_peaks import moving_mean

# Velocity thresholds: share of the peak, multiple of the local noise.
_ON_SHARE, _ON_NOISE = 0.012, 2.0
_OFF_SHARE, _OFF_NOISE = 0.035, 1.6
_OFF_FLOOR_SHARE = 0.0035
_J_SHARE = 0.04
_SMOOTH_HZ = 40.0

_T_LOW_PASS_HZ = 20.0
_T_MIN_MV = 0.05
_T_END_SLOPE = 0.2
_T_END_PERCENTILE = 90.0

_P_LOW_PASS_HZ = 25.0
P_MIN_MV = 0.04
"""Smallest P wave taken for one, in the lead where it is largest."""
_P_ON_SHARE = 0.22


def find_fiducials(
    beat: NDArray[np.float64], r: int, rate_hz: float, independent: NDArray[np.int64]
) -> Fiducials:
    """Return the bounds of the waves on a median beat.

    Args:
        beat: (samples, leads) mV.
        r: Index of the R peak.
        rate_hz: The rate.
        independent: Columns of the eight independent leads.
    """
    velocity = _spatial_velocity(beat[:, independent], rate_hz)
    around = slice(max(0, r - _n(0.16, rate_hz)), min(len(beat), r + _n(0.20, rate_hz)))
    peak = float(velocity[around].max())
    qrs_on = _qrs_onset(velocity, r, peak, rate_hz)
    qrs_off, j = _qrs_offsets(velocity, r, peak, rate_hz)
    level = pr_level(beat, qrs_on, rate_hz)
    t_peak, t_off = _t_wave(beat - level, qrs_off, rate_hz, independent)
    return Fiducials(
        p_on=_p_onset(beat, qrs_on, rate_hz, independent),
        qrs_on=qrs_on,
        r=r,
        qrs_off=qrs_off,
        j=min(j, qrs_off),
        t_peak=t_peak,
        t_off=t_off,
    )


def pr_level(beat: NDArray[np.float64], qrs_on: int, rate_hz: float) -> NDArray[np.float64]:
    """Return (leads,) the level of the PR segment, from 24 to 4 ms before the QRS."""
    start = max(0, qrs_on - _n(0.024, rate_hz))
    end = max(start + 1, qrs_on - _n(0.004, rate_hz))
    level: NDArray[np.float64] = beat[start:end].mean(axis=0)
    return level


def _spatial_velocity(beat: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Return the length of the velocity vector, mV/ms x 1000 / rate, lightly smoothed."""
    velocity = np.gradient(low_pass(beat, rate_hz, _SMOOTH_HZ), axis=0) * rate_hz / 1000
    return moving_mean(np.sqrt((velocity**2).sum(axis=1)), 3)


def _qrs_onset(velocity: NDArray[np.float64], r: int, peak: float, rate_hz: float) -> int:
    """Return the last quiet point going back from 30 ms before R."""
    noise = _noise(velocity, r - _n(0.20, rate_hz), r - _n(0.06, rate_hz))
    quiet = velocity < max(_ON_SHARE * peak, _ON_NOISE * noise)
    run = _n(0.008, rate_hz)
    earliest = max(run + 1, r - _n(0.18, rate_hz))
    at = r - _n(0.03, rate_hz)
    while at > earliest and not quiet[at - run : at].all():
        at -= 1
    return max(at, 1)


def _qrs_offsets(
    velocity: NDArray[np.float64], r: int, peak: float, rate_hz: float
) -> tuple[int, int]:
    """Return the QRS offset and the J point, each the first quiet point after R."""
    noise = _OFF_NOISE * _noise(velocity, r + _n(0.06, rate_hz), r + _n(0.20, rate_hz))
    strict = min(max(_OFF_SHARE * peak, noise), max(_OFF_FLOOR_SHARE, noise))
    return (
        _first_quiet(velocity < strict, r, rate_hz),
        _first_quiet(velocity < max(_J_SHARE * peak, noise), r, rate_hz),
    )


def _first_quiet(quiet: NDArray[np.bool_], r: int, rate_hz: float) -> int:
    run = _n(0.012, rate_hz)
    latest = min(r + _n(0.20, rate_hz), len(quiet) - run - 1)
    at = r + _n(0.02, rate_hz)
    while at < latest and not quiet[at : at + run].all():
        at += 1
    return at


def _noise(velocity: NDArray[np.float64], start: int, end: int) -> float:
    """Return the quiet level in a window: its 20th percentile."""
    part = velocity[max(0, start) : max(end, 1)]
    return max(float(np.percentile(part, 20)), 1e-6) if len(part) else 1e-6


def _t_wave(
    beat: NDArray[np.float64], qrs_off: int, rate_hz: float, independent: NDArray[np.int64]
) -> tuple[int | None, int | None]:
    """Return peak and end of the T wave, or None for both where no lead has a clear one.

    The end is the 90th percentile of the leads' own ends, each where the slope after the lead's T
    peak has fallen to a fifth of its steepest. (Tangents ended 20 ms too early on LUDB.)
    """
    smooth = low_pass(beat, rate_hz, _T_LOW_PASS_HZ)
    start = min(qrs_off + _n(0.08, rate_hz), len(beat) - _n(0.10, rate_hz))
    stop = len(beat) - 5
    if stop - start < _n(0.04, rate_hz):
        return None, None
    size = np.sqrt((smooth[start:stop, independent] ** 2).mean(axis=1))
    peak = start + int(np.argmax(size))
    ends = [
        end
        for lead in range(beat.shape[1])
        if (end := _t_end(smooth[:, lead], peak, start, stop, rate_hz)) is not None
    ]
    if not ends:
        return None, None
    end = round(float(np.percentile(ends, _T_END_PERCENTILE)))
    return peak, min(end, len(beat) - 1)


def _t_end(
    lead: NDArray[np.float64], peak: int, start: int, stop: int, rate_hz: float
) -> int | None:
    first = max(start, peak - _n(0.06, rate_hz))
    near = lead[first : min(stop, peak + _n(0.06, rate_hz))]
    top = first + int(np.argmax(np.abs(near)))
    if abs(lead[top]) < _T_MIN_MV:
        return None
    upright = lead * np.sign(lead[top])
    last = min(stop, top + _n(0.20, rate_hz))
    if last - top < 10:
        return None
    slope = np.gradient(upright)
    steepest: int = top + int(np.argmin(slope[top:last]))
    if slope[steepest] >= 0:
        return None
    gentle = slope[steepest:stop] >= _T_END_SLOPE * slope[steepest]
    return steepest + int(np.argmax(gentle)) if bool(gentle.any()) else None


def _p_onset(
    beat: NDArray[np.float64], qrs_on: int, rate_hz: float, independent: NDArray[np.int64]
) -> int | None:
    """Return the P onset, or None where nothing above `P_MIN_MV` comes before the QRS."""
    smooth = low_pass(beat, rate_hz, _P_LOW_PASS_HZ)
    window = p_window(qrs_on, rate_hz)
    if window.stop - window.start < _n(0.05, rate_hz):
        return None
    bump = above_chord(smooth[window])
    top = int(np.argmax(np.sqrt((bump[:, independent] ** 2).mean(axis=1))))
    if np.abs(bump[top]).max() <= P_MIN_MV:
        return None
    velocity = np.sqrt((np.gradient(smooth[:, independent], axis=0) ** 2).sum(axis=1))
    centre: int = window.start + top
    first = max(0, centre - _n(0.09, rate_hz))
    steepest = first + int(np.argmax(velocity[first : centre + 1]))
    at = steepest
    while (
        at > max(1, centre - _n(0.10, rate_hz)) and velocity[at] > _P_ON_SHARE * velocity[steepest]
    ):
        at -= 1
    return at


def p_window(qrs_on: int, rate_hz: float) -> slice:
    """Return where a P wave is looked for: from 280 to 30 ms before the QRS."""
    end = max(0, qrs_on - _n(0.03, rate_hz))
    return slice(min(end, max(0, qrs_on - _n(0.28, rate_hz))), end)


def above_chord(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (..., samples, leads) the part minus the line between its first and last sample."""
    ramp = np.linspace(0, 1, part.shape[-2])[:, None]
    first, last = part[..., :1, :], part[..., -1:, :]
    result: NDArray[np.float64] = part - first - ramp * (last - first)
    return result


def _n(seconds: float, rate_hz: float) -> int:
    return int(seconds * rate_hz + 1e-9)
