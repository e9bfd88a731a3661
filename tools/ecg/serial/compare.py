"""Comparing a tracing with an earlier one of the same patient.

Refused: tracings of different patients, or of patients nobody can tell to be the same; a "later"
tracing that is earlier. ST is compared lead by lead only where both tracings may state it, were
recorded with the same low cut (as far as the files tell), and have the same conduction: a bundle
branch block that came or went moves ST by itself. A change within our error of a difference is not
called one. Position and electrode placement also move ST; no file tells them.
"""

from collections.abc import Iterator

import numpy as np

from knowledge.clinical_time import ClinicalTime, elapsed
from knowledge.ecg_criteria import ecg_criteria
from knowledge.errors import IdentityConflictError, InvalidValueError
from knowledge.finding import Finding, NotAssessed, State, Why
from tools.ecg.contiguity import Call, all_sets, contiguous, deciding, nearest, open_call, words
from tools.ecg.model import EcgRecording
from tools.ecg.serial.model import EcgComparison, NumberChange, StChange
from tools.ecg.serial.statements import changed, said
from tools.ecg.serial.tracing import Tracing, difference_error
from tools.ecg.verdict import Verdict
from tools.intake.identity import compare as compare_identities

CONDUCTION = ("lbbb", "paced_rhythm", "rbbb")
COMPARED = (
    *CONDUCTION,
    "atrial-fibrillation",
    "q-waves-inferior",
    "q-waves-high-lateral",
    "q-waves-anterior",
    "q-waves-posterior",
    "t-inversion-inferior",
    "t-inversion-lateral",
    "t-inversion-anterior",
)
"""Statements that may be new or gone."""
_NUMBERS = {
    "heart-rate": ("Heart rate", "/min", None),
    "pr": ("PR", "ms", "pr"),
    "qrs": ("QRS", "ms", "qrs"),
    "qt": ("QT", "ms", "qt"),
    "qtcf": ("QTc (Fridericia)", "ms", "qt"),
    "axis": ("Axis", "deg", "axis_device"),
}
_MM_PER_MV = 10.0
_NEAREST = 2
_FARTHEST_ZONE_S, _ZONE_STEP_S = 14 * 3600, 900
_STORED_STEP_MV = 0.006  # the coarsest step of the formats written and read is 5 uV


def compare(earlier: Tracing, later: Tracing, *, same_patient: bool = False) -> EcgComparison:
    """Return what changed from the earlier to the later tracing.

    Args:
        earlier: The tracing before.
        later: The tracing now.
        same_patient: Somebody who knows says that both are of one patient: used only where the
            files carry too little to tell, never against a mismatch.

    Raises:
        IdentityConflictError: Different patients, or not known to be one.
        InvalidValueError: The same recording twice, or in the wrong order.
    """
    check_patient(earlier, later, same_patient=same_patient)
    check_order(earlier, later)
    st = tuple(_st_changes(earlier, later))
    numbers = tuple(_numbers(earlier, later))
    rise, fall = _moved(st, up=True), _moved(st, up=False)
    findings = (
        said("st-rise", "ST higher than before in contiguous leads", rise, earlier, later),
        said("st-fall", "ST lower than before in contiguous leads", fall, earlier, later),
        *(f for code in COMPARED for f in changed(code, earlier, later)),
        _qtc(numbers, earlier, later),
    )
    rule = ecg_criteria().comparison
    return EcgComparison(
        earlier=earlier.recording.id,
        later=later.recording.id,
        earlier_time=earlier.recording.start,
        later_time=later.recording.start,
        headline=_headline(findings, st),
        findings=findings,
        st=st,
        numbers=numbers,
        cautions=tuple(_cautions(earlier, later, numbers)),
        source=(ecg_criteria().cite("ecg_criteria", rule.source, rule.review),),
    )


def check_patient(earlier: Tracing, later: Tracing, *, same_patient: bool) -> None:
    """Refuse two tracings that are not known to be of one patient.

    Raises:
        IdentityConflictError: With the files, never with values.
    """
    a, b = earlier.recording, later.recording
    found = compare_identities(a.identity, b.identity)
    if found.result == "mismatch":
        raise IdentityConflictError(
            f"{a.file}, {b.file}",
            f"they are of different patients: {', '.join(found.differ)} differ",
            "compare tracings of one patient",
            files=(a.file, b.file),
        )
    if found.result != "match" and not same_patient:
        raise IdentityConflictError(
            f"{a.file}, {b.file}",
            "they do not tell whether they are of one patient",
            "state that they are, where you know it",
            files=(a.file, b.file),
        )


def check_order(earlier: Tracing, later: Tracing) -> None:
    """Refuse the same recording twice, and a later tracing that was recorded before.

    Raises:
        InvalidValueError: With the way out.
    """
    a, b = earlier.recording, later.recording
    if a.id == b.id or same_recording(a, b):
        raise InvalidValueError(b.file, "the same recording twice", "give two tracings")
    minutes = elapsed(a.start, b.start).minutes
    if minutes is not None and minutes.high is not None and minutes.high < 0:
        raise InvalidValueError(b.file, "recorded before the other", "give the earlier one first")


