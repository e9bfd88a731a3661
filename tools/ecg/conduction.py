"""Bundle branch blocks and ventricular pacing: what changes the meaning of the ST segment.

Shapes are read on the median beat between QRS onset and QRS end; times in ms from QRS onset.
"""

import numpy as np

from knowledge.finding import NotAssessed, Why
from tools.ecg.model import LeadMeasurement
from tools.ecg.reading import Reading, upright
from tools.ecg.verdict import (
    Verdict,
    at_least,
    every,
    first_reason,
    some,
    unknown,
    with_margin,
)

SPIKES = "spikes-seen"
"""Flag: pacing spikes were seen, and not at most QRS onsets."""

_RIGHT = "rbbb"


def lbbb(reading: Reading) -> Verdict:
    """Return whether there is a left bundle branch block (AHA/ACCF/HRS 2009).

    QRS wide, mainly negative V1, late R peak in two left leads, and no Q wave in I and V6. I and
    aVL count as left leads beside V5 and V6, which may lie over the right ventricle.
    """
    rule = reading.criteria.lbbb
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why)
    shape = _lbbb_shape(reading)

    def at(shift_ms: float) -> Verdict:
        wide = reading.m.qrs_ms >= rule.qrs_from_ms + shift_ms
        holds = every((wide, shape.holds))
        basis = f"QRS {reading.m.qrs_ms:.0f} ms (limit {rule.qrs_from_ms:g}); {shape.basis}"
        if holds is None:
            return Verdict(holds=None, why=shape.why, basis=basis, rows=("lbbb",))
        return Verdict(holds=holds, basis=basis, rows=("lbbb",))

    return with_margin(at, reading.error_ms("qrs"))


def rbbb(reading: Reading, left: Verdict) -> Verdict:
    """Return whether there is a complete right bundle branch block (AHA/ACCF/HRS 2009).

    QRS wide, late R peak in V1 or V2, and a broad S wave in I or V6. A left bundle branch block
    (`left`) excludes it.
    """
    return _right(reading, left, from_ms=reading.criteria.rbbb.qrs_from_ms, below_ms=None)


def incomplete_rbbb(reading: Reading, left: Verdict) -> Verdict:
    """Return whether the shape of a right bundle branch block comes with a QRS just too short."""
    rule = reading.criteria.rbbb
    return _right(reading, left, from_ms=rule.incomplete_from_ms, below_ms=rule.qrs_from_ms)


def paced(reading: Reading) -> Verdict:
    """Return whether the rhythm is ventricular paced.

    It is where spikes stand at most QRS onsets; at some of them only, or elsewhere beside a wide
    QRS, it is not assessed. Filters can remove spikes: without them a wide QRS with the shape of
    left bundle branch block, and a very wide one that is no right bundle branch block, is not
    assessed; any other is not paced.
    """
    rule, qrs = reading.criteria.pacing, reading.m.qrs_ms
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why)
    share = _paced_share(reading)
    basis = f"spike at {share:.0%} of QRS onsets (limit {rule.beats_share_from:.0%})"
    if share >= rule.beats_share_from:
        return Verdict(holds=True, basis=basis, rows=("pacing",))
    basis += f"; QRS {qrs:.0f} ms"
    if (seen := len(reading.m.pacing_spikes)) and (share > 0 or qrs >= rule.wide_qrs_from_ms):
        detail = f"{seen} pacing spikes seen; {basis}: whether the ventricles are paced is open"
        return unknown(Why.CONFLICTING, detail, flags=(SPIKES,), rows=("pacing",))
    like_left = qrs >= rule.wide_qrs_from_ms and _lbbb_shape(reading).holds is not False
    odd = qrs >= rule.suspect_qrs_from_ms and _rbbb_shape(reading).holds is not True
    if like_left or odd:
        detail = (
            f"no pacing spikes seen, but filters can remove them, and a QRS of {qrs:.0f} ms of "
            "this shape may be paced"
        )
        return unknown(Why.QUALITY, detail, rows=("pacing",))
    return Verdict(holds=False, basis=basis, rows=("pacing",))


