"""Defects that need the criteria to be seen: a leg electrode on an arm, a stretch without a QRS.

They are added to those of the measurement before anything is judged, so that no rule reads what
they spoil.
"""

from dataclasses import replace

import numpy as np

from tools.ecg import leads as lead_set
from tools.ecg.electrode_order import LEG, leg_electrode
from tools.ecg.model import Problem
from tools.ecg.reading import Reading

GAP = "no-qrs-for-long"
"""Code of the defect that no QRS is seen for longer than a pause lasts."""


def with_doubts(reading: Reading) -> Reading:
    """Return the reading with these defects among its problems."""
    found = tuple(p for p in (_gap(reading), _leg(reading)) if p is not None)
    if not found:
        return reading
    return replace(reading, m=replace(reading.m, problems=(*reading.m.problems, *found)))


def _leg(reading: Reading) -> Problem | None:
    """Return that the limb leads are not what they are named, where a leg electrode lies on an arm.

    The chest leads keep their voltage but for the small part of the common reference.
    """
    verdict = leg_electrode(reading)
    if verdict.holds is not True:
        return None
    detail = f"{verdict.basis}: arm and leg electrodes look exchanged"
    return Problem(code=LEG, detail=detail, leads=lead_set.LIMB, blocks=("amplitude",))


def _gap(reading: Reading) -> Problem | None:
    """Return the longest stretch without a QRS, where it is longer than a pause lasts.

    At either end of the recording it may be a lost electrode as well: nothing is said of the
    rhythm. Between beats the rhythm is what the beats show, and the pause is told beside it.
    """
    rule, m = reading.criteria.long_gap, reading.m
    if reading.blocked("all") is not None or len(m.r_peaks) == 0:
        return None
    length = len(m.baseline_mv)
    edges = np.array([m.r_peaks[0], length - m.r_peaks[-1]]) / m.sampling_rate_hz
    between = m.rr_ms / 1000
    limit = max(rule.longest_s, rule.times_usual.share * float(np.median(between)))
    longest = max(float(edges.max()), float(between.max()))
    if longest <= limit:
        return None
    at_end = bool(edges.max() > limit)
    detail = f"no QRS for {longest:.1f} s of the recording (a pause, or a lost electrode)"
    return Problem(code=GAP, detail=detail, blocks=("rhythm",) if at_end else ())
