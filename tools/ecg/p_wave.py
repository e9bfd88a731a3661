"""The P wave of the median beat: how long, how notched, how its end stands in V1."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tools.ecg.fiducials import above_chord
from tools.ecg.filters import low_pass
from tools.ecg.leads import INDEPENDENT
from tools.ecg.model import EcgMeasurements

_LOW_PASS_HZ = 25.0
_OFF_SHARE = 0.22  # of the steepest velocity, as for the onset in `tools.ecg.fiducials`
_PR_MARGIN_S = 0.008
_REACH_S = 0.09  # from the top to the end, at most


@dataclass(frozen=True, kw_only=True)
class PWave:
    """What is measured on it.

    Args:
        duration_ms: From onset to end over the leads.
        notch_ms: Time between two tops of lead II; None where there is one top.
        v1_terminal_mm_ms: Depth of the inverted last part in V1 times its duration, mm x ms; 0
            where it is not inverted. None without V1.
    """

    duration_ms: float
    notch_ms: float | None
    v1_terminal_mm_ms: float | None


def p_wave(m: EcgMeasurements, *, notch_visible_mv: float) -> PWave | None:
    """Return the P wave's measures, or None where no P wave was found.

    Args:
        m: The measured recording.
        notch_visible_mv: Depth of the dip between two tops of a notched P wave.
    """
    start, rate = m.fiducials.p_on, m.sampling_rate_hz
    stop = m.fiducials.qrs_on - int(_PR_MARGIN_S * rate)
    if start is None or stop - start < int(0.04 * rate):
        return None
    smooth = low_pass(m.beat_mv, rate, _LOW_PASS_HZ)
    columns = [m.leads.index(name) for name in INDEPENDENT if name in m.leads]
    end = _end(smooth[start:stop, columns], rate)
    lifted = above_chord(smooth[start : start + end + 1])
    return PWave(
        duration_ms=end * 1000 / rate,
        notch_ms=_notch_ms(lifted, m.leads, rate, notch_visible_mv),
        v1_terminal_mm_ms=_v1_terminal(lifted, m.leads, rate),
    )


def _end(part: NDArray[np.float64], rate: float) -> int:
    """Return where the P wave ends: as its onset in `tools.ecg.fiducials`, mirrored.

    From the top, forward to the steepest sample, and on until the velocity has fallen to a share of
    that.
    """
    size = np.sqrt((above_chord(part) ** 2).mean(axis=1))
    top = int(np.argmax(size))
    velocity = np.sqrt((np.gradient(part, axis=0) ** 2).sum(axis=1))
    last = min(len(part) - 1, top + int(_REACH_S * rate))
    at = top + int(np.argmax(velocity[top : last + 1]))
    steepest = velocity[at]
    while at < last and velocity[at] > _OFF_SHARE * steepest:
        at += 1
    return at


def _notch_ms(
    lifted: NDArray[np.float64], leads: tuple[str, ...], rate: float, visible_mv: float
) -> float | None:
    if "II" not in leads:
        return None
    wave = lifted[:, leads.index("II")]
    tops = np.flatnonzero((wave[1:-1] >= wave[:-2]) & (wave[1:-1] > wave[2:])) + 1
    best = None
    for first, last in pairwise(tops):
        dip = min(wave[first], wave[last]) - wave[first:last].min()
        if dip >= visible_mv:
            best = max(best or 0.0, float(last - first) * 1000 / rate)
    return best


def _v1_terminal(lifted: NDArray[np.float64], leads: tuple[str, ...], rate: float) -> float | None:
    if "V1" not in leads:
        return None
    wave = lifted[:, leads.index("V1")]
    lowest = int(np.argmin(wave))
    if wave[lowest] >= 0:
        return 0.0
    above = np.flatnonzero(wave[:lowest] >= 0)
    start = int(above.max(initial=0))
    return float(-wave[lowest] * 10) * (len(wave) - 1 - start) * 1000 / rate
