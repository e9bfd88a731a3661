"""The median of the dominant kind of beat."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_ALIKE = 0.9  # correlation of the QRS window over all independent leads
_QRS_BEFORE_S, _QRS_AFTER_S = 0.12, 0.20
_REALIGN_S = 0.010
_MAX_BEFORE_S, _MAX_AFTER_S = 0.40, 0.65


@dataclass(frozen=True, kw_only=True, eq=False)
class MedianBeat:
    """The median beat and the beats it was made of.

    Args:
        beat_mv: (samples, leads).
        r: Index of the R peak in it.
        beats_mv: (used beats, samples, leads), aligned.
        used: (used beats,) positions in the list of R peaks.
        complete: (complete beats,) positions whose whole window lies in the recording.
        alike: (complete beats,) correlation of each with the reference beat.
    """

    beat_mv: NDArray[np.float64] = field(repr=False)
    r: int
    beats_mv: NDArray[np.float64] = field(repr=False)
    used: NDArray[np.int64]
    complete: NDArray[np.int64]
    alike: NDArray[np.float64]


def median_beat(
    signal: NDArray[np.float64],
    r_peaks: NDArray[np.int64],
    rate_hz: float,
    independent: NDArray[np.int64],
) -> MedianBeat | None:
    """Return the median of the beats that look like most others, or None where none compares.

    The window scales with the RR interval: at a high rate a fixed window would hold the next P
    wave, and the T end would be found there.

    Args:
        signal: (samples, leads), baseline removed.
        r_peaks: (beats,) at least two.
        rate_hz: The rate.
        independent: Columns of the eight independent leads.
    """
    rr_s = float(np.median(np.diff(r_peaks))) / rate_hz
    before = int(min(_MAX_BEFORE_S, 0.45 * rr_s + 0.02) * rate_hz)
    after = int(min(_MAX_AFTER_S, max(0.32, 0.72 * rr_s)) * rate_hz)
    shift = int(_REALIGN_S * rate_hz)
    whole = (r_peaks - before - shift >= 0) & (r_peaks + after + shift < len(signal))
    complete = np.flatnonzero(whole)
    if len(complete) == 0:
        return None
    peaks = r_peaks[complete]
    qrs = np.arange(-min(before, int(_QRS_BEFORE_S * rate_hz)), int(_QRS_AFTER_S * rate_hz))
    rows = _unit(_windows(signal, peaks, qrs, independent))
    likeness = rows @ rows.T
    reference = int(np.argmax((likeness > _ALIKE).sum(axis=1) + likeness.mean(axis=1)))
    used = np.flatnonzero(likeness[reference] > _ALIKE)
    if len(used) == 0:  # the beats have no shape: constant, or too large to be compared
        return None
    shifts = np.arange(-shift, shift + 1)
    fit = np.stack(
        [
            _unit(_windows(signal, peaks[used] + s, qrs, independent)) @ rows[reference]
            for s in shifts
        ]
    )
    aligned = peaks[used] + shifts[np.argmax(fit, axis=0)]
    beats = signal[aligned[:, None] + np.arange(-before, after)]
    return MedianBeat(
        beat_mv=np.median(beats, axis=0),
        r=before,
        beats_mv=beats,
        used=complete[used],
        complete=complete,
        alike=likeness[reference],
    )


def _windows(
    signal: NDArray[np.float64],
    peaks: NDArray[np.int64],
    window: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return (peaks, window x columns) the samples around each peak in one row."""
    cut = signal[np.clip(peaks[:, None] + window, 0, len(signal) - 1)][:, :, columns]
    rows: NDArray[np.float64] = cut.reshape(len(peaks), len(window) * len(columns))
    return rows


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row centred and of length 1, so that products are correlations."""
    with np.errstate(over="ignore", invalid="ignore"):  # such rows are like none, not even itself
        centred = rows - rows.mean(axis=1, keepdims=True)
        norm = np.linalg.norm(centred, axis=1, keepdims=True)
        result: NDArray[np.float64] = centred / np.where(norm > 0, norm, 1)
    return result
