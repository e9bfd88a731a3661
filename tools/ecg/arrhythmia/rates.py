"""Slow and fast rhythms by kind."""

from knowledge.finding import Why
from tools.ecg.reading import Reading
from tools.ecg.rhythm import FLUTTER, Rhythm, fast, slow
from tools.ecg.verdict import Verdict, every, first_reason, unknown

_ROWS = ("rate",)


def rates(reading: Reading, beats: Rhythm, pacing: Verdict) -> dict[str, Verdict]:
    """Return the kinds of slow and fast rhythm, by code."""
    low, high = slow(reading), fast(reading)
    no_p = _without_p(reading, beats, pacing)
    return {
        "sinus-bradycardia": _both(low, beats.sinus),
        "marked-bradycardia": _marked(reading),
        "slow-rhythm-without-p": _both(low, no_p),
        "sinus-tachycardia": _both(high, beats.sinus),
        "narrow-tachycardia-without-p": _both(high, no_p, _narrow(reading)),
    }


def _marked(reading: Reading) -> Verdict:
    limit = reading.criteria.rate_kinds.marked_slow_below_per_min
    if (why := reading.blocked("rhythm")) is not None:
        return Verdict(holds=None, why=why, rows=("rate_kinds",))
    rate = reading.m.heart_rate_per_min
    basis = f"{rate:.0f}/min (limit {limit:g})"
    return Verdict(holds=rate < limit, basis=basis, rows=("rate_kinds",))


def _without_p(reading: Reading, beats: Rhythm, pacing: Verdict) -> Verdict:
    """Return whether the rhythm is even and has no upright P wave before the QRS in lead II."""
    if (why := reading.blocked("rhythm")) is not None:
        return Verdict(holds=None, why=why)
    if pacing.holds is True:
        return Verdict(holds=False, basis="ventricular paced rhythm")
    share, limit = reading.m.p_wave_share, reading.criteria.atrial_fibrillation.p_wave_share_below
    if share is not None and limit.share <= share < reading.criteria.sinus.p_wave_share_from:
        detail = f"P wave before {share:.0%} of beats: neither there nor gone"
        return unknown(Why.CONFLICTING, detail)
    even = [_negated(beats.irregular), _negated(beats.fibrillation)]
    none = _negated(beats.sinus)
    parts = (*even, none)
    holds = every(v.holds for v in parts)
    basis = f"even rhythm; {none.basis}" if none.basis else "even rhythm"
    if holds is None:
        return Verdict(holds=None, why=first_reason(parts))
    return Verdict(holds=holds, basis=basis)


def _narrow(reading: Reading) -> Verdict:
    limit = reading.criteria.rate.wide_qrs_from_ms
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why)
    basis = f"QRS {reading.m.qrs_ms:.0f} ms (limit {limit:g})"
    return Verdict(holds=reading.m.qrs_ms < limit, basis=basis)


def _negated(verdict: Verdict) -> Verdict:
    if verdict.holds is None:
        return verdict
    return Verdict(holds=not verdict.holds, basis=verdict.basis)


def _both(*parts: Verdict) -> Verdict:
    """Return whether all parts hold, with what led to each."""
    holds = every(part.holds for part in parts)
    basis = "; ".join(part.basis for part in parts if part.basis)
    flags = tuple(f for part in parts for f in part.flags if f == FLUTTER)
    if holds is None:
        return Verdict(holds=None, why=first_reason(parts), rows=_ROWS)
    return Verdict(holds=holds, basis=basis, flags=flags if holds else (), rows=_ROWS)
