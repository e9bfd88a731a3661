"""The de Winter pattern: occlusion of the left anterior descending without ST elevation."""

from knowledge.finding import NotAssessed
from tools.ecg.contiguity import Call, all_sets
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.rule import in_contiguous, no_call
from tools.ecg.patterns.shape import t_shape
from tools.ecg.reading import Reading, mm, st_mv
from tools.ecg.verdict import Verdict

FAST = "fast-rate"
"""Flag: a fast rate lowers the J point and slopes the ST segment up by itself."""
AVR = "avr-elevated"
"""Flag: aVR shows the ST elevation that often goes with the pattern."""


def de_winter(reading: Reading) -> Verdict:
    """Return whether contiguous chest leads show the de Winter pattern.

    ST depression at J that slopes up into a tall, symmetric T wave (de Winter 2008; ACC 2022).
    Where the slope is up and the depression deep enough, a T wave whose flanks cannot be measured
    leaves it open.
    """
    rule, flat = reading.criteria.de_winter, reading.criteria.st_depression.slope.below_mv_per_s

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        value, limit = st_mv(lead), rule.depression_from_mv + shift_mv
        text = f"{lead.lead} {mm(value)} at J (limit {mm(-rule.depression_from_mv)})"
        margin = -value - limit
        if value > -limit or lead.st_slope_mv_s <= flat:
            return Call(lead=lead.lead, holds=False, words=text, margin_mv=margin)
        shape = t_shape(reading, lead)
        if isinstance(shape, NotAssessed):
            return no_call(lead, shape)
        text += f", slope {lead.st_slope_mv_s:+.1f} mV/s, T {mm(shape.positive_mv)}"
        if shape.positive_mv < rule.tall_t.from_mv:
            return Call(lead=lead.lead, holds=False, words=text, margin_mv=margin)
        alike = shape.symmetric(rule.symmetric.share)
        if alike is None:
            why = reading.not_measured("t_flanks")
            return Call(lead=lead.lead, holds=None, words=text, why=why)
        return Call(lead=lead.lead, holds=alike, words=text, margin_mv=margin)

    sets = all_sets(reading.criteria.st_elevation, rule.leads)
    found = in_contiguous(
        reading, rule.leads, call, sets=sets, row="de_winter", margin_mv=reading.st_error_mv
    )
    if found.holds is not True:
        return found
    avr = reading.lead("aVR")
    raised = not isinstance(avr, NotAssessed) and st_mv(avr) >= rule.avr.from_mv
    fast = reading.m.heart_rate_per_min > reading.criteria.rate.fast_above_per_min
    return found.flagged(*((AVR,) if raised else ()), *((FAST,) if fast else ()))
