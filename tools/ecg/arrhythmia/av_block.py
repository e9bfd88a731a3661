"""Atrioventricular block: first degree, second degree by type, suspicion of the third degree.

Second and third degree rest on single P waves between the QRS complexes. One in a QRS or T wave is
not seen: 2:1 block at a fast atrial rate may be missed, and "absent" does not exclude an
intermittent block outside the recording.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.finding import NotAssessed, Why
from tools.ecg.arrhythmia.atrial import Waves, bumps, even_train, like, p_seed
from tools.ecg.intervals import prolonged_pr
from tools.ecg.reading import Reading
from tools.ecg.rhythm import Rhythm
from tools.ecg.verdict import Verdict, every, unknown

AGAINST_FIBRILLATION = "even-p-waves-against-fibrillation"
"""Flag: the rhythm reads as atrial fibrillation, but P waves come evenly: read it by eye."""

DISSOCIATED = "P and QRS look independent: there is no PR interval"

_ROWS = ("av_block",)
_CLEAR_ALIKE, _CLEAR_SIZE = 0.90, 1.5  # cosine over the leads, and ratio of sizes
_NEARLY_ALL = 0.9
_ATRIAL_S = (0.40, 1.50)  # P-P intervals looked at in third-degree block: 40 to 150 a minute


@dataclass(frozen=True, kw_only=True, eq=False)
class PWaves:
    """P waves by their tops and what followed, all times in s.

    Args:
        at: (waves,) tops.
        pr: (waves,) from each top to the QRS onset it conducts to; NaN where it conducts to none.
        clear: (waves,) whether each has nearly the shape and size of the P wave before the QRS.
        found: Share of the QRS complexes with a P wave before them.
    """

    at: NDArray[np.float64]
    pr: NDArray[np.float64]
    clear: NDArray[np.bool_]
    found: float


def av_block(reading: Reading, beats: Rhythm, pacing: Verdict) -> dict[str, Verdict]:
    """Return the statements about atrioventricular block, by code."""
    second = {
        code: Verdict(holds=None, why=why, rows=_ROWS)
        for code in ("av-block-2-type-1", "av-block-2-type-2", "av-block-2-to-1")
        if (why := _refused(reading, beats, pacing)) is not None
    }
    waves = None if second else p_waves(reading)
    if not second:
        second = _second(reading, waves)
        if beats.fibrillation.holds is True:
            second = {
                code: v.flagged(AGAINST_FIBRILLATION) if v.holds is True else v
                for code, v in second.items()
            }
    third = _third(reading, beats, pacing)
    blocked = (*second.values(), third)
    return {"av-block-1": _first(reading, blocked, beats, pacing), **second, "av-block-3": third}


def without_pr(
    resting_on_pr: Mapping[str, Verdict], blocks: Mapping[str, Verdict]
) -> dict[str, Verdict]:
    """Return statements that rest on PR: not assessed where P and QRS look independent.

    Args:
        resting_on_pr: The statements, by code.
        blocks: The statements about atrioventricular block, by code.
    """
    if blocks["av-block-3"].holds is not True:
        return dict(resting_on_pr)
    return {
        code: unknown(Why.OUTSIDE_CONTRACT, DISSOCIATED, rows=verdict.rows)
        for code, verdict in resting_on_pr.items()
    }


def p_waves(reading: Reading) -> PWaves | None:
    """Return the P waves that look like that of the median beat, or None without one.

    Where the P wave has no one place before the QRS, the median beat has none to show: an even
    train of like waves is taken then.
    """
    m, rule = reading.m, reading.criteria.av_block
    seen = bumps(m)
    seed = p_seed(m)
    if (train := even_p(reading)) is not None and (seed is None or _unlocked(reading)):
        seed = train.vector
    if seed is None:
        return None
    at = like(seen, seed)
    clear = np.isin(at, like(seen, seed, alike=_CLEAR_ALIKE, size=_CLEAR_SIZE))
    clear &= ~_in_t(reading, at)
    onset = (m.r_peaks - (m.fiducials.r - m.fiducials.qrs_on)) / m.sampling_rate_hz
    pr = np.full(len(at), np.nan)
    for k, top in enumerate(at):
        later = onset[onset > top]
        if len(later) == 0:
            continue
        nearest = k + 1 == len(at) or at[k + 1] > later[0]
        if nearest and later[0] - top <= rule.conducted.up_to_ms / 1000:
            pr[k] = later[0] - top
    reached = onset[onset > 0.5]
    share = float(np.isfinite(pr).sum() / len(reached)) if len(reached) else 0.0
    return PWaves(at=at, pr=pr, clear=clear, found=min(share, 1.0))


def even_p(reading: Reading) -> Waves | None:
    """Return an even train of like waves at the rate of atria that no fibrillation would give."""
    rule = reading.criteria.av_block
    train = even_train(bumps(reading.m), shortest_s=_ATRIAL_S[0], longest_s=_ATRIAL_S[1])
    if train is None or train.regularity < rule.train_regularity.share:
        return None
    return train if train.covered >= rule.train_covered.share else None


def _unlocked(reading: Reading) -> bool:
    """Return whether the P wave keeps to no one place before the QRS."""
    share = reading.m.p_wave_share
    return share is None or share < reading.criteria.atrial_fibrillation.p_wave_share_below.share


def _in_t(reading: Reading, at: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return (waves,) whether each stands where the T wave of the beat before it is."""
    m = reading.m
    end = m.fiducials.t_off or m.fiducials.qrs_off
    peaks = m.r_peaks / m.sampling_rate_hz
    since = at[:, None] - peaks[None, :]
    last = np.where(since >= 0, since, np.inf).min(axis=1)
    return np.asarray(last <= (end - m.fiducials.r) / m.sampling_rate_hz)


