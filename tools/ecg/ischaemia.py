"""Ischaemia without ST elevation: ST depression, T inversion, posterior and multivessel patterns.

ST is read at the J point. Hypertrophy and right bundle branch block change ST and T by themselves;
a change that rests on the leads they explain is `present`, flagged, and its `Change.unexplained` is
not known, so that no later statement takes it for ischaemia, or for none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from knowledge.finding import NotAssessed, Why
from tools.ecg.contiguity import Call, all_sets, contiguous, deciding, nearest, open_call, words
from tools.ecg.model import LEADS_12, LeadMeasurement
from tools.ecg.reading import Reading, depth_mv, mm, st_mv, upright
from tools.ecg.st_elevation import LVH_MIMIC
from tools.ecg.verdict import Verdict, some, unknown, with_margin

RBBB_MIMIC = "secondary-to-rbbb"
_NEAREST = 2


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of ST or T.

    Args:
        seen: Whether it is there.
        unexplained: Whether it is there beyond what hypertrophy and right bundle branch block
            cause by themselves.
    """

    seen: Verdict
    unexplained: Verdict

    @classmethod
    def unknown(cls, refusal: Verdict) -> "Change":
        """Return the change of an ECG on which the criteria are not applied."""
        return cls(seen=refusal, unexplained=refusal)


def st_depression(reading: Reading, *, lvh: Verdict, rbbb: Verdict) -> Change:
    """Return whether contiguous leads show horizontal or downsloping ST depression (UDMI-4)."""
    rule = reading.criteria.st_depression

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        value, slope = st_mv(lead), lead.st_slope_mv_s
        limit = rule.from_mv + shift_mv
        flat = slope <= rule.slope.below_mv_per_s
        text = f"{lead.lead} {mm(value)} (limit {mm(-rule.from_mv)}, slope {slope:+.1f} mV/s)"
        return Call(
            lead=lead.lead, holds=value <= -limit and flat, words=text, margin_mv=-value - limit
        )

    return _change(reading, "st_depression", rule.leads, call, lvh=lvh, rbbb=rbbb)


def j_depression(reading: Reading) -> Verdict:
    """Return whether contiguous leads lie below the baseline at the J point, whatever the slope.

    Upsloping depression is no criterion of ischaemia, and no normal ECG either.
    """
    rule, rows = reading.criteria.st_depression, ("st_depression",)
    sets = all_sets(reading.criteria.st_elevation, rule.leads)

    def call(name: str, shift_mv: float) -> Call:
        found = reading.lead(name)
        if isinstance(found, NotAssessed):
            return Call(lead=name, holds=None, words=f"{name} {found.detail}", why=found)
        value, limit = st_mv(found), rule.from_mv + shift_mv
        text = f"{name} {mm(value)} at J (limit {mm(-rule.from_mv)})"
        return Call(lead=name, holds=value <= -limit, words=text, margin_mv=-value - limit)

    def at(shift_mv: float) -> Verdict:
        calls = {name: call(name, shift_mv) for name in rule.leads}
        holds = contiguous(calls, sets)
        if holds is None:
            opened = open_call(calls, sets)
            missing = NotAssessed(why=Why.MISSING, detail="a contiguous lead is not recorded")
            return Verdict(holds=None, why=(opened and opened.why) or missing, rows=rows)
        leads = deciding(calls, sets)
        shown = leads or nearest(calls, calls.keys(), _NEAREST)
        return Verdict(holds=holds, basis=words(calls, shown), leads=leads, rows=rows)

    return with_margin(at, reading.st_error_mv)


def t_inversion(reading: Reading, *, lvh: Verdict, rbbb: Verdict) -> Change:
    """Return whether contiguous leads with a prominent R show T inversion (UDMI-4)."""
    rule = reading.criteria.t_inversion

    def call(lead: LeadMeasurement, shift_mv: float) -> Call:
        limit = rule.above_mv + shift_mv
        if lead.t_mv is None:
            why = NotAssessed(why=Why.MISSING, detail=f"no T wave found in {lead.lead}")
            return Call(lead=lead.lead, holds=None, words=f"{lead.lead} T not found", why=why)
        prominent = lead.r_mv > rule.r_over_s_above * depth_mv(lead)
        text = f"{lead.lead} T {mm(lead.t_mv)} (limit {mm(-rule.above_mv)})"
        holds = prominent and -lead.t_mv > limit
        return Call(lead=lead.lead, holds=holds, words=text, margin_mv=-lead.t_mv - limit)

    return _change(reading, "t_inversion", rule.leads, call, lvh=lvh, rbbb=rbbb)


