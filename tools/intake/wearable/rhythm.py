"""The rhythm of a single-lead strip: regular or irregular, and nothing that needs twelve leads.

Contract: 20 s or more, at least 12 beats, 100 Hz or more. There is no ST, no axis, no P-wave
statement, no voltage and no territory; an irregular strip is a suspicion that needs a 12-lead ECG.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from knowledge.finding import NotAssessed, Why
from knowledge.wearable import wearable
from tools.ecg.baseline import remove_baseline
from tools.ecg.filters import band_pass, without_mains
from tools.ecg.median_beat import median_beat
from tools.ecg.r_peaks import find_r_peaks
from tools.ecg.resampling import WORKING_RATE_HZ, resample
from tools.ecg.rhythm_measures import ectopic_beats, rr_irregularity
from tools.intake.wearable.model import Strip

_COPIES = 8
"""The beat finder asks for eight leads; one lead stands for each of them."""

_FLAT_MV = 0.05


@dataclass(frozen=True, kw_only=True)
class StripRhythm:
    """What can be said of a strip.

    Args:
        regularity: ``regular`` or ``irregular``; None where not assessed.
        not_assessed: Why not.
        heart_rate_per_min: From the mean RR interval.
        irregularity: RMSSD of RR over mean RR, without early beats and beats of another shape.
        beats: Beats found.
        ectopic: Early beats and beats of another shape.
        duration_s: Length.
    """

    regularity: Literal["regular", "irregular"] | None
    not_assessed: NotAssessed | None
    heart_rate_per_min: float | None
    irregularity: float | None
    beats: int
    ectopic: int
    duration_s: float


def strip_rhythm(strip: Strip) -> StripRhythm:
    """Return the rhythm of a strip, or why it is not assessed."""
    limits = wearable().single_lead
    duration = len(strip.signal_mv) / strip.sampling_rate_hz
    if strip.sampling_rate_hz < limits.rate_from_hz:
        return _refused(duration, f"{strip.sampling_rate_hz:g} Hz; {limits.rate_from_hz:g} needed")
    if duration < limits.duration_from_s:
        return _refused(duration, f"{duration:.0f} s; {limits.duration_from_s:g} s are needed")
    if not np.isfinite(strip.signal_mv).all() or np.ptp(strip.signal_mv) < _FLAT_MV:
        return _refused(duration, "no signal", why=Why.QUALITY)
    signal = resample(strip.signal_mv[:, None], strip.sampling_rate_hz)
    signal = without_mains(np.repeat(signal, _COPIES, axis=1), WORKING_RATE_HZ)
    signal = signal - np.median(signal, axis=0)
    peaks = find_r_peaks(band_pass(signal, WORKING_RATE_HZ, 0.5, 40), WORKING_RATE_HZ)
    if len(peaks) < limits.beats_from:
        detail = f"{len(peaks)} beats found; {limits.beats_from} are needed"
        return _refused(duration, detail, why=Why.QUALITY, beats=len(peaks))
    rr = np.diff(peaks) * 1000 / WORKING_RATE_HZ
    flattened = remove_baseline(signal, peaks, WORKING_RATE_HZ)
    beat = median_beat(flattened, peaks, WORKING_RATE_HZ, np.arange(_COPIES))
    if beat is None:
        return _refused(duration, "no beats that compare", why=Why.QUALITY, beats=len(peaks))
    ectopic = ectopic_beats(rr, beat, len(peaks))
    value = rr_irregularity(rr, ectopic)
    if value is None:
        detail = "too few beats in a row without an early or different one"
        return _refused(duration, detail, why=Why.QUALITY, beats=len(peaks))
    return StripRhythm(
        regularity="irregular" if value > limits.irregularity.above else "regular",
        not_assessed=None,
        heart_rate_per_min=60_000 / float(rr.mean()),
        irregularity=value,
        beats=len(peaks),
        ectopic=int(ectopic.sum()),
        duration_s=duration,
    )


def _refused(
    duration: float, detail: str, *, why: Why = Why.OUTSIDE_CONTRACT, beats: int = 0
) -> StripRhythm:
    return StripRhythm(
        regularity=None,
        not_assessed=NotAssessed(why=why, detail=detail),
        heart_rate_per_min=None,
        irregularity=None,
        beats=beats,
        ectopic=0,
        duration_s=duration,
    )
