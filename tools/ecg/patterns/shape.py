"""Shapes on the median beat of one lead: the T wave, the ST segment, the end of the QRS, the PR.

The median beat has its PR-segment level at zero. Amplitudes in mV, times in ms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.finding import NotAssessed, Why
from tools.ecg.filters import low_pass
from tools.ecg.model import LeadMeasurement
from tools.ecg.reading import Reading

_T_LOW_PASS_HZ = 20.0  # as the T amplitude itself is measured
_QRS_LOW_PASS_HZ = 100.0
_T_FROM_J_S = 0.06
_TP_S = 0.04
_MIN_TP_S = 0.02
_BASELINE_MV = 0.02  # the smallest wave (CSE 1985): less is the baseline
_SLUR_SHARE = 0.3
_SLUR_S = 0.008

Curve = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class TShape:
    """The T wave of one lead, from J + 60 ms to the T end.

    Args:
        positive_mv, negative_mv: Highest and lowest point; 0 where none lies on that side.
        positive_first: Whether the highest comes before the lowest.
        width_ms: Width of the larger one at half its height; None where a flank is outside.
        rise_ms, fall_ms: From half height to the top, and from the top to half height.
    """

    positive_mv: float
    negative_mv: float
    positive_first: bool
    width_ms: float | None
    rise_ms: float | None
    fall_ms: float | None

    def symmetric(self, share: float) -> bool | None:
        """Return whether neither flank is longer than `share` times the other; None unknown."""
        if not self.rise_ms or not self.fall_ms:
            return None
        return max(self.rise_ms, self.fall_ms) <= share * min(self.rise_ms, self.fall_ms)


@dataclass(frozen=True, kw_only=True)
class JWave:
    """The end of the QRS in one lead.

    Args:
        peak_mv: Peak of the notch or onset of the slur on the last downslope; None without one.
        kind: ``notch``, ``slur`` or empty.
    """

    peak_mv: float | None = None
    kind: str = ""


def t_shape(reading: Reading, lead: LeadMeasurement) -> TShape | NotAssessed:
    """Return the shape of the T wave of a lead, or why there is none."""
    marks, rate = reading.m.fiducials, reading.m.sampling_rate_hz
    first = marks.j + int(_T_FROM_J_S * rate)
    if marks.t_off is None or lead.t_mv is None or marks.t_off - first < 3:
        return NotAssessed(why=Why.MISSING, detail=f"no T wave found in {lead.lead}")
    wave = _wave(reading, lead, _T_LOW_PASS_HZ)
    part = wave[first : marks.t_off + 1]
    high, low = int(np.argmax(part)), int(np.argmin(part))
    top = high if part[high] >= -part[low] else low
    rise, fall = _flanks(wave * np.sign(wave[first + top]), first + top, marks.j)
    ms = 1000 / rate
    return TShape(
        positive_mv=max(float(part[high]), 0.0),
        negative_mv=min(float(part[low]), 0.0),
        positive_first=high < low,
        width_ms=None if rise is None or fall is None else (rise + fall) * ms,
        rise_ms=None if rise is None else rise * ms,
        fall_ms=None if fall is None else fall * ms,
    )


def concave(reading: Reading, lead: LeadMeasurement) -> bool | None:
    """Return whether ST runs below the straight line from J to the T peak; None without upright T.

    Judged half way in time, as a ruler laid on the tracing would.
    """
    marks, rate = reading.m.fiducials, reading.m.sampling_rate_hz
    if marks.t_off is None or lead.t_mv is None or lead.t_mv <= 0:
        return None
    wave = _wave(reading, lead, _T_LOW_PASS_HZ)
    first = marks.j + int(_T_FROM_J_S * rate)
    top = first + int(np.argmax(wave[first : marks.t_off + 1]))
    middle = (marks.j + top) // 2
    return bool(wave[middle] < (lead.st_j_mv + wave[top]) / 2)


def j_wave(reading: Reading, lead: LeadMeasurement, *, notch_mv: float, fall_mv: float) -> JWave:
    """Return the notch or slur on the last downslope of the R wave (Macfarlane 2015).

    A notch dips and rises by at least `notch_mv` and stays above the baseline. A slur is a sudden
    slowing of the downslope above the baseline that still falls by `fall_mv` to the end of the QRS.

    Args:
        reading: The ECG.
        lead: Its lead.
        notch_mv: Smallest rise of a notch.
        fall_mv: Smallest fall after the onset of a slur.
    """
    marks, rate = reading.m.fiducials, reading.m.sampling_rate_hz
    wave = _wave(reading, lead, _QRS_LOW_PASS_HZ)
    end = min(marks.qrs_off + int(0.02 * rate), len(wave) - 1)
    top = marks.qrs_on + int(np.argmax(wave[marks.qrs_on : marks.qrs_off + 1]))
    down = wave[top : end + 1]
    if len(down) < 5 or float(down.min()) < -_BASELINE_MV:
        return JWave()
    valleys = np.flatnonzero((down[1:-1] <= down[:-2]) & (down[1:-1] < down[2:])) + 1
    for valley in valleys:
        peak = int(valley) + int(np.argmax(down[valley:]))
        if down[peak] - down[valley] >= notch_mv and peak < len(down) - 1:
            return JWave(peak_mv=float(down[peak]), kind="notch")
    return _slur(down, rate, fall_mv)


def pr_depression_mv(reading: Reading, lead: LeadMeasurement) -> float | NotAssessed:
    """Return how far the PR segment lies below the TP segment before the P wave, mV; up is < 0."""
    marks, rate = reading.m.fiducials, reading.m.sampling_rate_hz
    if marks.p_on is None:
        return NotAssessed(why=Why.MISSING, detail="no P wave: no TP segment to compare with")
    end = marks.p_on - int(0.004 * rate)
    start = max(0, end - int(_TP_S * rate))
    if end - start < _MIN_TP_S * rate:
        return NotAssessed(why=Why.QUALITY, detail="no TP segment before the P wave")
    column = reading.m.leads.index(lead.lead)
    return float(np.median(reading.m.beat_mv[start:end, column]))


def _flanks(upright: Curve, top: int, first: int) -> tuple[int | None, int | None]:
    """Return the samples from half height to the top and from the top to half height."""
    half = upright[top] / 2
    before = np.flatnonzero(upright[first:top] <= half)
    after = np.flatnonzero(upright[top:] <= half)
    rise = None if not len(before) else top - first - int(before[-1])
    return rise, None if not len(after) else int(after[0])


def _slur(down: Curve, rate_hz: float, fall_mv: float) -> JWave:
    speed = -np.diff(down)
    steepest = int(np.argmax(speed))
    run = max(2, int(_SLUR_S * rate_hz))
    slow = speed < _SLUR_SHARE * speed[steepest]
    for at in range(steepest + 1, len(speed) - run):
        if slow[at : at + run].all():
            if down[at] - float(down[at:].min()) >= fall_mv:
                return JWave(peak_mv=float(down[at]), kind="slur")
            break
    return JWave()


def _wave(reading: Reading, lead: LeadMeasurement, cutoff_hz: float) -> Curve:
    column = reading.m.leads.index(lead.lead)
    beat = reading.m.beat_mv[:, column : column + 1]
    return low_pass(beat, reading.m.sampling_rate_hz, cutoff_hz)[:, 0]