def beside_pacing(left: Verdict, pacing: Verdict) -> Verdict:
    """Return left bundle branch block: not assessed behind pacing, which has its shape."""
    if left.holds is True and pacing.holds is True:
        detail = f"ventricular paced rhythm, which has this shape by itself: {left.basis}"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=left.rows)
    return left


def beside_spikes(verdict: Verdict, pacing: Verdict) -> Verdict:
    """Return a statement on the shape of the QRS: not assessed where spikes leave pacing open."""
    if verdict.holds is None or SPIKES not in pacing.flags:
        return verdict
    return Verdict(holds=None, why=pacing.why, rows=verdict.rows)


def delay(reading: Reading, *specific: Verdict) -> Verdict:
    """Return whether the QRS is wide without the shape of a block or pacing (`specific`)."""
    rule = reading.criteria.lbbb
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why)
    basis = f"QRS {reading.m.qrs_ms:.0f} ms (limit {rule.qrs_from_ms:g})"
    other = some(v.holds for v in specific)
    if reading.m.qrs_ms < rule.qrs_from_ms or other is True:
        return Verdict(holds=False, basis=basis, rows=("lbbb",))
    if other is None:
        return Verdict(holds=None, why=first_reason(specific), basis=basis, rows=("lbbb",))
    return Verdict(holds=True, basis=basis, rows=("lbbb",))


def gate(block: Verdict, pacing: Verdict) -> Verdict:
    """Return whether left bundle branch block or pacing keeps ordinary ST criteria out."""
    if block.holds is True:
        return Verdict(holds=True, basis="left bundle branch block", flags=("lbbb",))
    if pacing.holds is True:
        return Verdict(holds=True, basis="ventricular paced rhythm", flags=("paced",))
    if None in (block.holds, pacing.holds):
        return Verdict(holds=None, why=first_reason((block, pacing)))
    flags = tuple(f for f in block.flags if f == "borderline")
    return Verdict(holds=False, flags=("lbbb-borderline",) if flags else ())


def _lbbb_shape(reading: Reading) -> Verdict:
    rule = reading.criteria.lbbb
    negative = reading.lead(rule.negative_lead)
    q_leads = [reading.lead(name) for name in rule.no_q_leads]
    peaks = [reading.lead(name) for name in rule.r_peak_leads]
    signs: list[bool | None] = [
        None if isinstance(negative, NotAssessed) else not upright(negative),
        every(
            None
            if isinstance(m, NotAssessed)
            else not upright(m) or -m.q_mv < rule.q_visible.from_mv
            for m in q_leads
        ),
        at_least(
            (
                None
                if isinstance(m, NotAssessed)
                else upright(m) and r_peak_ms(reading, m) > rule.r_peak_above_ms
                for m in peaks
            ),
            rule.r_peak_leads_needed.count,
        ),
    ]
    holds = every(signs)
    if holds is None:
        reason = next(m for m in (negative, *q_leads, *peaks) if isinstance(m, NotAssessed))
        return Verdict(holds=None, why=reason)
    names = (
        f"{rule.negative_lead} mainly negative",
        "no Q in " + ", ".join(rule.no_q_leads),
        "late R peak in " + ", ".join(rule.r_peak_leads),
    )
    words = (f"{name}: {'yes' if sign else 'no'}" for name, sign in zip(names, signs, strict=True))
    return Verdict(holds=holds, basis="; ".join(words))


def _right(reading: Reading, left: Verdict, *, from_ms: float, below_ms: float | None) -> Verdict:
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why)
    if left.holds is True:
        return Verdict(holds=False, basis="left bundle branch block", rows=(_RIGHT,))
    qrs = reading.m.qrs_ms
    shape = _rbbb_shape(reading)

    def at(shift_ms: float) -> Verdict:
        inside = qrs >= from_ms + shift_ms and (below_ms is None or qrs < below_ms + shift_ms)
        holds = every((inside, shape.holds))
        basis = f"QRS {qrs:.0f} ms (limit {from_ms:g}); {shape.basis}"
        if holds is None:
            return Verdict(holds=None, why=shape.why, basis=basis, rows=(_RIGHT,))
        return Verdict(holds=holds, basis=basis, rows=(_RIGHT,))

    return with_margin(at, reading.error_ms("qrs"))


