"""Numbers about rhythm: irregularity without ectopic beats, P waves that repeat, early beats."""

import numpy as np
from numpy.typing import NDArray

from tools.ecg.fiducials import P_MIN_MV, above_chord, p_window
from tools.ecg.filters import low_pass
from tools.ecg.median_beat import MedianBeat

_DIFFERENT_SHAPE = 0.8  # correlation with the dominant beat below this
_EARLY = 0.85  # of the usual RR interval
_REGULAR = 0.06  # median deviation of RR, as a share of the median, of an otherwise regular rhythm
_P_ALIKE = 0.5  # correlation of one beat's P window with the mean of the others
_P_LOW_PASS_HZ = 25.0


def ectopic_beats(rr: NDArray[np.float64], beat: MedianBeat, found: int) -> NDArray[np.bool_]:
    """Return (beats,) whether each beat is early or of another shape.

    "Early" means something only where the rhythm is otherwise regular; in an irregular rhythm only
    the shape counts.

    Args:
        rr: (beats - 1,) intervals, any unit.
        beat: The median beat with its classes.
        found: How many beats there are.
    """
    ectopic = np.zeros(found, dtype=bool)
    ectopic[beat.complete[beat.alike < _DIFFERENT_SHAPE]] = True
    usual = float(np.median(rr))
    if np.median(np.abs(rr - usual)) <= _REGULAR * usual:
        ectopic[1:] |= rr < _EARLY * usual
    return ectopic


def rr_irregularity(rr: NDArray[np.float64], ectopic: NDArray[np.bool_]) -> float | None:
    """Return the root mean square of successive RR differences over the mean RR.

    Intervals before and after an ectopic beat are left out. None with fewer than three
    differences.

    Args:
        rr: (beats - 1,) intervals, any unit.
        ectopic: (beats,) as `ectopic_beats` gives them.
    """
    # An interval is used when neither beat at its ends is ectopic; the one after next to an
    # ectopic beat is the compensatory pause and goes with it.
    usable = ~(ectopic[1:] | ectopic[:-1])
    pairs = usable[1:] & usable[:-1]
    if pairs.sum() < 3:
        return None
    difference = np.diff(rr)[pairs]
    return float(np.sqrt((difference**2).mean()) / rr[usable].mean())


def p_wave_share(
    beat: MedianBeat, qrs_on: int, rate_hz: float, independent: NDArray[np.int64]
) -> float | None:
    """Return the share of beats whose P window repeats that of the other beats, 0 to 1.

    0 where the median beat has no P wave: fibrillation waves differ from beat to beat and cancel.
    None with fewer than three beats or no room before the QRS.

    Args:
        beat: The median beat with its aligned beats.
        qrs_on: QRS onset on it.
        rate_hz: The rate.
        independent: Columns of the eight independent leads.
    """
    window = p_window(qrs_on, rate_hz)
    if len(beat.used) < 3 or window.stop - window.start < int(0.05 * rate_hz):
        return None
    smooth = low_pass(beat.beat_mv, rate_hz, _P_LOW_PASS_HZ)
    if np.abs(above_chord(smooth[window])).max() <= P_MIN_MV:
        return 0.0
    count = len(beat.used)
    flat = beat.beats_mv[:, :, independent].transpose(1, 0, 2).reshape(beat.beat_mv.shape[0], -1)
    smoothed = low_pass(flat, rate_hz, _P_LOW_PASS_HZ)[window].reshape(-1, count, len(independent))
    rows = above_chord(smoothed.transpose(1, 0, 2)).reshape(count, -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    others = rows.sum(axis=0) - rows
    norm = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    alike = (rows * others).sum(axis=1) / np.where(norm > 0, norm, 1)
    return float((alike > _P_ALIKE).mean())
