"""A single right-sided or posterior lead above its limit, where it was recorded.

The criteria of infarction need two contiguous leads (`st-elevation-right`,
`st-elevation-posterior`). Often only V4R is recorded, and ACC 2022 takes one of V7-V9: these two
statements read single leads by the same limits and never change the others.
"""

from knowledge.finding import Why
from tools.ecg.contiguity import Call
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.rule import LeadRule, in_any
from tools.ecg.reading import Reading, mm, st_mv
from tools.ecg.verdict import Verdict, unknown

_ROW = "single_extra_lead"


def v4r(reading: Reading) -> Verdict:
    """Return whether V4R shows ST elevation by its limit; not assessed where it is not recorded."""
    return _single(reading, reading.criteria.single_extra_lead.right_leads)


def posterior_lead(reading: Reading) -> Verdict:
    """Return whether any of V7-V9 shows ST elevation by its limit."""
    return _single(reading, reading.criteria.single_extra_lead.posterior_leads)


def _single(reading: Reading, leads: tuple[str, ...]) -> Verdict:
    recorded = tuple(name for name in leads if reading.recorded(name))
    if not recorded:
        return unknown(Why.MISSING, f"{', '.join(leads)} not recorded", rows=(_ROW,))
    found = in_any(reading, recorded, _rule(reading), row=_ROW, margin_mv=reading.st_error_mv)
    if found.holds is False and recorded != leads:
        left = ", ".join(name for name in leads if name not in recorded)
        return unknown(Why.MISSING, f"{left} not recorded; {found.basis}", rows=(_ROW,))
    return found


def _rule(reading: Reading) -> LeadRule:
    limits = reading.criteria.st_elevation

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        possible = limits.possible_mv(lead.lead, reading.sexes, reading.age)
        low, high = possible[0] + shift_mv, possible[-1] + shift_mv
        value = st_mv(lead)
        limit = f"{possible[0] * 10:.1f}" + ("" if low == high else f" to {possible[-1] * 10:.1f}")
        text = f"{lead.lead} {mm(value)} (limit {limit})"
        if value >= high:
            return Call(lead=lead.lead, holds=True, words=text, margin_mv=value - high)
        if value < low:
            return Call(lead=lead.lead, holds=False, words=text, margin_mv=value - low)
        why = reading.missing_patient_facts()
        return Call(lead=lead.lead, holds=None, words=text, why=why)

    return call