def same_recording(a: EcgRecording, b: EcgRecording) -> bool:
    """Return whether two files hold one recording: same start, rate, leads and samples.

    A recording exported in another format has another id. Samples agree within the steps in which
    formats store them; two recordings of one patient never do.
    """
    if not np.isclose(a.sampling_rate_hz, b.sampling_rate_hz):
        return False
    if len(a.signal_mv) != len(b.signal_mv):
        return False
    if a.start is not None and b.start is not None and not _may_be_one_moment(a.start, b.start):
        return False
    leads = [lead for lead in a.leads if lead in b.leads]
    if not leads:
        return False
    first = a.signal_mv[:, [a.leads.index(lead) for lead in leads]]
    second = b.signal_mv[:, [b.leads.index(lead) for lead in leads]]
    if np.abs(np.nan_to_num(first)).max(initial=0.0) <= _STORED_STEP_MV:
        return False  # no signal: it tells no recording from another
    return bool(np.allclose(first, second, rtol=0, atol=_STORED_STEP_MV, equal_nan=True))


def _may_be_one_moment(a: ClinicalTime, b: ClinicalTime) -> bool:
    """Return whether two starts may be one: an unknown zone lies within 14 h in quarter hours.

    An export may have been given the zone that its source did not state.
    """
    if (a.at.tzinfo is None) == (b.at.tzinfo is None):
        return a.at == b.at
    apart = abs((a.at.replace(tzinfo=None) - b.at.replace(tzinfo=None)).total_seconds())
    return apart <= _FARTHEST_ZONE_S and apart % _ZONE_STEP_S == 0


def st_refusal(earlier: Tracing, later: Tracing) -> NotAssessed | None:
    """Return why ST of two tracings is not compared at all, or None where it is."""
    low = {r.low_cut_hz for r in (earlier.recording, later.recording)} - {None}
    if len(low) > 1:
        shown = " and ".join(f"{hz:g}" for hz in sorted(x for x in low if x is not None))
        detail = f"recorded with different low cuts ({shown} Hz), which moves ST by itself"
        return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)
    for code in CONDUCTION:
        before, after = earlier.state(code), later.state(code)
        for found in (before, after):
            if found.not_assessed is not None:
                detail = f"{found.concept.text} is not assessed ({found.not_assessed.detail})"
                return NotAssessed(why=Why.DEPENDS, detail=detail)
        if before.state is not after.state:
            detail = f"{before.concept.text} came or went, which moves ST by itself"
            return NotAssessed(why=Why.OUTSIDE_CONTRACT, detail=detail)
    return None


def _st_changes(earlier: Tracing, later: Tracing) -> Iterator[StChange]:
    refusal = st_refusal(earlier, later)
    error = round(difference_error("st_j") / 1000 * _MM_PER_MV, 2)  # the table states uV
    names = (*earlier.m.leads, *(n for n in later.m.leads if n not in earlier.m.leads))
    for lead in names:
        before, after = earlier.st_j_mm(lead), later.st_j_mm(lead)
        why = refusal or next((v for v in (before, after) if isinstance(v, NotAssessed)), None)
        shown = [None if isinstance(v, NotAssessed) else v for v in (before, after)]
        if why is not None or shown[0] is None or shown[1] is None:
            yield StChange(
                lead=lead,
                before_mm=shown[0],
                after_mm=shown[1],
                error_mm=error,
                not_assessed=why,
            )
            continue
        change = round(shown[1] - shown[0], 2)
        yield StChange(
            lead=lead,
            before_mm=shown[0],
            after_mm=shown[1],
            change_mm=change,
            error_mm=error,
            beyond_error=abs(change) > error,
        )


def _moved(st: tuple[StChange, ...], *, up: bool) -> Verdict:
    """Return whether ST rose, or fell, by the limit in contiguous leads, beyond our error."""
    rule, elevation = ecg_criteria().comparison, ecg_criteria().st_elevation
    limit = (rule.rise_from_mv if up else rule.fall_from_mv) * _MM_PER_MV
    calls = {change.lead: _call(change, limit, up=up) for change in st}
    sets = all_sets(elevation, calls)
    holds = contiguous(calls, sets) if sets else None
    if holds is True:
        leads = deciding(calls, sets)
        return Verdict(holds=True, basis=words(calls, leads), leads=leads, rows=("comparison",))
    basis = "largest: " + words(calls, nearest(calls, calls.keys(), _NEAREST))
    if holds is False:
        return Verdict(holds=False, basis=basis, rows=("comparison",))
    opened = open_call(calls, sets)
    missing = NotAssessed(why=Why.MISSING, detail="no contiguous leads in both tracings")
    why = (opened and opened.why) or missing
    return Verdict(holds=None, why=why, basis=basis, rows=("comparison",))


