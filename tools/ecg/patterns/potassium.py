"""Tall, narrow T waves, and with a conduction sign the hyperkalaemia pattern.

The ECG is insensitive to potassium: absent never excludes it.
"""

from knowledge.finding import NotAssessed
from tools.ecg.contiguity import Call, all_sets
from tools.ecg.model import LEADS_12, LeadMeasurement
from tools.ecg.patterns.rule import in_contiguous, no_call
from tools.ecg.patterns.shape import t_shape
from tools.ecg.patterns.t_waves import t_error_mv
from tools.ecg.reading import Reading, mm
from tools.ecg.verdict import Verdict, every, first_reason, some

INSENSITIVE = "does-not-exclude"
"""Flag: a normal ECG does not exclude hyperkalaemia."""
_LIMB = LEADS_12[:6]


def peaked_t(reading: Reading) -> Verdict:
    """Return whether contiguous leads show a tall, narrow and symmetric upright T wave."""
    rule = reading.criteria.hyperkalaemia

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        limb = lead.lead in _LIMB
        limit = (rule.limb_t_above_mv if limb else rule.chest_t_above_mv) + shift_mv
        shape = t_shape(reading, lead)
        if isinstance(shape, NotAssessed):
            return no_call(lead, shape)
        tall, margin = shape.positive_mv > limit, shape.positive_mv - limit
        text = f"{lead.lead} T {mm(shape.positive_mv)}"
        if not tall:
            return Call(lead=lead.lead, holds=False, words=text, margin_mv=margin)
        alike = shape.symmetric(rule.symmetric.share)
        if alike is None or shape.width_ms is None:
            why = reading.not_measured("t_flanks")
            return Call(lead=lead.lead, holds=None, words=text, why=why)
        text += f", {shape.width_ms:.0f} ms wide at half height"
        holds = shape.width_ms <= rule.narrow.from_ms and alike
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=margin)

    leads = tuple(n for n in LEADS_12 if n != "aVR")
    sets = all_sets(reading.criteria.st_elevation, leads)
    return in_contiguous(
        reading, leads, call, sets=sets, row="hyperkalaemia", margin_mv=t_error_mv()
    )


def hyperkalaemia(reading: Reading, peaked: Verdict) -> Verdict:
    """Return whether peaked T waves come with a wide QRS, a long PR or no P wave.

    No P wave alone is also atrial fibrillation; together with peaked T waves either asks for a
    potassium now.
    """
    rule = reading.criteria.hyperkalaemia
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why, rows=("hyperkalaemia",))
    m = reading.m
    wide = m.qrs_ms >= rule.qrs_from_ms
    late = m.pr_ms is None or m.pr_ms > rule.pr_above_ms
    holds = every((peaked.holds, some((wide, late))))
    pr = "no P wave measured" if m.pr_ms is None else f"PR {m.pr_ms:.0f} ms"
    basis = f"{peaked.basis}; QRS {m.qrs_ms:.0f} ms; {pr}"
    if holds is None:
        reason = first_reason((peaked,))
        return Verdict(holds=None, why=reason, basis=basis, rows=("hyperkalaemia",))
    leads = peaked.leads if holds else ()
    verdict = Verdict(holds=holds, basis=basis, leads=leads, rows=("hyperkalaemia",))
    return verdict.flagged(*peaked.flags, INSENSITIVE)