def _refused(reading: Reading, beats: Rhythm, pacing: Verdict) -> NotAssessed | None:
    why = reading.blocked("rhythm", "timing")
    if why is not None:
        return why
    if pacing.holds is True:
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail="ventricular paced rhythm")
    if beats.fibrillation.holds is True and even_p(reading) is None:
        detail = "atrial fibrillation has no P wave to be blocked"
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)
    return None


def _second(reading: Reading, waves: PWaves | None) -> dict[str, Verdict]:
    codes = ("av-block-2-type-1", "av-block-2-type-2", "av-block-2-to-1")
    rule = reading.criteria.av_block
    if waves is None:
        verdict = Verdict(holds=None, why=reading.not_measured("pr_ms"), rows=_ROWS)
        return dict.fromkeys(codes, verdict)
    if waves.found < rule.p_found.share:
        detail = f"P waves found before only {waves.found:.0%} of QRS complexes"
        return dict.fromkeys(codes, unknown(Why.QUALITY, detail, rows=_ROWS))
    dropped = _dropped(reading, waves)
    alternating = _alternates(waves, dropped, rule.two_to_one.count)
    if not alternating:
        dropped = [k for k in dropped if _paused(reading, waves, k)]
    basis = f"{len(dropped)} P waves on the beat without a QRS, of {len(waves.at)}"
    none = Verdict(holds=False, basis=basis, rows=_ROWS)
    found = dict.fromkeys(codes, none)
    if not dropped:
        return found
    held = Verdict(holds=True, basis=basis, rows=_ROWS)
    if alternating:
        same = Verdict(
            holds=None,
            why=NotAssessed(
                why=Why.CONFLICTING, detail="2:1 conduction is neither type 1 nor type 2 by itself"
            ),
            rows=_ROWS,
        )
        return {codes[0]: same, codes[1]: same, codes[2]: held}
    steps = [_step_ms(waves, k) for k in dropped]
    known = [step for step in steps if step is not None]
    if any(step >= rule.pr_grows.from_ms for step in known):
        found[codes[0]] = held
    elif known and all(abs(step) <= rule.pr_same.within_ms for step in known):
        found[codes[1]] = held
    else:
        detail = f"{basis}; the PR intervals around them could not be compared"
        open_ = unknown(Why.CONFLICTING, detail, rows=_ROWS)
        found |= {codes[0]: open_, codes[1]: open_}
    return found


def _dropped(reading: Reading, waves: PWaves) -> list[int]:
    """Return the P waves without a QRS that stand where the even P rhythm wants one."""
    share = reading.criteria.av_block.p_even.share
    found = []
    for k in np.flatnonzero(np.isnan(waves.pr)):
        if not 0 < k < len(waves.at) - 1:
            continue
        before, after = waves.at[k] - waves.at[k - 1], waves.at[k + 1] - waves.at[k]
        even = abs(after - before) <= share * (before + after) / 2
        neighbours = np.isfinite(waves.pr[[k - 1, k + 1]]).all()
        if even and neighbours and waves.clear[k]:
            found.append(int(k))
    return found