def _call(change: StChange, limit_mm: float, *, up: bool) -> Call:
    if change.change_mm is None:
        why = change.not_assessed or NotAssessed(why=Why.MISSING, detail="not compared")
        return Call(lead=change.lead, holds=None, words=f"{change.lead} {why.detail}", why=why)
    moved = change.change_mm if up else -change.change_mm
    text = (
        f"{change.lead} {change.before_mm:+.2f} to {change.after_mm:+.2f} mm "
        f"({change.change_mm:+.2f} mm, error {change.error_mm:.2f})"
    )
    margin = (moved - limit_mm) / _MM_PER_MV
    if moved >= limit_mm and not change.beyond_error:
        why = NotAssessed(why=Why.QUALITY, detail=f"{text}: within our error of a difference")
        return Call(lead=change.lead, holds=None, words=text, why=why)
    return Call(lead=change.lead, holds=moved >= limit_mm, words=text, margin_mv=margin)


def _numbers(earlier: Tracing, later: Tracing) -> Iterator[NumberChange]:
    for code, (label, unit, row) in _NUMBERS.items():
        before, after = earlier.number(code), later.number(code)
        error = None if row is None else round(difference_error(row), 1)
        why = next((v for v in (before, after) if isinstance(v, NotAssessed)), None)
        shown = [None if isinstance(v, NotAssessed) else v for v in (before, after)]
        change = None if shown[0] is None or shown[1] is None else shown[1] - shown[0]
        if code == "axis" and change is not None:
            change = (change + 180) % 360 - 180
        yield NumberChange(
            code=code,
            label=label,
            unit=unit,
            before=shown[0],
            after=shown[1],
            change=change,
            error=error,
            not_assessed=why,
        )


def _qtc(numbers: tuple[NumberChange, ...], earlier: Tracing, later: Tracing) -> Finding:
    """Return whether QTc became longer by the limit, beyond our error."""
    limit = ecg_criteria().comparison.qtc_change_from_ms.from_ms
    found = next(n for n in numbers if n.code == "qtcf")
    label = f"QTc longer than before by {limit:g} ms or more"
    if found.change is None:
        why = found.not_assessed or NotAssessed(why=Why.MISSING, detail="no QTc")
        verdict = Verdict(holds=None, why=why, rows=("comparison",))
        return said("qtc-longer", label, verdict, earlier, later)
    basis = f"QTc {found.before:.0f} to {found.after:.0f} ms ({found.change:+.0f}, error "
    basis += f"{found.error:.0f})"
    longer = found.change >= limit and found.change > (found.error or 0.0)
    verdict = Verdict(holds=longer, basis=basis, rows=("comparison",))
    return said("qtc-longer", label, verdict, earlier, later)


def _cautions(earlier: Tracing, later: Tracing, numbers: tuple[NumberChange, ...]) -> Iterator[str]:
    a, b = earlier.recording, later.recording
    if None in (a.low_cut_hz, b.low_cut_hz):
        yield "The low cut of the recorder is not known for both tracings; another one moves ST."
    if elapsed(a.start, b.start).minutes is None:
        yield "The times of the tracings cannot be compared: the order is as given."
    axis = next(n for n in numbers if n.code == "axis")
    limit = ecg_criteria().comparison.axis_shift_above_deg.degrees
    if axis.change is not None and abs(axis.change) > limit:
        yield (
            f"The axis moved by {axis.change:+.0f} degrees: another position or electrode "
            "placement also moves ST and T."
        )
    if set(a.leads) != set(b.leads):
        only = sorted(set(a.leads) ^ set(b.leads))
        yield f"Recorded in one tracing only: {', '.join(only)}."


def _headline(findings: tuple[Finding, ...], st: tuple[StChange, ...]) -> str:
    present = {f.concept.codings[0].code: f for f in findings if f.state is State.PRESENT}
    first = ("new-lbbb", "new-paced_rhythm", "st-rise", "st-fall", "new-rbbb")
    order = [code for code in first if code in present]
    order += [code for code in present if code not in first]
    if order:
        shown = [present[code] for code in order]
        parts = [f.concept.text + (f" ({f.body_site})" if f.body_site else "") for f in shown]
        return f"{'; '.join(parts)}."
    compared = [c for c in st if c.change_mm is not None]
    if not compared:
        reason = next((c.not_assessed.detail for c in st if c.not_assessed), "no lead in both")
        return f"ST not compared: {reason}."
    largest = max(compared, key=lambda c: abs(c.change_mm or 0.0))
    unknown = [f for f in findings if f.state is State.NOT_ASSESSED]
    rest = f"; {len(unknown)} changes not assessed" if unknown else ""
    return (
        f"No change that counts: largest ST change {largest.change_mm:+.2f} mm in {largest.lead} "
        f"(error {largest.error_mm:.2f} mm){rest}."
    )
