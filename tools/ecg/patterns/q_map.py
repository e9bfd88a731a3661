"""Where pathological Q waves stand, region by region, and their mirror image in V1-V2 (UDMI-4)."""

from itertools import combinations

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.rule import in_any, in_contiguous
from tools.ecg.reading import Reading, depth_mv, mm
from tools.ecg.verdict import Verdict, unknown


def q_waves(reading: Reading, gate: Verdict) -> dict[str, Verdict]:
    """Return for each region, by its code, whether two of its leads show pathological Q waves.

    The limits are those of `q_waves`. Behind left bundle branch block or pacing Q waves mean
    something else. V7-V9 count only where they are recorded.
    """
    return {
        f"q-waves-{name}": _region(reading, gate, name) for name in reading.criteria.q_map.regions
    }


def q_equivalent(reading: Reading, gate: Verdict, rbbb: Verdict) -> Verdict:
    """Return whether V1 or V2 shows a broad R with R/S of at least 1 and an upright T.

    A conduction defect makes a broad R by itself: then it is not assessed.
    """
    rule = reading.criteria.q_equivalent
    if (refusal := _conduction(gate, rbbb)) is not None:
        return refusal

    def broad(lead: LeadMeasurement, _: float) -> Call:
        text = f"{lead.lead} R {mm(lead.r_mv)} {lead.r_ms or 0:.0f} ms, S {mm(-depth_mv(lead))}"
        tall = lead.r_mv > 0 and lead.r_mv >= rule.r_over_s_from * depth_mv(lead)
        if not (tall and (lead.r_ms or 0.0) >= rule.r_from_ms):
            return Call(lead=lead.lead, holds=False, words=text)
        if lead.t_mv is None:
            why = NotAssessed(why=Why.MISSING, detail=f"no T wave found in {lead.lead}")
            return Call(lead=lead.lead, holds=None, words=text, why=why)
        return Call(lead=lead.lead, holds=lead.t_mv > 0, words=f"{text}, T {mm(lead.t_mv)}")

    return in_any(reading, rule.leads, broad, row="q_equivalent", margin_mv=0.0)


def is_pathological(reading: Reading, lead: LeadMeasurement) -> bool:
    """Return whether the Q wave of one lead reaches the limits; a QS complex counts as one."""
    rule = reading.criteria.q_waves
    if lead.r_mv == 0 and depth_mv(lead) >= rule.other_from_mv:
        return True
    if lead.lead in ("V2", "V3"):
        return (lead.q_ms or 0.0) >= rule.leads_v2_v3_from_ms
    return (lead.q_ms or 0.0) >= rule.other_from_ms and -lead.q_mv >= rule.other_from_mv


def _region(reading: Reading, gate: Verdict, region: str) -> Verdict:
    rule = reading.criteria.q_map
    leads = rule.regions[region]
    if gate.holds is True:
        detail = f"{gate.basis}: Q-wave criteria do not apply"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=("q_map",))
    if region in rule.extra_regions and not reading.recorded(*leads):
        return unknown(Why.MISSING, f"{', '.join(leads)} not recorded", rows=("q_map",))

    def call(lead: LeadMeasurement, _: float) -> Call:
        shape = "QS" if lead.r_mv == 0 and lead.q_mv < 0 else f"Q {lead.q_ms or 0:.0f} ms"
        text = f"{lead.lead} {shape} {mm(lead.q_mv)}"
        return Call(lead=lead.lead, holds=is_pathological(reading, lead), words=text)

    sets = tuple(combinations(leads, 2))
    verdict = in_contiguous(reading, leads, call, sets=sets, row="q_map", margin_mv=0.0)
    return verdict if gate.why is None or verdict.holds is None else _open(gate)


def _conduction(gate: Verdict, rbbb: Verdict) -> Verdict | None:
    if gate.holds is True or rbbb.holds is True:
        detail = f"{gate.basis or 'right bundle branch block'}: a broad R means something else"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=("q_equivalent",))
    for open_one in (gate, rbbb):
        if open_one.why is not None:
            return unknown(Why.DEPENDS, f"conduction is not assessed ({open_one.why.detail})")
    return None


def _open(gate: Verdict) -> Verdict:
    why = "" if gate.why is None else gate.why.detail
    return unknown(Why.DEPENDS, f"conduction is not assessed ({why})", rows=("q_map",))
