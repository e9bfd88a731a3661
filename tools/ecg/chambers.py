"""Right ventricular hypertrophy, atrial enlargement, low voltage by region."""

from knowledge.finding import NotAssessed, Why
from tools.ecg.hypertrophy import low_voltage_in
from tools.ecg.model import LEADS_12
from tools.ecg.p_wave import p_wave
from tools.ecg.reading import Reading, depth_mv
from tools.ecg.verdict import Verdict, every, first_reason, some, unknown

_LIMB, _CHEST = LEADS_12[:6], LEADS_12[6:]
_RVH, _ATRIA = ("rvh",), ("atria",)


def chambers(
    reading: Reading, *, gate: Verdict, right: Verdict, ventricular_pacing: Verdict
) -> dict[str, Verdict]:
    """Return the statements about chambers and voltage, by code.

    Args:
        reading: The ECG.
        gate: Whether left bundle branch block or pacing shapes the QRS.
        right: Whether there is a complete right bundle branch block.
        ventricular_pacing: Whether the ventricles are paced.
    """
    return {
        "rvh": rvh(reading, gate, right),
        "left-atrial-enlargement": left_atrium(reading, ventricular_pacing),
        "right-atrial-enlargement": right_atrium(reading, ventricular_pacing),
        "low-voltage-limb": low_voltage_in(reading, _LIMB),
        "low-voltage-chest": low_voltage_in(reading, _CHEST),
    }


def rvh(reading: Reading, gate: Verdict, right: Verdict) -> Verdict:
    """Return whether R is tall in V1, the axis right, and S deep in V5 or V6: all three."""
    rule = reading.criteria.rvh
    for block, words in ((gate, gate.basis), (right, "right bundle branch block")):
        if block.holds is True:
            detail = f"{words}: voltage criteria do not apply"
            return unknown(Why.OUTSIDE_CONTRACT, detail, rows=_RVH)
    parts = (_tall_v1(reading), _right_axis(reading), _deep_lateral(reading))
    holds = every(part.holds for part in parts)
    basis = "; ".join(part.basis for part in parts if part.basis)
    if holds is None or (holds is True and None in (gate.holds, right.holds)):
        why = first_reason((*parts, gate, right))
        return Verdict(holds=None, why=why, basis=basis, rows=_RVH)
    leads = ("V1", "V5", "V6") if holds else ()
    limit = f"axis limit {rule.axis_from_deg:g} deg"
    return Verdict(holds=holds, basis=f"{basis} ({limit})", leads=leads, rows=_RVH)


def left_atrium(reading: Reading, pacing: Verdict) -> Verdict:
    """Return whether the P wave is long and notched, or its end deep and long in V1: either."""
    rule, refused = reading.criteria.atria, _atrial_refusal(reading, pacing)
    if refused is not None:
        return refused
    wave = p_wave(reading.m, notch_visible_mv=rule.notch_visible.from_mv)
    if wave is None:
        return Verdict(holds=None, why=reading.not_measured("pr_ms"), rows=_ATRIA)
    notched = wave.notch_ms is not None and wave.notch_ms >= rule.notch_apart.from_ms
    long = wave.duration_ms >= rule.p_from_ms and notched
    v1 = reading.lead("V1")
    force = wave.v1_terminal_mm_ms
    deep = (
        None
        if isinstance(v1, NotAssessed) or force is None
        else (force >= rule.v1_terminal_from_mm_ms)
    )
    two = reading.lead("II")
    broad = None if isinstance(two, NotAssessed) else long
    basis = f"P {wave.duration_ms:.0f} ms (limit {rule.p_from_ms:g}), "
    basis += "not notched" if wave.notch_ms is None else f"tops {wave.notch_ms:.0f} ms apart"
    if force is not None and deep is not None:
        basis += f"; end of P in V1 {force:.0f} mm ms (limit {rule.v1_terminal_from_mm_ms:g})"
    holds = some((broad, deep))
    if holds is None:
        why = next(m for m in (two, v1) if isinstance(m, NotAssessed))
        return Verdict(holds=None, why=why, basis=basis, rows=_ATRIA)
    leads = tuple(n for n, yes in (("II", broad), ("V1", deep)) if yes)
    return Verdict(holds=holds, basis=basis, leads=leads, rows=_ATRIA)


