"""Electrodes in the wrong place: arm with leg, chest leads out of order, heart on the right.

The exchange of the two arm electrodes is `tools.ecg.electrodes`.
"""

from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from knowledge.finding import NotAssessed, Why
from tools.ecg.electrodes import PROBLEM as REVERSED
from tools.ecg.model import LEADS_12, LeadMeasurement
from tools.ecg.reading import Reading, depth_mv
from tools.ecg.verdict import Verdict, unknown

CHEST = LEADS_12[6:]
LEG = "leg-electrode-reversal"
"""Code of the defect, and of the statement."""
_TAIL_S = 0.20  # QRS and the beginning of T, where no T end was found


def electrode_order(reading: Reading, arms: Verdict) -> dict[str, Verdict]:
    """Return the suspicions of misplaced electrodes, by code.

    Args:
        reading: The ECG.
        arms: Whether the arm electrodes look exchanged.
    """
    return {
        LEG: leg_electrode(reading),
        "chest-lead-order": chest_order(reading),
        "dextrocardia": dextrocardia(reading, arms),
    }


def leg_electrode(reading: Reading) -> Verdict:
    """Return whether one of I, II, III is almost flat, as between two leg electrodes.

    An arm electrode exchanged with that of the right leg puts both ends of one lead on the legs.
    """
    rule, rows = reading.criteria.leg_electrode, ("leg_electrode",)
    heights: dict[str, float] = {}
    for name in LEADS_12[:3]:
        lead = reading.m.of(name)
        why = _other_defect(reading, name)
        if lead is None or why is not None:
            missing = NotAssessed(why=Why.MISSING, detail=f"lead {name} is not recorded")
            return Verdict(holds=None, why=why or missing, rows=rows)
        heights[name] = lead.r_mv + depth_mv(lead)
    smallest = min(heights, key=lambda name: heights[name])
    others = min(value for name, value in heights.items() if name != smallest)
    basis = f"QRS {heights[smallest] * 10:.1f} mm in {smallest}, from {others * 10:.1f} mm beside"
    flat = heights[smallest] < rule.flat_below_mv and others >= rule.others_from_mv
    return Verdict(holds=flat, basis=basis, leads=(smallest,) if flat else (), rows=rows)


def chest_order(reading: Reading) -> Verdict:
    """Return whether exchanging two chest leads makes neighbours much more alike.

    From V1 to V6 the shape changes step by step. V5 and V6 are so alike that their exchange is
    seldom seen.
    """
    rule, rows = reading.criteria.chest_order, ("chest_order",)
    for name in CHEST:
        found = reading.lead(name)
        if isinstance(found, NotAssessed):
            return Verdict(holds=None, why=found, rows=rows)
    if (why := reading.blocked("amplitude")) is not None:
        return Verdict(holds=None, why=why, rows=rows)
    gain, pair = better_order(_shapes(reading))
    basis = f"exchanging {pair[0]} and {pair[1]} makes neighbours {gain:.0%} more alike"
    basis += f" (limit {rule.gain_above.share:.0%})"
    holds = gain > rule.gain_above.share
    return Verdict(holds=holds, basis=basis, leads=pair if holds else (), rows=rows)


def better_order(shapes: NDArray[np.float64]) -> tuple[float, tuple[str, str]]:
    """Return how much the best exchange of two chest leads shortens the way from V1 to V6.

    The way is the sum over neighbours of one minus their correlation; the gain is a share of it.

    Args:
        shapes: (samples, 6) V1 to V6 of the median beat.
    """
    centred = shapes - shapes.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=0), 1e-9)
    apart = 1 - unit.T @ unit
    own = _way(apart, tuple(range(6)))
    best, pair = 0.0, (0, 1)
    for first, second in combinations(range(6), 2):
        order = list(range(6))
        order[first], order[second] = second, first
        gain = 1 - _way(apart, tuple(order)) / own if own > 0 else 0.0
        if gain > best:
            best, pair = float(gain), (first, second)
    return best, (CHEST[pair[0]], CHEST[pair[1]])


def dextrocardia(reading: Reading, arms: Verdict) -> Verdict:
    """Return whether the heart may lie on the right: I upside down, chest leads ever smaller.

    In an exchange of the arms (`arms`) lead I is upside down as well, but V6 is as usual.
    """
    rule, rows = reading.criteria.dextrocardia, ("dextrocardia",)
    if arms.holds is True:
        basis = "V6 as usual: an exchange of the arms explains lead I"
        return Verdict(holds=False, basis=basis, rows=rows)
    found = {name: reading.lead(name) for name in ("I", "aVR", "V1", "V6")}
    for lead in found.values():
        if isinstance(lead, NotAssessed):
            return Verdict(holds=None, why=lead, rows=rows)
    waves = {name: m for name, m in found.items() if isinstance(m, LeadMeasurement)}
    mirrored = _net(waves["I"]) < 0 < _net(waves["aVR"])
    spans = {name: waves[name].r_mv + depth_mv(waves[name]) for name in ("V1", "V6")}
    ratio = spans["V6"] / spans["V1"] if spans["V1"] > 0 else np.inf
    basis = f"QRS of I {'inverted' if mirrored else 'as usual'}; V6 over V1 {ratio:.2f}"
    basis += f" (limit {rule.v6_over_v1_below.share:g})"
    if not mirrored or ratio >= rule.v6_over_v1_below.share:
        return Verdict(holds=False, basis=basis, rows=rows)
    p_wave = waves["I"].p_mv
    if p_wave is None:
        return unknown(Why.CONFLICTING, f"{basis}; no P wave in I to judge by", rows=rows)
    basis += f"; P {'inverted' if p_wave < 0 else 'upright'} in I"
    return Verdict(holds=p_wave < 0, basis=basis, leads=("I", "aVR", "V1", "V6"), rows=rows)


def _net(lead: LeadMeasurement) -> float:
    return lead.r_mv - depth_mv(lead)


def _other_defect(reading: Reading, name: str) -> NotAssessed | None:
    """Return why a lead's height cannot be trusted.

    That it is flat is what is asked here, and lead I may be upside down in this exchange as well.
    """
    if reading.recording.gain_doubt is not None:
        return reading.blocked("amplitude")
    flat = {"flat-lead", "implausible-gain", REVERSED, LEG}
    for problem in reading.m.problems:
        concerns = not problem.leads or name in problem.leads
        if concerns and problem.code not in flat and set(problem.blocks) & {"amplitude", "all"}:
            return NotAssessed(why=Why.QUALITY, detail=f"{problem.code}: {problem.detail}")
    return None


def _shapes(reading: Reading) -> NDArray[np.float64]:
    m = reading.m
    end = m.fiducials.t_off or m.fiducials.qrs_off + int(_TAIL_S * m.sampling_rate_hz)
    columns = [m.leads.index(name) for name in CHEST]
    return np.asarray(m.beat_mv[m.fiducials.qrs_on : end, columns], dtype=np.float64)


def _way(apart: NDArray[np.float64], order: tuple[int, ...]) -> float:
    return float(sum(apart[a, b] for a, b in pairwise(order)))
