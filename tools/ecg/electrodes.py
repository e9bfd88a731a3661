"""Whether the arm electrodes look exchanged."""

from knowledge.finding import NotAssessed, Why
from tools.ecg.model import LeadMeasurement
from tools.ecg.quality import net_mv
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, unknown

PROBLEM = "limb-lead-reversal"
"""Code of the defect that the measurement reports; it forbids limb-lead amplitude statements."""


def limb_reversal(reading: Reading) -> Verdict:
    """Return whether left and right arm look exchanged, as the measurement suspects.

    Lead I is compared with V6, which no arm electrode changes. An upright P in I excludes an
    exchange of the arms in sinus rhythm. Where P or QRS of I is inverted and the other does not
    agree, or P is not found, it is not assessed.
    """
    if (why := reading.blocked("all")) is not None:
        return Verdict(holds=None, why=why)
    for problem in reading.m.problems:
        if problem.code == PROBLEM:
            return Verdict(holds=True, basis=problem.detail)
    one, v6 = reading.lead("I"), reading.lead("V6")
    for lead in (one, v6):
        if isinstance(lead, NotAssessed):
            return Verdict(holds=None, why=lead)
    if isinstance(one, NotAssessed) or isinstance(v6, NotAssessed):
        raise TypeError("unreachable: both leads are measured")
    return _compared(reading, one, v6)


def _compared(reading: Reading, one: LeadMeasurement, v6: LeadMeasurement) -> Verdict:
    words = f"I: QRS {_way(net_mv(one))}, P {_way(one.p_mv)}; "
    words += f"V6: QRS {_way(net_mv(v6))}, P {_way(v6.p_mv)}"
    if one.p_mv is not None and one.p_mv > 0:
        return Verdict(holds=False, basis=f"{words}: an upright P in I fits the arms as labelled")
    if one.p_mv is None:
        if net_mv(one) > 0 and net_mv(v6) > 0:
            return Verdict(holds=False, basis=f"{words}: QRS of I fits that of V6")
        if net_mv(one) > 0:
            detail = f"{words}: no P wave in I, and its QRS does not agree with that of V6"
            return unknown(Why.CONFLICTING, detail)
        return Verdict(holds=None, why=reading.not_measured("pr_ms"))
    if v6.p_mv is not None and v6.p_mv < 0 and net_mv(one) > 0:
        return Verdict(holds=False, basis=f"{words}: P inverted in both, QRS of I upright")
    detail = f"{words}: an inverted P in I, and not all else speaks for exchanged arms"
    return unknown(Why.CONFLICTING, detail)


def _way(mv: float | None) -> str:
    if mv is None:
        return "not found"
    return "upright" if mv > 0 else "inverted"