def _paused(reading: Reading, waves: PWaves, k: int) -> bool:
    """Return whether the RR interval around a P wave is long: a U wave makes no pause."""
    m, rule = reading.m, reading.criteria.av_block
    at = m.r_peaks / m.sampling_rate_hz
    place = int(np.searchsorted(at, waves.at[k]))
    if not 0 < place < len(at):
        return False
    return bool(m.rr_ms[place - 1] >= rule.pause.share * m.rr_ms.min())


def _alternates(waves: PWaves, dropped: list[int], needed: int) -> bool:
    """Return whether every second P wave is dropped, at least `needed` of them and nearly all."""
    steps = np.diff(dropped)
    nearly_all = len(dropped) >= _NEARLY_ALL * (len(waves.at) // 2 - 1)
    return len(dropped) >= needed and nearly_all and bool((steps == 2).all())


def _step_ms(waves: PWaves, k: int) -> float | None:
    """Return how much longer PR is before a dropped beat than after it, ms."""
    before, after = waves.pr[k - 1], waves.pr[k + 1]
    return None if np.isnan([before, after]).any() else float(before - after) * 1000


def _third(reading: Reading, beats: Rhythm, pacing: Verdict) -> Verdict:
    """Return whether atria and ventricles look independent: both even, the atria faster."""
    rule, m = reading.criteria.av_block, reading.m
    if (why := _refused(reading, beats, pacing)) is not None:
        return Verdict(holds=None, why=why, rows=_ROWS)
    ventricular = m.heart_rate_per_min
    if beats.irregular.holds is True:
        return Verdict(holds=False, basis="ventricular rhythm irregular", rows=_ROWS)
    if beats.sinus.holds is True:
        basis = "a P wave at one distance before the QRS complexes"
        return Verdict(holds=False, basis=basis, rows=_ROWS)
    if ventricular > reading.criteria.rate.fast_above_per_min:
        basis = f"ventricular rate {ventricular:.0f}/min"
        return Verdict(holds=False, basis=basis, rows=_ROWS)
    train = even_train(bumps(m), shortest_s=_ATRIAL_S[0], longest_s=_ATRIAL_S[1])
    even = train is not None and (
        train.regularity >= rule.third_regularity.share
        and train.covered >= rule.third_covered.share
    )
    if train is None or not even:
        detail = "no P wave tied to the QRS, and no even P rhythm seen beside it"
        return unknown(Why.QUALITY, detail, rows=_ROWS)
    basis = f"atria {train.rate_per_min:.0f}/min, ventricles {ventricular:.0f}/min"
    faster = train.rate_per_min > ventricular * (1 + rule.third_rates_apart.share)
    loose = _locked(reading, train) < rule.third_phase.share
    return Verdict(holds=every((faster, loose)), basis=basis, rows=_ROWS)


def _locked(reading: Reading, train: Waves) -> float:
    """Return 0 to 1: how much the QRS complexes keep to one phase of the P rhythm."""
    at = reading.m.r_peaks / reading.m.sampling_rate_hz
    return float(np.abs(np.exp(2j * np.pi * at / train.period_s).mean()))


def _first(
    reading: Reading, blocked: tuple[Verdict, ...], beats: Rhythm, pacing: Verdict
) -> Verdict:
    """Return whether every P wave conducts, late: first-degree block."""
    if (why := _refused(reading, beats, pacing)) is not None:
        return Verdict(holds=None, why=why, rows=("pr",))
    if beats.irregular.holds is True:
        detail = f"irregular rhythm: {beats.irregular.basis}"
        return unknown(Why.CONFLICTING, detail, rows=("pr",))
    long = prolonged_pr(reading)
    if any(v.holds is True for v in blocked) and long.holds is not None:
        independent = blocked[-1].holds is True
        basis = DISSOCIATED if independent else f"{long.basis}; block of a higher degree"
        return Verdict(holds=False, basis=basis, rows=("pr",))
    return long
