"""Whether the arm electrodes look exchanged."""

from knowledge.finding import NotAssessed
from tools.ecg.model import LeadMeasurement
from tools.ecg.reading import Reading, upright
from tools.ecg.verdict import Verdict

PROBLEM = "limb-lead-reversal"
"""Code of the defect that the measurement reports; it forbids limb-lead amplitude statements."""


def limb_reversal(reading: Reading) -> Verdict:
    """Return whether left and right arm look exchanged, as the measurement suspects.

    The suspicion needs the P wave of lead I: where lead I is negative and has none, or a lead it is
    judged by cannot be trusted for another reason, it is not assessed.
    """
    for problem in reading.m.problems:
        if problem.code == PROBLEM:
            return Verdict(holds=True, basis=problem.detail)
    leads = [reading.lead(name) for name in ("I", "aVR", "V6")]
    for lead in leads:
        if isinstance(lead, NotAssessed):
            return Verdict(holds=None, why=lead)
    first = leads[0]
    if isinstance(first, LeadMeasurement) and not upright(first) and first.p_mv is None:
        return Verdict(holds=None, why=reading.not_measured("pr_ms"))
    return Verdict(holds=False, basis="P and QRS of I, aVR and V6 fit the arms as labelled")
