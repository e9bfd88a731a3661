"""Rhythm statements from RR intervals, P waves, ectopic beats and pacing.

Atrial fibrillation needs an irregular rhythm **and** the absence of a repeating P wave; ectopic
beats are left out of the irregularity. What is irregular with P waves may be sinus arrhythmia or
fibrillation taken for P waves: it is called irregular and not classified, and neither sinus rhythm
nor fibrillation is assessed. Atrial flutter and other regular rhythms without a P wave before each
QRS are not told apart: "regular rhythm, not classified".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from knowledge.finding import NotAssessed, Why
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, every, unknown

FLUTTER = "flutter-not-excluded"
"""Flag: a regular rate at which the P wave may be a flutter wave."""


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """Every rhythm statement of one recording.

    Args:
        name: The rhythm in a few words.
    """

    sinus: Verdict
    fibrillation: Verdict
    irregular: Verdict
    ectopy: Verdict
    name: str


def rhythm(reading: Reading, pacing: Verdict) -> Rhythm:
    """Return the rhythm statements; a paced rhythm is not classified further."""
    blocked = reading.blocked("rhythm")
    if blocked is not None:
        return _same(Verdict(holds=None, why=blocked), f"rhythm not assessed: {blocked.detail}")
    if pacing.holds is True:
        detail = "ventricular paced rhythm: the rhythm beneath is not classified"
        return _same(unknown(Why.OUTSIDE_CONTRACT, detail), "ventricular paced rhythm")
    if reading.m.rr_irregularity is None:
        why = reading.not_measured("rr_irregularity")
        return _same(Verdict(holds=None, why=why), f"rhythm not assessed: {why.detail}")
    fibrillation = _fibrillation(reading)
    irregular = _irregular(reading, fibrillation)
    sinus = _sinus(reading, irregular)
    ectopy = _ectopy(reading, fibrillation, irregular)
    return Rhythm(
        sinus=sinus,
        fibrillation=fibrillation,
        irregular=irregular,
        ectopy=ectopy,
        name=_name(reading, sinus, fibrillation, irregular, ectopy),
    )


def with_p_waves(reading: Reading, beats: Rhythm, blocks: Mapping[str, Verdict]) -> Rhythm:
    """Return the rhythm, no longer called fibrillation where a block rests on P waves.

    The P wave of a block has no one place before the QRS: the median beat loses it, and the pauses
    make the rhythm irregular, which together reads as fibrillation. Neither fibrillation nor sinus
    rhythm is assessed then.

    Args:
        reading: The ECG.
        beats: The rhythm by RR intervals and the median P wave.
        blocks: The statements about atrioventricular block, by code.
    """
    shown = [v.basis for v in blocks.values() if v.holds is True]
    if beats.fibrillation.holds is not True or not shown:
        return beats
    detail = f"irregular, but a block shows P waves: {'; '.join(shown)}"
    open_ = unknown(Why.CONFLICTING, detail, rows=beats.fibrillation.rows)
    name = f"irregular rhythm with P waves, {reading.m.heart_rate_per_min:.0f}/min"
    return replace(
        beats, fibrillation=open_, sinus=replace(open_, rows=beats.sinus.rows), name=name
    )


def slow(reading: Reading) -> Verdict:
    """Return whether the heart rate is below the lower limit."""
    limit = reading.criteria.rate.slow_below_per_min
    return _rate(reading, reading.m.heart_rate_per_min < limit, limit)


def fast(reading: Reading) -> Verdict:
    """Return whether the heart rate is above the upper limit."""
    limit = reading.criteria.rate.fast_above_per_min
    return _rate(reading, reading.m.heart_rate_per_min > limit, limit)


def wide_and_fast(reading: Reading) -> Verdict:
    """Return whether a fast rhythm comes with a wide QRS, from wherever it starts."""
    rule, quick = reading.criteria.rate, fast(reading)
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why, rows=("rate",))
    if quick.why is not None:
        return quick
    basis = f"{quick.basis}; QRS {reading.m.qrs_ms:.0f} ms (limit {rule.wide_qrs_from_ms:g})"
    wide = reading.m.qrs_ms >= rule.wide_qrs_from_ms
    return Verdict(holds=every((quick.holds, wide)), basis=basis, rows=("rate",))


def _rate(reading: Reading, holds: bool, limit: float) -> Verdict:
    if (why := reading.blocked("rhythm")) is not None:
        return Verdict(holds=None, why=why, rows=("rate",))
    basis = f"{reading.m.heart_rate_per_min:.0f}/min (limit {limit:g})"
    return Verdict(holds=holds, basis=basis, rows=("rate",))


def _fibrillation(reading: Reading) -> Verdict:
    rule, m = reading.criteria.atrial_fibrillation, reading.m
    rows = ("atrial_fibrillation",)
    irregularity = m.rr_irregularity or 0.0
    basis = f"RR irregularity {irregularity:.2f} (limit {rule.irregularity_above.share:g})"
    if irregularity <= rule.irregularity_above.share:
        return Verdict(holds=False, basis=basis, rows=rows)
    if m.p_wave_share is None:
        return Verdict(holds=None, why=reading.not_measured("p_wave_share"), basis=basis, rows=rows)
    limit = rule.p_wave_share_below.share
    basis += f"; P wave before {m.p_wave_share:.0%} of beats (limit {limit:.0%})"
    if m.p_wave_share < limit:
        return Verdict(holds=True, basis=basis, rows=rows)
    return unknown(Why.CONFLICTING, f"irregular, but with P waves: {basis}", rows=rows)


def _sinus(reading: Reading, irregular: Verdict) -> Verdict:
    rule, m = reading.criteria.sinus, reading.m
    rows = ("sinus",)
    if irregular.holds is True:
        return unknown(Why.CONFLICTING, f"not classified: {irregular.basis}", rows=rows)
    if m.p_wave_share is None:
        return Verdict(holds=None, why=reading.not_measured("p_wave_share"), rows=rows)
    lead = reading.m.of(rule.upright_p_lead)
    if lead is None:
        why = NotAssessed(why=Why.MISSING, detail=f"lead {rule.upright_p_lead} is not recorded")
        return Verdict(holds=None, why=why, rows=rows)
    basis = f"P wave before {m.p_wave_share:.0%} of beats (limit {rule.p_wave_share_from:.0%})"
    if m.p_wave_share < rule.p_wave_share_from or lead.p_mv is None:
        return Verdict(holds=False, basis=basis, rows=rows)
    up = lead.p_mv > 0
    basis += f"; P {'upright' if up else 'not upright'} in {rule.upright_p_lead}"
    verdict = Verdict(holds=up, basis=basis, rows=rows)
    return verdict.flagged(FLUTTER) if up and _may_be_flutter(reading) else verdict


def _may_be_flutter(reading: Reading) -> bool:
    """Return whether the rate is that of flutter with every second wave conducted."""
    slowest, fastest = reading.criteria.flutter.atrial_per_min
    return slowest <= 2 * reading.m.heart_rate_per_min <= fastest


def _irregular(reading: Reading, fibrillation: Verdict) -> Verdict:
    """Return whether RR is irregular beyond ectopy without being shown to be fibrillation."""
    limit = reading.criteria.sinus.ectopy_irregularity_above
    irregularity = reading.m.rr_irregularity or 0.0
    basis = f"RR irregularity {irregularity:.2f} without ectopic beats (limit {limit:g})"
    loose = irregularity > limit and fibrillation.holds is not True
    return Verdict(holds=loose, basis=basis, rows=("sinus",))


def _ectopy(reading: Reading, fibrillation: Verdict, irregular: Verdict) -> Verdict:
    beats = len(reading.m.r_peaks)
    basis = f"{reading.m.ectopic_beats} of {beats} beats early or different in shape"
    if fibrillation.holds is True or irregular.holds is True:
        detail = "in an irregular rhythm early beats cannot be told apart"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=("sinus",))
    return Verdict(holds=reading.m.ectopic_beats > 0, basis=basis, rows=("sinus",))


def _name(
    reading: Reading, sinus: Verdict, fibrillation: Verdict, irregular: Verdict, ectopy: Verdict
) -> str:
    rate = f"{reading.m.heart_rate_per_min:.0f}/min"
    if fibrillation.holds is True:
        return f"atrial fibrillation, {rate}"
    if irregular.holds is True:
        return f"irregular rhythm, not classified, {rate}"
    beats = " with ectopic beats" if ectopy.holds is True else ""
    if sinus.holds is not True:
        return f"regular rhythm{beats}, not classified, {rate}"
    limits = reading.criteria.rate
    if reading.m.heart_rate_per_min < limits.slow_below_per_min:
        return f"sinus bradycardia{beats}, {rate}"
    if reading.m.heart_rate_per_min > limits.fast_above_per_min:
        doubt = " (2:1 flutter not excluded)" if FLUTTER in sinus.flags else ""
        return f"sinus tachycardia{beats}{doubt}, {rate}"
    return f"sinus rhythm{beats}, {rate}"


def _same(verdict: Verdict, name: str) -> Rhythm:
    return Rhythm(sinus=verdict, fibrillation=verdict, irregular=verdict, ectopy=verdict, name=name)
