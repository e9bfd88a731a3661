"""Every single ST and T criterion of one ECG, read at one J point or, where in doubt, at two."""

from dataclasses import dataclass

from knowledge.finding import Why
from tools.ecg import ischaemia, sgarbossa, st_elevation
from tools.ecg.ischaemia import Change
from tools.ecg.reading import Reading
from tools.ecg.verdict import Verdict, unknown


@dataclass(frozen=True, kw_only=True)
class StT:
    """The verdicts of the single criteria.

    Args:
        regions: ST elevation by group of leads.
        stemi: The ST-elevation criteria in contiguous leads.
        depression, inversion: ST depression and T inversion.
        at_j: Depression at the J point of any slope.
        posterior: The posterior pattern.
        multivessel: Widespread depression with elevation in aVR or V1.
        modified_sgarbossa, barcelona: Behind left bundle branch block or pacing.
    """

    regions: dict[str, Verdict]
    stemi: Verdict
    depression: Change
    at_j: Verdict
    inversion: Change
    posterior: Verdict
    multivessel: Verdict
    modified_sgarbossa: Verdict
    barcelona: Verdict


def st_and_t(reading: Reading, *, gate: Verdict, lvh: Verdict, rbbb: Verdict) -> StT:
    """Return every ST and T verdict.

    Where two estimates of the J point lie far apart, all is judged at both; a verdict that differs
    between them is not assessed.

    Args:
        reading: The ECG.
        gate: Whether left bundle branch block or pacing keeps the ordinary criteria out.
        lvh: Left ventricular hypertrophy by voltage.
        rbbb: Right bundle branch block.
    """
    first = _judge(reading, gate, lvh, rbbb)
    later = reading.at_later_j()
    return first if later is None else _agreed(first, _judge(later, gate, lvh, rbbb))


def _judge(reading: Reading, gate: Verdict, lvh: Verdict, rbbb: Verdict) -> StT:
    groups = reading.criteria.st_elevation.groups
    regions = {group: st_elevation.region(reading, group, gate, lvh) for group in groups}
    stemi = st_elevation.criteria_met(reading, gate, lvh)
    if gate.holds is False:
        stemi = stemi.flagged(*gate.flags, *(("rbbb",) if rbbb.holds and stemi.holds else ()))
    smith = sgarbossa.modified_sgarbossa(reading, gate)
    barcelona = sgarbossa.barcelona(reading, gate)
    refusal = st_elevation.refused(reading, gate)
    if refusal is not None:
        change = Change(seen=refusal, unexplained=refusal)
        depression = inversion = change
        posterior = multivessel = at_j = refusal
    else:
        depression = ischaemia.st_depression(reading, lvh=lvh, rbbb=rbbb)
        at_j = ischaemia.j_depression(reading)
        inversion = ischaemia.t_inversion(reading, lvh=lvh, rbbb=rbbb)
        posterior = ischaemia.posterior(reading, back=regions["posterior"], rbbb=rbbb)
        multivessel = ischaemia.multivessel(reading)
        if multivessel.holds and lvh.holds:
            multivessel = multivessel.flagged(st_elevation.LVH_MIMIC)
    return StT(
        regions=regions,
        stemi=stemi,
        depression=depression,
        at_j=at_j,
        inversion=inversion,
        posterior=posterior,
        multivessel=multivessel,
        modified_sgarbossa=smith,
        barcelona=barcelona,
    )


def _agreed(first: StT, later: StT) -> StT:
    return StT(
        regions={
            group: same_at_both(v, later.regions[group]) for group, v in first.regions.items()
        },
        stemi=same_at_both(first.stemi, later.stemi),
        depression=_same_change(first.depression, later.depression),
        at_j=same_at_both(first.at_j, later.at_j),
        inversion=_same_change(first.inversion, later.inversion),
        posterior=same_at_both(first.posterior, later.posterior),
        multivessel=same_at_both(first.multivessel, later.multivessel),
        modified_sgarbossa=same_at_both(first.modified_sgarbossa, later.modified_sgarbossa),
        barcelona=same_at_both(first.barcelona, later.barcelona),
    )


def _same_change(first: Change, later: Change) -> Change:
    return Change(
        seen=same_at_both(first.seen, later.seen),
        unexplained=same_at_both(first.unexplained, later.unexplained),
    )


def same_at_both(first: Verdict, later: Verdict) -> Verdict:
    """Return the verdict at the first J point where the later one agrees, else not assessed."""
    if first.holds is later.holds:
        return first
    return unknown(
        Why.QUALITY,
        "the J point is uncertain: two estimates of the QRS end lie far apart, and the answer "
        f"differs between them ({_says(first)}, or {_says(later)})",
        flags=("j-uncertain",),
        rows=first.rows,
    )


def _says(verdict: Verdict) -> str:
    return verdict.why.detail if verdict.why is not None else verdict.basis
