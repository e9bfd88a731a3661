"""Suspicion of atrial flutter: even atrial waves at its rate, seen between the QRS complexes.

With every second wave conducted one of two waves lies in QRS or T: the rate alone raises the doubt,
and flutter is not assessed. Waves at an exact multiple of an even ventricular rate may as well be T
and P waves: not assessed too.
"""

from knowledge.finding import Why
from tools.ecg.arrhythmia.atrial import Waves, bumps, even_train
from tools.ecg.reading import Reading
from tools.ecg.rhythm import FLUTTER, Rhythm
from tools.ecg.verdict import Verdict, unknown

WAVES = "flutter-waves"
"""Flag: ST, T and the beginning of the QRS may be the flutter waves'."""

_ROWS = ("flutter_waves", "flutter")
_EVEN_RR = 0.06  # irregularity of RR below this: one fixed ratio of atrial to ventricular waves


def flutter(reading: Reading, beats: Rhythm, pacing: Verdict) -> Verdict:
    """Return whether atrial flutter is to be suspected."""
    rule, m = reading.criteria.flutter_waves, reading.m
    if (why := reading.blocked("rhythm")) is not None:
        return Verdict(holds=None, why=why, rows=_ROWS)
    if pacing.holds is True:
        return unknown(Why.OUTSIDE_CONTRACT, "ventricular paced rhythm", rows=_ROWS)
    slowest, fastest = reading.criteria.flutter.atrial_per_min
    doubled = 2 * m.heart_rate_per_min
    train = even_train(bumps(m, flutter=True), shortest_s=60 / fastest, longest_s=60 / slowest)
    unexplained = _unexplained(reading, beats, doubled)
    if FLUTTER in beats.sinus.flags or unexplained:
        detail = f"{m.heart_rate_per_min:.0f}/min: flutter with 2:1 conduction cannot be told apart"
        even = train is not None and train.regularity >= rule.regularity.share
        flags = (WAVES,) if even or unexplained else ()
        return unknown(Why.CONFLICTING, detail, rows=_ROWS, flags=flags)
    if train is None:
        basis = "no alike waves between the QRS complexes"
        return Verdict(holds=False, basis=basis, rows=_ROWS)
    basis = (
        f"waves between the QRS complexes at {train.rate_per_min:.0f}/min, "
        f"evenness {train.regularity:.2f} (limit {rule.regularity.share:g}), "
        f"seen at {train.covered:.0%} of their places (limit {rule.covered.share:.0%})"
    )
    seen = train.regularity >= rule.regularity.share and train.covered >= rule.covered.share
    if not seen and not _in_doubt(reading, train):
        return Verdict(holds=False, basis=basis, rows=_ROWS)
    ratio = train.rate_per_min / m.heart_rate_per_min
    fixed = (m.rr_irregularity or 0.0) < _EVEN_RR and m.rr_irregularity is not None
    if fixed and abs(ratio - round(ratio)) <= rule.whole_ratio.share * ratio:
        detail = f"{basis}; {ratio:.1f} times the even ventricular rate: T and P waves may be that"
        return unknown(Why.CONFLICTING, detail, rows=_ROWS)
    if not seen:
        detail = f"{basis}: neither shown nor excluded"
        return unknown(Why.CONFLICTING, detail, rows=_ROWS, flags=(WAVES,))
    return Verdict(holds=True, basis=basis, rows=_ROWS, flags=(WAVES,))


def _in_doubt(reading: Reading, train: Waves) -> bool:
    """Return whether very even waves stand at too few of their places to be called flutter."""
    rule = reading.criteria.flutter_waves
    return (
        train.regularity >= rule.doubt_regularity.share
        and train.covered >= rule.doubt_covered.share
    )


def _unexplained(reading: Reading, beats: Rhythm, doubled: float) -> bool:
    """Return whether an even rhythm without a sinus P wave has half the rate of flutter."""
    slowest, fastest = reading.criteria.flutter.atrial_per_min
    even = beats.irregular.holds is False and beats.fibrillation.holds is False
    return even and beats.sinus.holds is not True and slowest <= doubled <= fastest
