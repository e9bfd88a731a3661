"""Atrial and dual-chamber pacing by where the spikes stand before the QRS.

Spikes last about a millisecond: a recording sampled coarsely or smoothed by the recorder does not
show them. There what was not seen is not assessed, never absent.
"""

import numpy as np

from knowledge.finding import NotAssessed, Why
from tools.ecg.filters import low_pass
from tools.ecg.leads import INDEPENDENT
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, every, first_reason

_ROWS = ("pacing_kinds", "pacing")
_FINE_HZ, _QRS_HZ, _SLOW_HZ = 80.0, 40.0, 5.0


def pacing_kinds(reading: Reading, ventricular: Verdict) -> dict[str, Verdict]:
    """Return whether atria, or atria and ventricles, are paced, by code.

    Args:
        reading: The ECG.
        ventricular: Whether the ventricles are paced.
    """
    atrial = _atrial(reading)
    holds = every((atrial.holds, ventricular.holds))
    if holds is None:
        why = first_reason((atrial, ventricular))
        dual = Verdict(holds=None, why=why, rows=_ROWS)
    else:
        basis = "; ".join(v.basis for v in (atrial, ventricular) if v.basis)
        dual = Verdict(holds=holds, basis=basis, rows=_ROWS)
    return {"atrial-pacing": atrial, "dual-chamber-pacing": dual}


def spikes_hidden(reading: Reading) -> NotAssessed | None:
    """Return why spikes could not be seen on this recording, where they could not."""
    rule, rate = reading.criteria.pacing_kinds, reading.recording.sampling_rate_hz
    if rate < rule.sampled_from_hz:
        detail = f"sampled at {rate:g} Hz: pacing spikes may be missed"
        return NotAssessed(why=Why.QUALITY, detail=detail)
    if (share := fine_detail(reading)) < rule.fine_detail.share:
        detail = (
            f"the recording is smoothed (detail above {_FINE_HZ:g} Hz is {share:.1%} of the QRS): "
            "pacing spikes may have been removed"
        )
        return NotAssessed(why=Why.QUALITY, detail=detail)
    return None


def fine_detail(reading: Reading) -> float:
    """Return the size of what is above 80 Hz over that of the QRS band 5 to 40 Hz."""
    m = reading.m
    columns = [m.leads.index(name) for name in INDEPENDENT if name in m.leads]
    signal, rate = m.baseline_mv[:, columns], m.sampling_rate_hz
    fine = signal - low_pass(signal, rate, _FINE_HZ)
    qrs = low_pass(signal, rate, _QRS_HZ) - low_pass(signal, rate, _SLOW_HZ)
    size = float(np.sqrt((qrs**2).mean()))
    return float(np.sqrt((fine**2).mean())) / size if size > 0 else 0.0


def _atrial(reading: Reading) -> Verdict:
    rule, m = reading.criteria.pacing_kinds, reading.m
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why, rows=_ROWS)
    needed = reading.criteria.pacing.beats_share_from
    share = _share(reading)
    earliest, latest = rule.atrial_before_qrs_ms[1], rule.atrial_before_qrs_ms[0]
    basis = (
        f"spike {latest:g} to {earliest:g} ms before {share:.0%} of QRS onsets (limit {needed:.0%})"
    )
    if share >= needed:
        return Verdict(holds=True, basis=basis, rows=_ROWS)
    if (hidden := spikes_hidden(reading)) is not None and not len(m.pacing_spikes):
        return Verdict(holds=None, why=hidden, rows=_ROWS)
    return Verdict(holds=False, basis=basis, rows=_ROWS)


def _share(reading: Reading) -> float:
    """Return the share of beats with a spike at the distance of an atrial stimulus."""
    m = reading.m
    if not len(m.pacing_spikes) or not len(m.r_peaks):
        return 0.0
    nearest, farthest = reading.criteria.pacing_kinds.atrial_before_qrs_ms
    onset = m.r_peaks - (m.fiducials.r - m.fiducials.qrs_on)
    before = (onset[:, None] - m.pacing_spikes[None, :]) * 1000 / m.sampling_rate_hz
    hit = ((before >= nearest) & (before <= farthest)).any(axis=1)
    return float(hit.mean())
