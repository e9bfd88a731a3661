"""Load on the right heart: S1Q3T3 and T inversion in the right chest leads.

Neither sensitive nor specific for pulmonary embolism: it is told, and excludes nothing.
"""

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.rule import in_all, no_call
from tools.ecg.patterns.t_waves import t_error_mv
from tools.ecg.reading import Reading, mm
from tools.ecg.verdict import Verdict, every, unknown

INFERIOR_Q = "inferior-infarction-may-cause-it"
_ROW = "right_heart"


def s1q3t3(reading: Reading, inferior_q: Verdict) -> Verdict:
    """Return whether I has a deep S, and III a deep Q and an inverted T."""
    rule = reading.criteria.right_heart
    one, three = reading.lead(rule.s_lead), reading.lead(rule.q_lead)
    deep = None if isinstance(one, NotAssessed) else -one.s_mv >= rule.s_from_mv
    q = None if isinstance(three, NotAssessed) else -three.q_mv >= rule.q_from_mv
    t = None if isinstance(three, NotAssessed) or three.t_mv is None else three.t_mv < 0
    holds = every((deep, q, t))
    words = [] if isinstance(one, NotAssessed) else [f"I S {mm(one.s_mv)}"]
    if not isinstance(three, NotAssessed):
        shown = "not found" if three.t_mv is None else mm(three.t_mv)
        words.append(f"III Q {mm(three.q_mv)}, T {shown}")
    basis = "; ".join(words)
    if holds is None:
        missing = next((m for m in (one, three) if isinstance(m, NotAssessed)), None)
        why = missing or NotAssessed(why=Why.MISSING, detail="no T wave found in III")
        return Verdict(holds=None, why=why, basis=basis, rows=(_ROW,))
    leads = (rule.s_lead, rule.q_lead) if holds else ()
    verdict = Verdict(holds=holds, basis=basis, leads=leads, rows=(_ROW,))
    return verdict.flagged(INFERIOR_Q) if holds and inferior_q.holds is not False else verdict


def right_ventricular_strain(reading: Reading, rbbb: Verdict) -> Verdict:
    """Return whether T is inverted in all of V1-V3.

    Ischaemia of the anterior wall looks alike; an inverted T in III and V1 together speaks for the
    right heart and is told. A right bundle branch block inverts these T waves by itself.
    """
    rule = reading.criteria.right_heart

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        if lead.t_mv is None:
            why = NotAssessed(why=Why.MISSING, detail=f"no T wave found in {lead.lead}")
            return no_call(lead, why)
        limit = reading.criteria.t_inversion.above_mv + shift_mv
        text = f"{lead.lead} T {mm(lead.t_mv)}"
        return Call(
            lead=lead.lead, holds=-lead.t_mv > limit, words=text, margin_mv=-lead.t_mv - limit
        )

    found = in_all(reading, rule.strain_leads, call, row=_ROW, margin_mv=t_error_mv())
    if found.holds is not True:
        return found
    if rbbb.holds is not False:
        detail = f"{found.basis}: right bundle branch block may cause it by itself"
        return unknown(Why.CONFLICTING, detail, leads=found.leads, rows=(_ROW,))
    three = reading.lead(rule.q_lead)
    down = not isinstance(three, NotAssessed) and three.t_mv is not None and three.t_mv < 0
    return found.flagged("t-inverted-in-iii-too") if down else found