def posterior(reading: Reading, *, back: Verdict, rbbb: Verdict) -> Verdict:
    """Return whether the anterior leads mirror a posterior infarction.

    Horizontal ST depression in V1-V3 with an upright T, and a tall broad R in V2. V7-V9 (`back`)
    settle it where they are recorded. Where they are not: the whole pattern is `present`, to be
    confirmed; depression with an upright T without the tall R, or with a right bundle branch block
    that makes the R by itself, is not assessed until V7-V9 are recorded; no depression is absent.
    """
    rule, rows = reading.criteria.posterior, ("posterior",)
    if back.holds is not None:
        return Verdict(
            holds=back.holds, basis=f"V7-V9: {back.basis}", leads=back.leads, flags=back.flags,
            rows=rows,
        )  # fmt: skip

    def at(shift_mv: float) -> Verdict:
        calls = {name: _mirror_call(reading, name, shift_mv) for name in rule.leads}
        sets = all_sets(reading.criteria.st_elevation, rule.leads)
        holds = contiguous(calls, sets)
        if holds is None:
            opened = open_call(calls, sets)
            why = opened.why if opened and opened.why else NotAssessed(why=Why.MISSING, detail="")
            return Verdict(holds=None, why=why, rows=rows)
        leads = deciding(calls, sets) or nearest(calls, rule.leads, _NEAREST)
        return Verdict(holds=holds, basis=words(calls, leads), leads=leads, rows=rows)

    mirrored = with_margin(at, reading.st_error_mv)
    if mirrored.holds is not True:
        return mirrored
    return _with_tall_r(reading, mirrored, rbbb)


def multivessel(reading: Reading) -> Verdict:
    """Return whether many leads show ST depression while aVR or V1 shows ST elevation.

    Depression counts where it is horizontal or downsloping, as for `st_depression`.
    """

    def at(shift_mv: float) -> Verdict:
        return _multivessel(reading, shift_mv)

    return with_margin(at, reading.st_error_mv)


def _multivessel(reading: Reading, shift_mv: float) -> Verdict:
    rule, rows = reading.criteria.multivessel, ("multivessel",)
    limit = rule.depression_from_mv + shift_mv
    found = {name: reading.lead(name) for name in LEADS_12}
    flat = reading.criteria.st_depression.slope.below_mv_per_s
    deep = tuple(
        n
        for n, m in found.items()
        if not isinstance(m, NotAssessed) and st_mv(m) <= -limit and m.st_slope_mv_s <= flat
    )
    open_ = [m for m in found.values() if isinstance(m, NotAssessed)]
    up = some(
        None if isinstance(m, NotAssessed) else st_mv(m) >= rule.elevation.from_mv + shift_mv
        for m in (found[name] for name in rule.elevation_leads)
    )
    shown = ", ".join(
        f"{n} {mm(st_mv(m))}"
        for n in rule.elevation_leads
        if not isinstance(m := found[n], NotAssessed)
    )
    basis = (
        f"ST depression of at least {mm(-rule.depression_from_mv)} in {len(deep)} leads "
        f"(limit {rule.leads_needed}); {shown}"
    )
    if up is False or len(deep) + len(open_) < rule.leads_needed:
        return Verdict(holds=False, basis=basis, rows=rows)
    if up is True and len(deep) >= rule.leads_needed:
        return Verdict(holds=True, basis=basis, leads=deep, rows=rows)
    return Verdict(holds=None, why=open_[0], basis=basis, rows=rows)


