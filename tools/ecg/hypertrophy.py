"""Voltage: left ventricular hypertrophy, low voltage, and pathological Q waves."""

from dataclasses import replace
from itertools import combinations

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call, contiguous, deciding, open_call, words
from tools.ecg.model import LEADS_12
from tools.ecg.reading import Reading, depth_mv, mm
from tools.ecg.verdict import Verdict, every, first_reason, some, unknown, with_margin

_LIMB, _CHEST = LEADS_12[:6], LEADS_12[6:]


def lvh(reading: Reading, gate: Verdict) -> Verdict:
    """Return whether voltages meet Sokolow-Lyon, Cornell or the R wave in aVL: any one.

    The Cornell limit depends on the sex: where that is unknown and the sum lies between the two
    limits, it is not assessed. Behind left bundle branch block or pacing voltages mean something
    else.
    """
    if gate.holds is True:
        return unknown(
            Why.OUTSIDE_CONTRACT, f"{gate.basis}: voltage criteria do not apply", rows=("lvh",)
        )
    return _any((_sokolow(reading), _cornell(reading), _r_avl(reading)), "lvh")


def low_voltage(reading: Reading) -> Verdict:
    """Return whether QRS is low from peak to peak in all limb leads or all chest leads."""
    rule = reading.criteria.low_voltage

    def at(shift_mv: float) -> Verdict:
        parts = (
            _all_below(reading, _LIMB, rule.limb_below_mv + shift_mv),
            _all_below(reading, _CHEST, rule.chest_below_mv + shift_mv),
        )
        return _any(parts, "low_voltage")

    return with_margin(at, reading.st_error_mv)


def low_voltage_in(reading: Reading, leads: tuple[str, ...]) -> Verdict:
    """Return whether QRS is low from peak to peak in all limb leads, or in all chest leads.

    Args:
        reading: The ECG.
        leads: The six limb leads or the six chest leads.
    """
    rule = reading.criteria.low_voltage
    limit = rule.limb_below_mv if leads == _LIMB else rule.chest_below_mv

    def at(shift_mv: float) -> Verdict:
        return replace(_all_below(reading, leads, limit + shift_mv), rows=("low_voltage",))

    return with_margin(at, reading.st_error_mv)


def pathological_q(reading: Reading, gate: Verdict) -> Verdict:
    """Return whether Q waves of an infarction stand in two leads of one region, or in V2-V3.

    A QS complex counts as a Q wave. Behind left bundle branch block or pacing they mean something
    else.
    """
    rule = reading.criteria.q_waves
    if gate.holds is True:
        detail = f"{gate.basis}: Q-wave criteria do not apply"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=("q_waves",))
    calls = {name: _q_call(reading, name) for name in LEADS_12}
    sets = [
        pair for group in rule.groups for pair in combinations(group, 2) if set(pair) <= set(calls)
    ]
    holds = contiguous(calls, sets)
    if holds is None:
        opened = open_call(calls, sets)
        why = opened.why if opened and opened.why else NotAssessed(why=Why.MISSING, detail="")
        return Verdict(holds=None, why=why, rows=("q_waves",))
    leads = deciding(calls, sets)
    return Verdict(holds=holds, basis=words(calls, leads), leads=leads, rows=("q_waves",))


def _any(parts: tuple[Verdict, ...], row: str) -> Verdict:
    holds = some(part.holds for part in parts)
    basis = "; ".join(part.basis for part in parts if part.basis)
    if holds is None:
        return Verdict(holds=None, why=first_reason(parts), basis=basis, rows=(row,))
    leads = tuple(name for part in parts if part.holds for name in part.leads)
    return Verdict(holds=holds, basis=basis, leads=leads, rows=(row,))


def _q_call(reading: Reading, name: str) -> Call:
    rule, found = reading.criteria.q_waves, reading.lead(name)
    if isinstance(found, NotAssessed):
        return Call(lead=name, holds=None, words=f"{name} {found.detail}", why=found)
    qs = found.r_mv == 0 and depth_mv(found) >= rule.other_from_mv
    if name in ("V2", "V3"):
        wide = (found.q_ms or 0.0) >= rule.leads_v2_v3_from_ms
    else:
        wide = (found.q_ms or 0.0) >= rule.other_from_ms and -found.q_mv >= rule.other_from_mv
    shape = "QS" if qs else f"Q {found.q_ms or 0:.0f} ms"
    return Call(lead=name, holds=qs or wide, words=f"{name} {shape} {mm(found.q_mv)}")


def _sokolow(reading: Reading) -> Verdict:
    rule = reading.criteria.lvh
    v1, laterals = reading.lead("V1"), (reading.lead("V5"), reading.lead("V6"))
    if isinstance(v1, NotAssessed):
        return Verdict(holds=None, why=v1)
    known = [m for m in laterals if not isinstance(m, NotAssessed)]
    total = depth_mv(v1) + max((m.r_mv for m in known), default=0.0)
    basis = f"SV1 + R {total * 10:.1f} mm (limit {rule.sokolow_from_mv * 10:g})"
    if total >= rule.sokolow_from_mv:
        return Verdict(holds=True, basis=basis, leads=("V1", "V5", "V6"))
    why = next((m for m in laterals if isinstance(m, NotAssessed)), None)
    if why is not None:
        return Verdict(holds=None, why=why, basis=basis)
    return Verdict(holds=False, basis=basis)


def _cornell(reading: Reading) -> Verdict:
    rule = reading.criteria.lvh
    v3, avl = reading.lead("V3"), reading.lead("aVL")
    if isinstance(v3, NotAssessed):
        return Verdict(holds=None, why=v3)
    if isinstance(avl, NotAssessed):
        return Verdict(holds=None, why=avl)
    total = depth_mv(v3) + avl.r_mv
    limits = sorted({rule.cornell_above_mv[sex] for sex in reading.sexes})
    shown = " to ".join(f"{limit * 10:g}" for limit in limits)
    basis = f"SV3 + RaVL {total * 10:.1f} mm (limit {shown})"
    if total > limits[-1]:
        return Verdict(holds=True, basis=basis, leads=("V3", "aVL"))
    if total <= limits[0]:
        return Verdict(holds=False, basis=basis)
    return Verdict(holds=None, why=reading.missing_patient_facts(), basis=basis)


def _r_avl(reading: Reading) -> Verdict:
    rule, avl = reading.criteria.lvh, reading.lead("aVL")
    if isinstance(avl, NotAssessed):
        return Verdict(holds=None, why=avl)
    basis = f"RaVL {avl.r_mv * 10:.1f} mm (limit {rule.r_avl_above_mv * 10:g})"
    return Verdict(holds=avl.r_mv > rule.r_avl_above_mv, basis=basis, leads=("aVL",))


def _all_below(reading: Reading, leads: tuple[str, ...], limit_mv: float) -> Verdict:
    found = [reading.lead(name) for name in leads]
    heights = [m.r_mv + depth_mv(m) for m in found if not isinstance(m, NotAssessed)]
    holds = every(
        None if isinstance(m, NotAssessed) else m.r_mv + depth_mv(m) < limit_mv for m in found
    )
    basis = f"{leads[0]}-{leads[-1]} largest QRS {max(heights, default=0) * 10:.1f} mm"
    basis += f" (limit {limit_mv * 10:.3g})"
    if holds is None:
        why = next(m for m in found if isinstance(m, NotAssessed))
        return Verdict(holds=None, why=why, basis=basis)
    return Verdict(holds=holds, basis=basis, leads=leads if holds else ())
