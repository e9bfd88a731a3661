"""Infarction behind left bundle branch block or ventricular pacing.

Two rules on the ST segment at J against the main direction of the QRS: the modified Sgarbossa
rule (Smith 2012) and the Barcelona algorithm (2020). Both were made in left bundle branch block; in
a paced rhythm their verdicts carry the flag ``derived-in-lbbb``. Outside these two conditions they
are not assessed.
"""

from collections.abc import Callable

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call, nearest, words
from tools.ecg.model import LEADS_12, LeadMeasurement
from tools.ecg.reading import Reading, depth_mv, mm, st_mv, upright
from tools.ecg.verdict import Verdict, some, unknown, with_margin

_NEAREST = 2


def modified_sgarbossa(reading: Reading, gate: Verdict) -> Verdict:
    """Return whether any of the three signs of the modified Sgarbossa rule is there.

    Concordant ST elevation in any lead; concordant ST depression in V1-V3; discordant ST elevation
    that is also a large share of the S wave before it.
    """
    rule = reading.criteria.modified_sgarbossa

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        st, depth = st_mv(lead), depth_mv(lead)
        if upright(lead):
            limit = rule.concordant_elevation_from_mv + shift_mv
            text = f"{lead.lead} {mm(st)} with the QRS (limit {mm(limit - shift_mv)})"
            return Call(lead=lead.lead, holds=st >= limit, words=text, margin_mv=st - limit)
        limit = rule.discordant_elevation_from_mv + shift_mv
        ratio = st / depth
        discordant = st >= limit and ratio >= rule.st_over_s_from
        text = f"{lead.lead} {mm(st)} after S {mm(-depth)} (share {ratio:.2f})"
        margin = min(st - limit, st - rule.st_over_s_from * depth)
        if lead.lead not in rule.concordant_depression_leads:
            return Call(lead=lead.lead, holds=discordant, words=text, margin_mv=margin)
        limit = rule.concordant_depression_from_mv + shift_mv
        return Call(
            lead=lead.lead,
            holds=discordant or st <= -limit,
            words=text,
            margin_mv=max(margin, -st - limit),
        )

    return _any_lead(reading, gate, "modified_sgarbossa", call)


def barcelona(reading: Reading, gate: Verdict) -> Verdict:
    """Return whether any lead meets the Barcelona algorithm.

    ST deviation in the direction of the QRS in any lead, or against it in a lead whose R and S are
    both low.
    """
    rule = reading.criteria.barcelona

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        st, height = st_mv(lead), max(lead.r_mv, depth_mv(lead))
        along = st if upright(lead) else -st
        limits = (rule.concordant_from_mv + shift_mv, rule.discordant_from_mv + shift_mv)
        low = height <= rule.low_voltage_up_to_mv
        holds = along >= limits[0] or (low and -along >= limits[1])
        margin = max(along - limits[0], -along - limits[1] if low else along - limits[0])
        text = f"{lead.lead} {mm(st)}, QRS {'up' if upright(lead) else 'down'} {height * 10:.1f} mm"
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=margin)

    return _any_lead(reading, gate, "barcelona", call)


def _any_lead(
    reading: Reading, gate: Verdict, row: str, call: Callable[[LeadMeasurement, float], Call]
) -> Verdict:
    if reading.outside_contract is not None:
        return Verdict(holds=None, why=reading.outside_contract, rows=(row,))
    if gate.why is not None:
        return Verdict(holds=None, why=gate.why, rows=(row,))
    if gate.holds is False:
        detail = "the rule is for left bundle branch block and ventricular pacing only"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=(row,))

    def at(shift_mv: float) -> Verdict:
        calls = {name: _call(reading, name, call, shift_mv) for name in LEADS_12}
        holds = some(c.holds for c in calls.values())
        met = tuple(name for name, c in calls.items() if c.holds)
        basis = words(calls, met or nearest(calls, LEADS_12, _NEAREST))
        if holds is None:
            why = next(c.why for c in calls.values() if c.why is not None)
            return Verdict(holds=None, why=why, basis=basis, rows=(row,))
        return Verdict(holds=holds, basis=basis, leads=met, rows=(row,))

    verdict = with_margin(at, reading.st_error_mv)
    return verdict.flagged("derived-in-lbbb") if "paced" in gate.flags else verdict


def _call(
    reading: Reading, name: str, call: Callable[[LeadMeasurement, float], Call], shift_mv: float
) -> Call:
    found = reading.lead(name)
    if isinstance(found, NotAssessed):
        return Call(lead=name, holds=None, words=f"{name} {found.detail}", why=found)
    return call(found, shift_mv)
