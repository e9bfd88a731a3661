"""Suspicion of a Brugada type 1 pattern: coved ST elevation with an inverted T in V1 or V2."""

from knowledge.finding import NotAssessed
from tools.ecg.contiguity import Call
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.rule import in_any, no_call
from tools.ecg.patterns.shape import t_shape
from tools.ecg.reading import Reading, mm, st_mv
from tools.ecg.verdict import Verdict

ELECTRODES = "check-electrodes-v1-v2"
"""Flag: the diagnosis needs V1-V2 in a named intercostal space, which no file tells."""
RBBB = "rbbb"


def brugada(reading: Reading, rbbb: Verdict) -> Verdict:
    """Return whether V1 or V2 rises by at least 2 mm at J, falls from there, and inverts T."""
    rule = reading.criteria.brugada

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        value, limit = st_mv(lead), rule.elevation_from_mv + shift_mv
        fall = lead.st_j_mv - lead.st_80_mv
        text = f"{lead.lead} {mm(value)} at J (limit {mm(rule.elevation_from_mv)}), {mm(-fall)} "
        text += "to J+80 ms"
        if value < limit or fall < rule.fall.from_mv:
            return Call(lead=lead.lead, holds=False, words=text, margin_mv=value - limit)
        shape = t_shape(reading, lead)
        if isinstance(shape, NotAssessed):
            return no_call(lead, shape)
        inverted = -shape.negative_mv >= rule.fall.from_mv
        text += f", T {mm(shape.negative_mv)}"
        return Call(lead=lead.lead, holds=inverted, words=text, margin_mv=value - limit)

    found = in_any(reading, rule.leads, call, row="brugada", margin_mv=reading.st_error_mv)
    if found.holds is not True:
        return found
    return found.flagged(ELECTRODES, *((RBBB,) if rbbb.holds is not False else ()))
