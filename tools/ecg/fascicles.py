"""Blocks of the fascicles of the left bundle, alone or with a right bundle branch block."""

from knowledge.finding import NotAssessed, Why
from tools.ecg.conduction import r_peak_ms
from tools.ecg.model import LeadMeasurement
from tools.ecg.reading import Reading, depth_mv, upright
from tools.ecg.verdict import Verdict, every, first_reason, some, unknown, with_margin

_ROWS = ("fascicular",)


def fascicles(reading: Reading, right: Verdict, gate: Verdict) -> dict[str, Verdict]:
    """Return the fascicular blocks and the bifascicular block, by code.

    Args:
        reading: The ECG.
        right: Whether there is a complete right bundle branch block.
        gate: Whether left bundle branch block or pacing shapes the QRS.
    """
    codes = ("left-anterior-fascicular-block", "left-posterior-fascicular-block")
    if gate.holds is not False:
        verdict = (
            Verdict(holds=None, why=first_reason((gate,)), rows=_ROWS)
            if gate.holds is None
            else unknown(Why.OUTSIDE_CONTRACT, f"{gate.basis} shapes the QRS", rows=_ROWS)
        )
        return dict.fromkeys((*codes, "bifascicular-block"), verdict)
    anterior, posterior = _anterior(reading), _posterior(reading)
    narrow = _narrow(reading)
    return {
        codes[0]: _all((narrow, anterior)),
        codes[1]: _all((narrow, posterior)),
        "bifascicular-block": _bifascicular(right, anterior, posterior),
    }


def _narrow(reading: Reading) -> Verdict:
    limit = reading.criteria.fascicular.qrs_below_ms
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why)
    basis = f"QRS {reading.m.qrs_ms:.0f} ms (limit {limit:g})"
    return with_margin(
        lambda shift: Verdict(holds=reading.m.qrs_ms < limit + shift, basis=basis),
        reading.error_ms("qrs"),
    )


def _bifascicular(right: Verdict, anterior: Verdict, posterior: Verdict) -> Verdict:
    fascicle = some((anterior.holds, posterior.holds))
    holds = every((right.holds, fascicle))
    if holds is None:
        why = first_reason((right, anterior, posterior))
        return Verdict(holds=None, why=why, rows=("fascicular", "rbbb"))
    with_it = " and ".join(
        name for name, v in (("anterior", anterior), ("posterior", posterior)) if v.holds
    )
    basis = f"right bundle branch block: {'yes' if right.holds else 'no'}"
    basis += f"; left {with_it} fascicular pattern" if with_it else "; no fascicular pattern"
    return Verdict(holds=holds, basis=basis, rows=("fascicular", "rbbb"))


def _anterior(reading: Reading) -> Verdict:
    """Return whether axis -45 to -90 degrees comes with qR and a late R peak in aVL.

    Where the inferior leads begin with a Q wave an infarction may turn the axis: not assessed.
    """
    rule = reading.criteria.fascicular
    lowest, highest = rule.anterior_axis_deg
    turned = _axis(reading, lowest, highest)
    avl = reading.lead("aVL")
    if turned.holds is not True:
        return turned
    if isinstance(avl, NotAssessed):
        return Verdict(holds=None, why=avl)
    late = r_peak_ms(reading, avl)
    limit = rule.anterior_r_peak_from_ms
    shape = _starts_with_q(reading, avl) and upright(avl)
    basis = (
        f"{turned.basis}; aVL {'qR' if shape else 'no qR'}, R peak at {late:.0f} ms "
        f"(limit {limit:g})"
    )
    inferior = [reading.lead(name) for name in ("II", "III", "aVF")]
    q_waves = [m for m in inferior if not isinstance(m, NotAssessed) and m.q_mv < 0 and m.r_mv == 0]
    if shape and late >= limit and len(q_waves) >= 2:
        detail = f"{basis}; QS in the inferior leads: an infarction may turn the axis"
        return unknown(Why.CONFLICTING, detail)
    return Verdict(holds=shape and late >= limit, basis=basis, leads=("aVL",))


def _posterior(reading: Reading) -> Verdict:
    """Return whether axis +90 to +180 degrees comes with rS in I, aVL and qR in III, aVF."""
    rule = reading.criteria.fascicular
    turned = _axis(reading, *rule.posterior_axis_deg)
    if turned.holds is not True:
        return turned
    found = {name: reading.lead(name) for name in ("I", "aVL", "III", "aVF")}
    missing = [m for m in found.values() if isinstance(m, NotAssessed)]
    if missing:
        return Verdict(holds=None, why=missing[0])
    waves = {name: m for name, m in found.items() if isinstance(m, LeadMeasurement)}
    left = all(waves[n].r_mv > 0 and depth_mv(waves[n]) > waves[n].r_mv for n in ("I", "aVL"))
    down = all(_starts_with_q(reading, waves[n]) and upright(waves[n]) for n in ("III", "aVF"))
    basis = f"{turned.basis}; rS in I and aVL: {'yes' if left else 'no'}"
    basis += f"; qR in III and aVF: {'yes' if down else 'no'}"
    return Verdict(holds=left and down, basis=basis, leads=("I", "aVL", "III", "aVF"))


def _starts_with_q(reading: Reading, lead: LeadMeasurement) -> bool:
    visible = reading.criteria.fascicular.q_visible.from_mv
    return lead.r_mv > 0 and -lead.q_mv >= visible


def _axis(reading: Reading, lowest: float, highest: float) -> Verdict:
    degrees = reading.axis()
    if isinstance(degrees, NotAssessed):
        return Verdict(holds=None, why=degrees)
    basis = f"axis {degrees:.0f} deg (from {lowest:g} to {highest:g})"
    return Verdict(holds=lowest <= degrees <= highest, basis=basis)


def _all(parts: tuple[Verdict, ...]) -> Verdict:
    holds = every(part.holds for part in parts)
    basis = "; ".join(part.basis for part in parts if part.basis)
    flags = tuple(f for part in parts for f in part.flags)
    if holds is None:
        return Verdict(holds=None, why=first_reason(parts), basis=basis, rows=_ROWS)
    leads = tuple(name for part in parts for name in part.leads) if holds else ()
    return Verdict(holds=holds, basis=basis, leads=leads, flags=flags, rows=_ROWS)