def _change(
    reading: Reading,
    row: str,
    leads: tuple[str, ...],
    call: Callable[[LeadMeasurement, float], Call],
    *,
    lvh: Verdict,
    rbbb: Verdict,
) -> Change:
    sets = all_sets(reading.criteria.st_elevation, leads)

    def calls_at(shift_mv: float) -> dict[str, Call]:
        found = {name: reading.lead(name) for name in leads}
        return {
            name: Call(lead=name, holds=None, words=f"{name} {m.detail}", why=m)
            if isinstance(m, NotAssessed)
            else call(m, shift_mv)
            for name, m in found.items()
        }

    def at(shift_mv: float) -> Verdict:
        return _verdict(calls_at(shift_mv), sets, row)

    seen = with_margin(at, reading.st_error_mv)
    if seen.holds is not True:
        return Change(seen=seen, unexplained=seen)
    mimics = {
        RBBB_MIMIC: _explained_by_rbbb(reading) if rbbb.holds is not False else frozenset(),
        LVH_MIMIC: _explained_by_lvh(reading) if lvh.holds is not False else frozenset(),
    }
    flags = tuple(flag for flag, explained in mimics.items() if explained & set(seen.leads))
    if not flags:
        return Change(seen=seen, unexplained=seen)
    explained = frozenset[str]().union(*mimics.values())
    rest = {
        name: replace(c, holds=False) if name in explained else c
        for name, c in calls_at(0.0).items()
    }
    seen = seen.flagged(*flags)
    if contiguous(rest, sets) is True:
        return Change(seen=seen, unexplained=seen)
    detail = f"{seen.basis}: may be secondary to hypertrophy or right bundle branch block"
    doubt = unknown(Why.CONFLICTING, detail, flags=flags, leads=seen.leads, rows=(row,))
    return Change(seen=seen, unexplained=doubt)


def _verdict(calls: dict[str, Call], sets: tuple[tuple[str, ...], ...], row: str) -> Verdict:
    holds = contiguous(calls, sets)
    if holds is True:
        leads = deciding(calls, sets)
        return Verdict(holds=True, basis=words(calls, leads), leads=leads, rows=(row,))
    basis = "nearest to the limit: " + words(calls, nearest(calls, calls.keys(), _NEAREST))
    if holds is False:
        return Verdict(holds=False, basis=basis, rows=(row,))
    opened = open_call(calls, sets)
    missing = NotAssessed(why=Why.MISSING, detail="a contiguous lead is not recorded")
    return Verdict(holds=None, why=(opened and opened.why) or missing, basis=basis, rows=(row,))


def _mirror_call(reading: Reading, name: str, shift_mv: float) -> Call:
    rule, found = reading.criteria.posterior, reading.lead(name)
    if isinstance(found, NotAssessed):
        return Call(lead=name, holds=None, words=f"{name} {found.detail}", why=found)
    value, limit = st_mv(found), rule.depression_from_mv + shift_mv
    horizontal = found.st_slope_mv_s <= reading.criteria.st_depression.slope.below_mv_per_s
    upright_t = found.t_mv is not None and found.t_mv > 0
    text = f"{name} {mm(value)} (limit {mm(-rule.depression_from_mv)}), T " + (
        "upright" if upright_t else "not upright"
    )
    holds = value <= -limit and horizontal and upright_t
    return Call(lead=name, holds=holds, words=text, margin_mv=-value - limit)


def _with_tall_r(reading: Reading, mirrored: Verdict, rbbb: Verdict) -> Verdict:
    rule = reading.criteria.posterior
    found = reading.lead(rule.r_lead)
    if isinstance(found, NotAssessed):
        return Verdict(holds=None, why=found, rows=mirrored.rows)
    tall = found.r_mv > rule.r_over_s_above * depth_mv(found)
    broad = (found.r_ms or 0.0) > rule.r_above_ms
    basis = f"{mirrored.basis}; R in {rule.r_lead} {mm(found.r_mv)}, {found.r_ms or 0:.0f} ms"
    if tall and broad and rbbb.holds is False:
        return replace(mirrored, basis=basis).flagged("confirm-v7-v9")
    reason = (
        "right bundle branch block makes a tall R by itself"
        if rbbb.holds is not False
        else f"no tall broad R in {rule.r_lead}"
    )
    return unknown(
        Why.MISSING,
        f"ST depression with upright T in {', '.join(mirrored.leads)}, {reason}; V7-V9 not "
        "recorded",
        flags=mirrored.flags,
        leads=mirrored.leads,
        rows=mirrored.rows,
    )


def _explained_by_rbbb(reading: Reading) -> frozenset[str]:
    """Return the leads whose ST and T a right bundle branch block explains.

    It turns the T wave against its late R; ST depression under an upright T is not explained.
    """
    leads = reading.criteria.rbbb.explains_leads
    return frozenset(m.lead for m in reading.m.lead if m.lead in leads and (m.t_mv or 0.0) < 0)


def _explained_by_lvh(reading: Reading) -> frozenset[str]:
    leads = reading.criteria.lvh_explains.depression_leads
    return frozenset(m.lead for m in reading.m.lead if m.lead in leads and upright(m))
