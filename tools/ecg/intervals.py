"""PR, QTc and axis statements.

QTc is judged by Fridericia's formula; Bazett's over-corrects at fast rates and under-corrects at
slow ones, and is reported beside it. A wide QRS lengthens QT by itself: there QT is shortened by a
share of the QRS before it is judged, and a QTc that is long only without that is not assessed.
"""

from collections.abc import Callable

from knowledge.finding import NotAssessed, Why
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, unknown, with_margin

_QTC, _PR, _AXIS = ("qtc",), ("pr",), ("axis",)


def prolonged_qtc(reading: Reading) -> Verdict:
    """Return whether QTc (Fridericia) reaches the limit of the patient's sex.

    With the sex unknown: only from the highest limit, and not only below the lowest.
    """
    rule = reading.criteria.qtc
    limits = sorted({rule.prolonged_from_ms[sex] for sex in reading.sexes})
    shown = " to ".join(f"{limit:g}" for limit in limits)

    def judge(qtc_ms: float, shift_ms: float) -> Verdict:
        basis = f"QTcF {qtc_ms:.0f} ms (limit {shown})"
        if qtc_ms >= limits[-1] + shift_ms:
            return Verdict(holds=True, basis=basis, rows=_QTC)
        if qtc_ms < limits[0] + shift_ms:
            return Verdict(holds=False, basis=basis, rows=_QTC)
        why = reading.missing_patient_facts()
        return Verdict(holds=None, why=why, basis=basis, rows=_QTC)

    qtc = _qtc(reading)
    if isinstance(qtc, NotAssessed):
        return Verdict(holds=None, why=qtc, rows=_QTC)
    verdict = with_margin(lambda shift: judge(qtc, shift), reading.error_ms("qt"))
    if verdict.holds is not True or reading.m.qrs_ms < rule.wide_qrs_from_ms:
        return verdict
    corrected = qtc * (1 - rule.wide_qrs_share.of_qrs * reading.m.qrs_ms / (reading.m.qt_ms or 1.0))
    if judge(corrected, 0.0).holds is True:
        return verdict.flagged("wide-qrs")
    return unknown(
        Why.OUTSIDE_CONTRACT,
        f"{verdict.basis}, but the QRS of {reading.m.qrs_ms:.0f} ms lengthens QT; without its "
        f"share QTcF is {corrected:.0f} ms",
        rows=_QTC,
        flags=("wide-qrs",),
    )


def very_long_qtc(reading: Reading, prolonged: Verdict) -> Verdict:
    """Return whether QTc lies in the high-risk range; only where it is prolonged at all."""
    limit = reading.criteria.qtc.high_risk_above_ms
    qtc = _qtc(reading)
    if isinstance(qtc, NotAssessed):
        return Verdict(holds=None, why=qtc, rows=_QTC)
    if prolonged.holds is None and qtc > limit:
        return Verdict(holds=None, why=prolonged.why, rows=_QTC)
    basis = f"QTcF {qtc:.0f} ms (limit {limit:g})"
    return with_margin(
        lambda shift: Verdict(holds=qtc > limit + shift, basis=basis, rows=_QTC),
        reading.error_ms("qt"),
    )


def short_qtc(reading: Reading) -> Verdict:
    """Return whether QTc (Fridericia) is short."""
    limit = reading.criteria.qtc.short.up_to_ms
    qtc = _qtc(reading)
    if isinstance(qtc, NotAssessed):
        return Verdict(holds=None, why=qtc, rows=_QTC)
    basis = f"QTcF {qtc:.0f} ms (limit {limit:g})"
    return with_margin(
        lambda shift: Verdict(holds=qtc <= limit + shift, basis=basis, rows=_QTC),
        reading.error_ms("qt"),
    )


def prolonged_pr(reading: Reading) -> Verdict:
    """Return whether the PR interval is long (first-degree atrioventricular block)."""
    limit = reading.criteria.pr.prolonged_above_ms
    return _pr(reading, lambda pr, shift: pr > limit + shift, limit)


def short_pr(reading: Reading) -> Verdict:
    """Return whether the PR interval is short; a delta wave is not looked for."""
    limit = reading.criteria.pr.short_below_ms
    return _pr(reading, lambda pr, shift: pr < limit + shift, limit)


def axis_word(axis_deg: float, reading: Reading) -> str:
    """Return normal, left, right or extreme for a frontal QRS axis in degrees (-180, 180]."""
    rule = reading.criteria.axis
    if rule.normal_from_deg <= axis_deg <= rule.normal_to_deg:
        return "normal"
    if axis_deg > rule.normal_to_deg:
        return "right"
    return "extreme" if axis_deg < rule.extreme_below_deg else "left"


def axis(reading: Reading, word: str) -> Verdict:
    """Return whether the frontal QRS axis is left, right or extreme, as `word` says."""
    if (why := reading.blocked("amplitude")) is not None:
        return Verdict(holds=None, why=why, rows=_AXIS)
    degrees = reading.m.axis_deg
    if degrees is None:
        return Verdict(holds=None, why=reading.not_measured("axis_deg"), rows=_AXIS)
    rule = reading.criteria.axis
    basis = f"{degrees:.0f} deg (normal {rule.normal_from_deg:g} to {rule.normal_to_deg:g})"
    return Verdict(holds=axis_word(degrees, reading) == word, basis=basis, rows=_AXIS)


def _qtc(reading: Reading) -> float | NotAssessed:
    if (why := reading.blocked("timing")) is not None:
        return why
    if reading.m.qtcf_ms is None:
        return reading.not_measured("qtcf_ms", "qt_ms")
    return reading.m.qtcf_ms


def _pr(reading: Reading, rule: Callable[[float, float], bool], limit: float) -> Verdict:
    if (why := reading.blocked("timing")) is not None:
        return Verdict(holds=None, why=why, rows=_PR)
    pr = reading.m.pr_ms
    if pr is None:
        return Verdict(holds=None, why=reading.not_measured("pr_ms"), rows=_PR)
    basis = f"PR {pr:.0f} ms (limit {limit:g})"
    return with_margin(
        lambda shift: Verdict(holds=rule(pr, shift), basis=basis, rows=_PR),
        reading.error_ms("pr"),
    )
