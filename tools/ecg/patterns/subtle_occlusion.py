"""Early repolarisation against a subtle occlusion of the left anterior descending artery.

The three-variable (Smith 2012) and four-variable (Driver and Smith 2017) formulas. They hold only
where that is the question: ST elevation of at least 1 mm in one of V2-V4 and none of the features
that were excluded because they make an occlusion obvious. Everywhere else they are refused.
"""

import math
from dataclasses import dataclass

from knowledge.ecg_patterns import Formula
from knowledge.finding import NotAssessed, Why
from tools.ecg.model import LeadMeasurement
from tools.ecg.patterns.end_of_qrs import is_distorted
from tools.ecg.patterns.q_map import is_pathological
from tools.ecg.patterns.shape import concave
from tools.ecg.reading import Reading, depth_mv, mm, st_mv
from tools.ecg.verdict import Verdict, unknown, with_margin

SLOW = "rate-below-60"
"""Flag: at this rate Bazett shortens QTc and lowers the value."""
_ROW = "subtle_occlusion"
_MM_PER_MV = 10.0


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the formulas take: amplitudes in mm, QTc (Bazett) in ms."""

    st60_v3_mm: float
    qtc_ms: float
    r_v4_mm: float
    qrs_v2_mm: float


def formula_value(formula: Formula, given: Inputs) -> float:
    """Return the value of a formula.

    Examples:
        >>> from knowledge.ecg_criteria import ecg_criteria
        >>> rule = ecg_criteria().subtle_occlusion.four_variables
        >>> given = Inputs(st60_v3_mm=1.5, qtc_ms=380, r_v4_mm=18, qrs_v2_mm=22)
        >>> round(formula_value(rule, given), 3)
        13.207
    """
    return (
        formula.per_mm_st60_v3 * given.st60_v3_mm
        + formula.per_ms_qtc * given.qtc_ms
        + formula.per_mm_r_v4 * given.r_v4_mm
        + formula.per_mm_qrs_v2 * given.qrs_v2_mm
    )


def subtle_occlusion(reading: Reading, *, lvh: Verdict) -> dict[str, Verdict]:
    """Return the verdict of both formulas by code; the caller refuses LBBB and pacing before.

    Args:
        reading: The ECG.
        lvh: Left ventricular hypertrophy by voltage, which was excluded from the study.
    """
    rule = reading.criteria.subtle_occlusion
    refusal = _refusal(reading, lvh)
    if refusal is not None:
        return {"subtle-occlusion-4": refusal, "subtle-occlusion-3": refusal}
    return {
        "subtle-occlusion-4": _applied(reading, rule.four_variables),
        "subtle-occlusion-3": _applied(reading, rule.three_variables),
    }


def _applied(reading: Reading, formula: Formula) -> Verdict:
    given = _inputs(reading)
    if isinstance(given, NotAssessed):
        return Verdict(holds=None, why=given, rows=(_ROW,))
    value = formula_value(formula, given)
    shown = (
        f"value {value:.2f} (limit {formula.limit:g}): ST V3 at J+60 ms {given.st60_v3_mm:+.2f} mm,"
        f" QTc Bazett {given.qtc_ms:.0f} ms, R V4 {given.r_v4_mm:.1f} mm"
        + (f", QRS V2 {given.qrs_v2_mm:.1f} mm" if formula.per_mm_qrs_v2 else "")
    )

    def at(shift: float) -> Verdict:
        limit = formula.limit + shift
        holds = value >= limit if formula.limit_itself_counts else value > limit
        leads = ("V3", "V4") if holds else ()
        return Verdict(holds=holds, basis=shown, leads=leads, rows=(_ROW,))

    verdict = with_margin(at, _error(reading, formula))
    slow = reading.m.heart_rate_per_min < reading.criteria.subtle_occlusion.slow_below_per_min
    return verdict.flagged(SLOW) if slow else verdict


def _error(reading: Reading, formula: Formula) -> float:
    """Return the error of the value: that of QT and that of ST, taken as independent."""
    rr_s = 60 / reading.m.heart_rate_per_min
    qt = formula.per_ms_qtc * reading.error_ms("qt") / math.sqrt(rr_s)
    st = formula.per_mm_st60_v3 * reading.st_error_mv * _MM_PER_MV
    return math.hypot(qt, st)


def _inputs(reading: Reading) -> Inputs | NotAssessed:
    v2, v3, v4 = reading.lead("V2"), reading.lead("V3"), reading.lead("V4")
    for found in (v2, v3, v4):
        if isinstance(found, NotAssessed):
            return found
    if (why := reading.blocked("timing")) is not None:
        return why
    if reading.m.qtcb_ms is None:
        return reading.not_measured("qtcb_ms", "qt_ms")
    assert isinstance(v2, LeadMeasurement)  # noqa: S101 - narrowed above, for the type checker
    assert isinstance(v3, LeadMeasurement)  # noqa: S101
    assert isinstance(v4, LeadMeasurement)  # noqa: S101
    return Inputs(
        st60_v3_mm=v3.st_60_mv * _MM_PER_MV,
        qtc_ms=reading.m.qtcb_ms,
        r_v4_mm=v4.r_mv * _MM_PER_MV,
        qrs_v2_mm=(v2.r_mv + depth_mv(v2)) * _MM_PER_MV,
    )


def _refusal(reading: Reading, lvh: Verdict) -> Verdict | None:
    """Return why the formulas are not applied, or None where their conditions hold.

    A condition that is met for certain refuses; one that cannot be judged leaves them unknown.
    """
    rule = reading.criteria.subtle_occlusion
    if reading.m.qrs_ms >= rule.qrs_below_ms:
        return _outside(f"QRS {reading.m.qrs_ms:.0f} ms (limit below {rule.qrs_below_ms:g})")
    if lvh.holds is True:
        return _outside(f"hypertrophy by voltage ({lvh.basis})")
    if lvh.why is not None:
        return unknown(Why.DEPENDS, f"hypertrophy is not assessed ({lvh.why.detail})", rows=(_ROW,))
    needed = dict.fromkeys((*rule.elevation_leads, *rule.chest_leads, *rule.inferior_leads))
    for name in needed:
        found = reading.lead(name)
        if isinstance(found, NotAssessed):
            return Verdict(holds=None, why=found, rows=(_ROW,))
    leads = {m.lead: m for m in reading.m.lead}
    raised = [n for n in rule.elevation_leads if st_mv(leads[n]) >= rule.elevation_from_mv]
    if not raised:
        shown = ", ".join(f"{n} {mm(st_mv(leads[n]))}" for n in rule.elevation_leads)
        limit = mm(rule.elevation_from_mv)
        return _outside(f"no ST elevation of {limit} in V2-V4 ({shown}); the question is not asked")
    return _obvious(reading, leads)


def _obvious(reading: Reading, leads: dict[str, LeadMeasurement]) -> Verdict | None:
    rule = reading.criteria.subtle_occlusion
    low = rule.depression.from_mv
    shapes = {n: concave(reading, leads[n]) for n in rule.concave_leads if st_mv(leads[n]) >= low}
    found = {
        "ST elevation above 5 mm": [
            n for n in rule.chest_leads if st_mv(leads[n]) > rule.elevation_up_to_mv
        ],
        "ST not concave": [n for n, shape in shapes.items() if shape is False],
        "inferior ST depression": [n for n in rule.inferior_leads if st_mv(leads[n]) <= -low],
        "anterior ST depression": [n for n in rule.chest_leads if st_mv(leads[n]) <= -low],
        "T inversion": [n for n in rule.chest_leads if (leads[n].t_mv or 0.0) < 0],
        "pathological Q wave": [n for n in rule.q_leads if is_pathological(reading, leads[n])],
        "terminal QRS distortion": [
            n
            for n in rule.distortion_leads
            if st_mv(leads[n]) >= low and is_distorted(reading, leads[n])
        ],
    }
    words = [f"{what} ({', '.join(names)})" for what, names in found.items() if names]
    if words:
        return _outside(
            f"{'; '.join(words)}: such an ECG was excluded from the study because it may show an "
            "occlusion openly; the formula must not speak against one"
        )
    missing = [n for n in rule.chest_leads if leads[n].t_mv is None]
    if missing:
        detail = f"no T wave found in {', '.join(missing)}"
        return unknown(Why.MISSING, detail, rows=(_ROW,))
    return None


def _outside(detail: str) -> Verdict:
    return unknown(Why.OUTSIDE_CONTRACT, f"the formula is not for this ECG: {detail}", rows=(_ROW,))
