"""ST-elevation criteria of infarction by lead, age and sex (UDMI-4 2018), in contiguous leads.

The criteria are for an ECG without left bundle branch block, ventricular pacing or hypertrophy:
`Gate` says whether the first two keep them from being applied. ST is read at the J point. Where sex
or age is not known, a lead counts only above the highest limit that may apply, and is below only
under the lowest.

**Hypertrophy.** A deep S wave is followed by ST elevation of its own. Where hypertrophy is present
(or cannot be excluded), it explains the leads of `LvhExplains.elevation_leads` whose S is deeper
than R. Elevation that meets the limits without these leads is `present`, flagged ``lvh-mimic``.
Where it rests on them, the criteria are **not assessed: conflicting**. Present would call a
catheter team for a known mimic as soon as somebody drops the flag; absent would hide an anterior
infarction in a patient with hypertrophy. Not assessed can be read as neither, and asks for the
comparison that settles it. The elevation itself stays a present statement of its region.

The lead aVR, also inverted, has no limit in the table and is not used here.
"""

from collections.abc import Collection, Iterable, Mapping

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import (
    Call,
    all_sets,
    contiguous,
    deciding,
    group_sets,
    nearest,
    open_call,
    words,
)
from tools.ecg.model import LEADS_12
from tools.ecg.reading import Reading, depth_mv, mm, st_mv
from tools.ecg.verdict import Verdict, unknown, with_margin

LVH_MIMIC = "lvh-mimic"
ROW = "st_elevation"
_NEAREST = 2
"""Leads named where the limit is not met."""


def elevation_calls(
    reading: Reading, leads: Iterable[str], *, shift_mv: float = 0.0
) -> dict[str, Call]:
    """Return for every lead with a limit whether ST at J reaches it.

    Args:
        reading: The ECG.
        leads: The leads wanted.
        shift_mv: Added to every limit, mV, to try the margin.
    """
    rule = reading.criteria.st_elevation
    limits = {lead: rule.possible_mv(lead, reading.sexes, reading.age) for lead in leads}
    return {lead: _call(reading, lead, mv, shift_mv) for lead, mv in limits.items() if mv}


def region(reading: Reading, group: str, gate: Verdict, lvh: Verdict) -> Verdict:
    """Return whether one region shows ST elevation; a region not recorded is not assessed.

    Elevation in leads that hypertrophy explains is there all the same, flagged ``lvh-mimic``.
    """
    rule = reading.criteria.st_elevation
    if (refusal := refused(reading, gate)) is not None:
        return refusal
    if not reading.recorded(*rule.groups[group]):
        leads = ", ".join(rule.groups[group])
        return unknown(Why.MISSING, f"{leads} not recorded", rows=(ROW,))
    sets = group_sets(rule, group)

    def at(shift_mv: float) -> Verdict:
        calls = elevation_calls(reading, rule.groups[group], shift_mv=shift_mv)
        return _verdict(calls, sets)

    verdict = with_margin(at, reading.st_error_mv)
    mimic = lvh.holds is not False and set(verdict.leads) & _explained_leads(reading)
    return verdict.flagged(LVH_MIMIC) if mimic else verdict


def criteria_met(reading: Reading, gate: Verdict, lvh: Verdict) -> Verdict:
    """Return whether the ST-elevation criteria of infarction are met in contiguous leads."""
    if (refusal := refused(reading, gate)) is not None:
        return refusal
    explained = _explained_leads(reading) if lvh.holds is not False else frozenset()

    def at(shift_mv: float) -> Verdict:
        return _criteria(reading, explained, lvh, shift_mv)

    return with_margin(at, reading.st_error_mv)


def diffuse(reading: Reading) -> bool:
    """Return whether all regions show ST elevation and no lead a reciprocal depression."""
    rule = reading.criteria.diffuse_elevation
    calls = elevation_calls(reading, LEADS_12)
    elevated = all(
        contiguous(calls, group_sets(reading.criteria.st_elevation, group)) is True
        for group in rule.groups
    )
    return elevated and not any(
        st_mv(lead) <= -rule.reciprocal_from_mv
        for lead in reading.m.lead
        if lead.lead in LEADS_12 and lead.lead not in rule.except_leads
    )


