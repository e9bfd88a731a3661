"""Pre-excitation (WPW pattern): short PR, wide QRS and a slow beginning of the QRS."""

import numpy as np

from knowledge.finding import Why
from tools.ecg.filters import low_pass
from tools.ecg.intervals import short_pr
from tools.ecg.leads import INDEPENDENT
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, every, unknown, with_margin

_ROWS = ("pre_excitation",)
_HALF = 0.5
_SMOOTH_HZ = 40.0


def pre_excitation(reading: Reading, pacing: Verdict) -> Verdict:
    """Return whether PR is short, QRS wide, and its beginning slow, all three.

    A pathway that conducts with a normal PR is not seen; "absent" does not exclude one.
    """
    rule, m = reading.criteria.pre_excitation, reading.m
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why, rows=_ROWS)
    if pacing.holds is True:
        return unknown(Why.OUTSIDE_CONTRACT, "ventricular paced rhythm", rows=_ROWS)
    slow = delta_ms(reading)
    short = short_pr(reading)
    if short.why is not None:
        return Verdict(holds=None, why=short.why, rows=_ROWS)
    basis = (
        f"{short.basis}; QRS {m.qrs_ms:.0f} ms (limit above {rule.qrs_above_ms:g}); "
        f"slow beginning {slow:.0f} ms (limit {rule.delta.from_ms:g})"
    )

    if _slow_but_not_short(reading, slow):
        detail = (
            f"{basis}: a wide QRS with a slow beginning, P onset near the limit or hidden in it"
        )
        return unknown(Why.CONFLICTING, detail, rows=_ROWS)

    def at(shift_ms: float) -> Verdict:
        signs = (
            (m.pr_ms or 0.0) < rule.pr_below_ms + shift_ms,
            m.qrs_ms > rule.qrs_above_ms - shift_ms,
            slow >= rule.delta.from_ms,
        )
        return Verdict(holds=every(signs), basis=basis, rows=_ROWS)

    return with_margin(at, reading.error_ms("pr"))


def _slow_but_not_short(reading: Reading, slow: float) -> bool:
    """Return whether only PR speaks against pre-excitation, and is not prolonged.

    The P wave may run into a delta wave: its onset is then found too early.
    """
    rule, pr = reading.criteria.pre_excitation, reading.m.pr_ms or 0.0
    shaped = reading.m.qrs_ms > rule.qrs_above_ms and slow >= rule.delta.from_ms
    return shaped and rule.pr_below_ms <= pr <= reading.criteria.pr.prolonged_above_ms


def delta_ms(reading: Reading) -> float:
    """Return how long from QRS onset the spatial velocity stays below half its largest, ms."""
    m = reading.m
    columns = [m.leads.index(name) for name in INDEPENDENT if name in m.leads]
    beat = low_pass(m.beat_mv[:, columns], m.sampling_rate_hz, _SMOOTH_HZ)
    velocity = np.sqrt((np.gradient(beat, axis=0) ** 2).sum(axis=1))
    part = velocity[m.fiducials.qrs_on : m.fiducials.qrs_off + 1]
    return float(np.argmax(part >= _HALF * part.max())) * 1000 / m.sampling_rate_hz
