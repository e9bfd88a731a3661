"""The end of the QRS: early repolarisation (notch or slur) and its loss (terminal distortion)."""

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call, all_sets
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.rule import in_all, in_contiguous
from tools.ecg.patterns.shape import JWave, j_wave
from tools.ecg.reading import Reading, mm, st_mv, upright
from tools.ecg.verdict import Verdict, unknown


def early_repolarisation(reading: Reading) -> Verdict:
    """Return whether two contiguous inferior or lateral leads end their QRS in a notch.

    Its peak at least 1 mm above the baseline, QRS below 120 ms (Macfarlane 2015). A slur counts as
    well there, but here it is not told reliably from the foot of an ordinary R wave: a pattern that
    rests on slurs is not assessed. ST elevation without either is not early repolarisation.
    """
    rule = reading.criteria.early_repolarisation
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why, rows=("early_repolarisation",))
    if reading.m.qrs_ms >= rule.qrs_below_ms:
        detail = f"QRS {reading.m.qrs_ms:.0f} ms (limit below {rule.qrs_below_ms:g})"
        return unknown(Why.OUTSIDE_CONTRACT, detail, rows=("early_repolarisation",))

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        wave = _j_wave(reading, lead) if upright(lead) else JWave()
        if wave.peak_mv is None:
            return Call(lead=lead.lead, holds=False, words=f"{lead.lead} no notch or slur")
        limit = rule.peak_from_mv + shift_mv
        text = f"{lead.lead} {wave.kind} {mm(wave.peak_mv)} (limit {mm(rule.peak_from_mv)})"
        margin = wave.peak_mv - limit
        if margin >= 0 and wave.kind == "slur":
            why = NotAssessed(why=Why.QUALITY, detail=f"{text}: a slur is read by eye")
            return Call(lead=lead.lead, holds=None, words=text, why=why)
        return Call(lead=lead.lead, holds=margin >= 0, words=text, margin_mv=margin)

    sets = all_sets(reading.criteria.st_elevation, rule.leads)
    return in_contiguous(
        reading,
        rule.leads,
        call,
        sets=sets,
        row="early_repolarisation",
        margin_mv=reading.st_error_mv,
    )


def terminal_distortion(reading: Reading) -> Verdict:
    """Return whether V2 and V3 show ST elevation with neither an S wave nor a J wave."""
    rule = reading.criteria.terminal_distortion
    limit = reading.criteria.subtle_occlusion.elevation_from_mv

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        raised = st_mv(lead) >= limit + shift_mv
        text = f"{lead.lead} ST {mm(st_mv(lead))}, S {mm(lead.s_mv)}"
        holds = raised and is_distorted(reading, lead)
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=st_mv(lead) - limit)

    return in_all(
        reading, rule.leads, call, row="terminal_distortion", margin_mv=reading.st_error_mv
    )


def is_distorted(reading: Reading, lead: LeadMeasurement) -> bool:
    """Return whether the QRS of a lead has an R wave and ends without S wave and without J wave."""
    visible = reading.criteria.terminal_distortion.s_visible.from_mv
    if lead.r_mv <= 0 or -lead.s_mv >= visible:
        return False
    return _j_wave(reading, lead).peak_mv is None


def _j_wave(reading: Reading, lead: LeadMeasurement) -> JWave:
    rule = reading.criteria.early_repolarisation
    return j_wave(reading, lead, notch_mv=rule.notch_depth.from_mv, fall_mv=rule.slur_fall.from_mv)
