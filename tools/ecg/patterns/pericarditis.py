"""The pericarditis pattern: widespread concave ST elevation, PR depression, nothing reciprocal."""

from collections.abc import Iterator

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call
from tools.ecg.model import LEADS_12, LeadMeasurement
from tools.ecg.patterns.rule import in_any, in_number, no_call
from tools.ecg.patterns.shape import concave, pr_depression_mv
from tools.ecg.reading import Reading, mm, st_mv
from tools.ecg.verdict import Verdict, every, first_reason

RATIO = "st-t-ratio-favours-pericarditis"
"""Flag: ST/T in V6 reaches the limit that separated pericarditis from the normal variant."""
INFARCTION = "does-not-exclude-infarction"
_ROW = "pericarditis"


def pericarditis(reading: Reading) -> Verdict:
    """Return whether the ECG shows the pericarditis pattern.

    All of: concave ST elevation in enough leads of each group, no ST depression outside aVR and
    V1, and PR depression (against TP) in enough leads with PR elevation in aVR. ST/T in V6 is told
    beside it. The pattern never speaks against infarction.
    """
    parts = tuple(_parts(reading))
    holds = every(part.holds for part in parts)
    basis = "; ".join(part.basis for part in parts if part.basis and part.holds is holds)
    if holds is None:
        return Verdict(holds=None, why=first_reason(parts), basis=basis, rows=(_ROW,))
    if holds is False:
        return Verdict(holds=False, basis=basis, rows=(_ROW,))
    leads = tuple(dict.fromkeys(lead for part in parts[:-1] for lead in part.leads))
    shown, flags = _ratio(reading)
    whole = Verdict(holds=True, basis=f"{basis}{shown}", leads=leads, rows=(_ROW,))
    return whole.flagged(*(f for p in parts for f in p.flags), *flags, INFARCTION)


def _parts(reading: Reading) -> Iterator[Verdict]:
    rule, error = reading.criteria.pericarditis, reading.st_error_mv
    groups = reading.criteria.st_elevation.groups

    def raised(lead: LeadMeasurement, shift_mv: float) -> Call:
        value, limit = st_mv(lead), rule.elevation.from_mv + shift_mv
        shape = concave(reading, lead)
        text = f"{lead.lead} ST {mm(value)}" + (" concave" if shape else "")
        if value >= limit and shape is None and lead.t_mv is None:
            return no_call(lead, NotAssessed(why=Why.MISSING, detail="no T wave found"))
        holds = value >= limit and shape is True
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=value - limit)

    for group in rule.groups:
        needed = rule.leads_needed_in_a_group.count
        yield in_number(reading, groups[group], raised, needed=needed, row=_ROW, margin_mv=error)
    yield _low_pr(reading)
    yield _reciprocal(reading)


def _low_pr(reading: Reading) -> Verdict:
    """Return whether PR lies below TP in enough leads, and above it in aVR."""
    rule = reading.criteria.pericarditis

    def low(lead: LeadMeasurement, shift_mv: float) -> Call:
        value = pr_depression_mv(reading, lead)
        if isinstance(value, NotAssessed):
            return no_call(lead, value)
        value = -value if lead.lead == "aVR" else value
        limit = rule.pr_depression.from_mv + shift_mv
        sign = 1 if lead.lead == "aVR" else -1
        text = f"{lead.lead} PR {mm(sign * value)} against TP"
        return Call(lead=lead.lead, holds=value >= limit, words=text, margin_mv=value - limit)

    others = tuple(n for n in LEADS_12 if n not in rule.except_leads)
    count, error = rule.pr_leads_needed.count, reading.st_error_mv
    down = in_number(reading, others, low, needed=count, row=_ROW, margin_mv=error)
    up = in_any(reading, ("aVR",), low, row=_ROW, margin_mv=error)
    holds = every((down.holds, up.holds))
    basis = "; ".join(p.basis for p in (down, up) if p.holds is holds and p.basis)
    if holds is None:
        return Verdict(holds=None, why=first_reason((down, up)), basis=basis, rows=(_ROW,))
    flags = tuple(dict.fromkeys((*down.flags, *up.flags)))
    return Verdict(holds=holds, basis=basis, leads=down.leads, flags=flags, rows=(_ROW,))


def _reciprocal(reading: Reading) -> Verdict:
    """Return whether no lead outside aVR and V1 shows ST depression."""
    rule = reading.criteria.pericarditis

    def depressed(lead: LeadMeasurement, shift_mv: float) -> Call:
        value, limit = st_mv(lead), rule.reciprocal.from_mv + shift_mv
        text = f"{lead.lead} ST {mm(value)}"
        return Call(lead=lead.lead, holds=value <= -limit, words=text, margin_mv=-value - limit)

    leads = tuple(n for n in LEADS_12 if n not in rule.except_leads)
    found = in_any(reading, leads, depressed, row=_ROW, margin_mv=reading.st_error_mv)
    if found.holds is None:
        return found
    basis = found.basis if found.holds else "no reciprocal ST depression"
    return Verdict(holds=not found.holds, basis=basis, flags=found.flags, rows=(_ROW,))


def _ratio(reading: Reading) -> tuple[str, tuple[str, ...]]:
    rule = reading.criteria.pericarditis
    lead = reading.lead(rule.ratio_lead)
    if isinstance(lead, NotAssessed) or lead.t_mv is None or lead.t_mv <= 0:
        return f"; ST/T in {rule.ratio_lead} not measurable", ()
    ratio = st_mv(lead) / lead.t_mv
    reached = ratio >= rule.st_over_t.share
    return (
        f"; ST/T in {rule.ratio_lead} {ratio:.2f} (limit {rule.st_over_t.share:g})",
        (RATIO,) if reached else (),
    )