def right_atrium(reading: Reading, pacing: Verdict) -> Verdict:
    """Return whether the P wave is tall in II or V1: either."""
    rule, refused = reading.criteria.atria, _atrial_refusal(reading, pacing)
    if refused is not None:
        return refused
    limits = {"II": rule.p_ii_above_mv, "V1": rule.p_v1_above_mv}
    signs: dict[str, bool | None] = {}
    words, reasons = [], []
    for name, limit in limits.items():
        lead = reading.lead(name)
        if isinstance(lead, NotAssessed):
            signs[name] = None
            reasons.append(lead)
        elif lead.p_mv is None:
            return Verdict(holds=None, why=reading.not_measured("pr_ms"), rows=_ATRIA)
        else:
            signs[name] = lead.p_mv > limit
            words.append(f"P {lead.p_mv * 10:.1f} mm in {name} (limit {limit * 10:g})")
    holds = some(signs.values())
    basis = "; ".join(words)
    if holds is None:
        return Verdict(holds=None, why=reasons[0], basis=basis, rows=_ATRIA)
    leads = tuple(name for name, yes in signs.items() if yes)
    return Verdict(holds=holds, basis=basis, leads=leads, rows=_ATRIA)


def _atrial_refusal(reading: Reading, pacing: Verdict) -> Verdict | None:
    why = reading.blocked("amplitude") or reading.blocked("timing")
    if why is not None:
        return Verdict(holds=None, why=why, rows=_ATRIA)
    if pacing.holds is True:
        return unknown(Why.OUTSIDE_CONTRACT, "ventricular paced rhythm", rows=_ATRIA)
    if reading.m.pr_ms is None:
        return Verdict(holds=None, why=reading.not_measured("pr_ms"), rows=_ATRIA)
    return None


def _tall_v1(reading: Reading) -> Verdict:
    rule, lead = reading.criteria.rvh, reading.lead("V1")
    if isinstance(lead, NotAssessed):
        return Verdict(holds=None, why=lead)
    depth = depth_mv(lead)
    tall = lead.r_mv >= rule.r_v1_from_mv or lead.r_mv > rule.r_over_s_v1_above * depth
    basis = f"V1 R {lead.r_mv * 10:.1f}, S {depth * 10:.1f} mm (limit R {rule.r_v1_from_mv * 10:g} "
    return Verdict(holds=tall, basis=f"{basis}or R/S above {rule.r_over_s_v1_above:g})")


def _right_axis(reading: Reading) -> Verdict:
    degrees = reading.axis()
    if isinstance(degrees, NotAssessed):
        return Verdict(holds=None, why=degrees)
    holds = degrees >= reading.criteria.rvh.axis_from_deg
    return Verdict(holds=holds, basis=f"axis {degrees:.0f} deg")


def _deep_lateral(reading: Reading) -> Verdict:
    rule = reading.criteria.rvh
    limits = {"V5": rule.s_v5_above.from_mv, "V6": rule.s_v6_above.from_mv}
    signs: list[bool | None] = []
    words, reasons = [], []
    for name, limit in limits.items():
        lead = reading.lead(name)
        if isinstance(lead, NotAssessed):
            signs.append(None)
            reasons.append(lead)
            continue
        depth = depth_mv(lead)
        signs.append(depth >= limit)
        words.append(f"S {depth * 10:.1f} mm in {name} (limit {limit * 10:g})")
    holds = some(signs)
    if holds is None:
        return Verdict(holds=None, why=reasons[0], basis=", ".join(words))
    return Verdict(holds=holds, basis=", ".join(words))