def _rbbb_shape(reading: Reading) -> Verdict:
    rule = reading.criteria.rbbb
    rights = [reading.lead(name) for name in rule.r_leads]
    lefts = [reading.lead(name) for name in rule.s_leads]
    late = some(
        None
        if isinstance(m, NotAssessed)
        else last_r_ms(reading, m, rule.r_visible.from_mv) > rule.r_peak_above_ms
        for m in rights
    )
    broad = some(
        None if isinstance(m, NotAssessed) else terminal_s_ms(reading, m) > rule.s_above_ms
        for m in lefts
    )
    holds = every((late, broad))
    if holds is None:
        reason = next(m for m in (*rights, *lefts) if isinstance(m, NotAssessed))
        return Verdict(holds=None, why=reason)
    words = [f"late R in V1-V2: {'yes' if late else 'no'}"]
    words.append(f"broad S in I or V6: {'yes' if broad else 'no'}")
    return Verdict(holds=holds, basis="; ".join(words))


def r_peak_ms(reading: Reading, lead: LeadMeasurement) -> float:
    """Return the time from QRS onset to the highest point of the QRS in one lead, ms."""
    return int(np.argmax(_qrs(reading, lead))) * 1000 / reading.m.sampling_rate_hz


def last_r_ms(reading: Reading, lead: LeadMeasurement, visible_mv: float) -> float:
    """Return the time from QRS onset to the R wave that ends the QRS, ms; 0 without one.

    That is the R' of rSR', or the last top of a notched R: a peak of at least `visible_mv` with no
    wave as deep behind it.
    """
    wave = _qrs(reading, lead)
    inner = wave[1:-1]
    tops = np.flatnonzero((inner >= wave[:-2]) & (inner > wave[2:]) & (inner >= visible_mv)) + 1
    last = int(tops.max(initial=0))
    if last == 0 or wave[last:].min() <= min(float(wave[-1]), 0.0) - visible_mv:
        return 0.0
    return last * 1000 / reading.m.sampling_rate_hz


def terminal_s_ms(reading: Reading, lead: LeadMeasurement) -> float:
    """Return how long the last negative wave of the QRS lasts in one lead, ms; 0 without one.

    The wave is the run of samples below zero that holds the deepest point after the R peak.
    """
    wave = _qrs(reading, lead)
    after = int(np.argmax(wave))
    deepest = after + int(np.argmin(wave[after:]))
    if wave[deepest] >= 0:
        return 0.0
    above = np.flatnonzero(wave >= 0)
    start = above[above < deepest].max(initial=-1) + 1
    end = above[above > deepest].min(initial=len(wave))
    return float(end - start) * 1000 / reading.m.sampling_rate_hz


def _qrs(reading: Reading, lead: LeadMeasurement) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    column = reading.m.leads.index(lead.lead)
    points = reading.m.fiducials
    part = reading.m.beat_mv[points.qrs_on : points.qrs_off + 1, column]
    return np.asarray(part, dtype=np.float64)


def _paced_share(reading: Reading) -> float:
    """Return the share of beats with a spike next to the QRS onset."""
    rule, m = reading.criteria.pacing, reading.m
    if not len(m.r_peaks) or not len(m.pacing_spikes):
        return 0.0
    onset = m.r_peaks - (m.fiducials.r - m.fiducials.qrs_on)
    ms = (m.pacing_spikes[None, :] - onset[:, None]) * 1000 / m.sampling_rate_hz
    near = (ms >= -rule.before_qrs_up_to_ms) & (ms <= rule.after_qrs_up_to_ms)
    return float(near.any(axis=1).mean())