def refused(reading: Reading, gate: Verdict) -> Verdict | None:
    """Return why ordinary ST and T criteria are not applied at all, or None where they are."""
    if reading.outside_contract is not None:
        return Verdict(holds=None, why=reading.outside_contract)
    if gate.holds is False:
        return None
    if gate.why is not None:
        detail = f"conduction is not assessed ({gate.why.detail})"
        return unknown(Why.DEPENDS, detail)
    return unknown(
        Why.OUTSIDE_CONTRACT,
        f"{gate.basis}: ordinary ST and T criteria do not apply; the modified Sgarbossa and "
        "Barcelona rules are applied instead",
        flags=gate.flags,
    )


def _criteria(
    reading: Reading, explained: Collection[str], lvh: Verdict, shift_mv: float
) -> Verdict:
    rule = reading.criteria.st_elevation
    extra = [lead for group in rule.extra_groups for lead in rule.groups[group]]
    leads = (*LEADS_12, *(lead for lead in extra if reading.recorded(lead)))
    calls = elevation_calls(reading, leads, shift_mv=shift_mv)
    sets = all_sets(rule, calls)
    met = _verdict(calls, sets)
    if met.holds is not True or not set(met.leads) & set(explained):
        return met
    outside = {
        lead: Call(lead=lead, holds=False, words=call.words) if lead in explained else call
        for lead, call in calls.items()
    }
    if contiguous(outside, sets) is True:
        return met.flagged(LVH_MIMIC)
    doubt = "is met" if lvh.holds else "cannot be excluded"
    return unknown(
        Why.CONFLICTING,
        f"ST elevation ({met.basis}), but hypertrophy by voltage {doubt} and may cause it over "
        "deep S waves; compare with an earlier ECG",
        flags=(LVH_MIMIC,),
        leads=met.leads,
        rows=(ROW, "lvh_explains"),
    )


def _verdict(calls: Mapping[str, Call], sets: tuple[tuple[str, ...], ...]) -> Verdict:
    holds = contiguous(calls, sets)
    if holds is True:
        leads = deciding(calls, sets)
        return Verdict(holds=True, basis=words(calls, leads), leads=leads, rows=(ROW,))
    basis = "nearest to the limit: " + words(calls, nearest(calls, calls.keys(), _NEAREST))
    if holds is False:
        return Verdict(holds=False, basis=basis, rows=(ROW,))
    opened = open_call(calls, sets)
    missing = NotAssessed(why=Why.MISSING, detail="a contiguous lead is not recorded")
    return Verdict(holds=None, why=(opened and opened.why) or missing, basis=basis, rows=(ROW,))


def _call(reading: Reading, lead: str, limits: tuple[float, ...], shift_mv: float) -> Call:
    found = reading.lead(lead)
    if isinstance(found, NotAssessed):
        return Call(lead=lead, holds=None, words=f"{lead} {found.detail}", why=found)
    value, low, high = st_mv(found), limits[0] + shift_mv, limits[-1] + shift_mv
    limit = f"{limits[0] * 10:.1f}" + ("" if low == high else f" to {limits[-1] * 10:.1f}")
    text = f"{lead} {mm(value)} (limit {limit})"
    if value >= high:
        return Call(lead=lead, holds=True, words=text, margin_mv=value - high)
    if value < low:
        return Call(lead=lead, holds=False, words=text, margin_mv=value - low)
    return Call(lead=lead, holds=None, words=text, why=reading.missing_patient_facts())


def _explained_leads(reading: Reading) -> frozenset[str]:
    measured = {m.lead: m for m in reading.m.lead}
    return frozenset(
        lead
        for lead in reading.criteria.lvh_explains.elevation_leads
        if lead in measured and depth_mv(measured[lead]) > measured[lead].r_mv
    )
