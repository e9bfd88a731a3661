"""Three or more tracings of one patient: what ST, rate and QTc do over time."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from knowledge.clinical_time import elapsed
from knowledge.ecg_criteria import ecg_criteria
from knowledge.errors import InvalidValueError
from knowledge.finding import Finding, NotAssessed, Why
from tools.ecg.contiguity import Call, all_sets, contiguous, deciding, nearest, open_call, words
from tools.ecg.serial.compare import check_patient, compare, st_refusal
from tools.ecg.serial.model import EcgTrend, LeadTrend
from tools.ecg.serial.statements import said
from tools.ecg.serial.tracing import Tracing, difference_error
from tools.ecg.verdict import Verdict

MIN_TRACINGS = 3
_ALPHA = 0.05
_MM_PER_MV = 10.0


def trend(tracings: Sequence[Tracing], *, same_patient: bool = False) -> EcgTrend:
    """Return the course of a series.

    The error of a range over n tracings is wider than that of one difference: it covers every pair
    (Bonferroni over n (n - 1) / 2 pairs at 5 %).

    Args:
        tracings: At least three, oldest first where their times cannot be compared.
        same_patient: As for `compare`.

    Raises:
        InvalidValueError: Fewer than three, or a recording given twice.
        IdentityConflictError: Not known to be of one patient.
    """
    if len(tracings) < MIN_TRACINGS:
        raise InvalidValueError(
            f"{len(tracings)} tracings", "a trend needs three", "compare two with each other"
        )
    series = _in_order(tracings)
    for index, one in enumerate(series):
        for other in series[index + 1 :]:
            check_patient(one, other, same_patient=same_patient)
    steps = tuple(compare(a, b, same_patient=same_patient) for a, b in pairwise(series))
    refusal = next((r for t in series[1:] if (r := st_refusal(series[0], t)) is not None), None)
    leads = tuple(_lead(name, series, refusal) for name in _names(series))
    dynamic = _dynamic(leads, refusal)
    first, last = series[0], series[-1]
    finding = said("st-dynamic", "ST changes over the series", dynamic, first, last)
    return EcgTrend(
        recordings=tuple(t.recording.id for t in series),
        times=tuple(t.recording.start for t in series),
        headline=_headline(finding, leads, len(series)),
        leads=leads,
        heart_rates_per_min=tuple(_number(t, "heart-rate") for t in series),
        qtcf_ms=tuple(_number(t, "qtcf") for t in series),
        findings=(finding, *(f for step in steps for f in step.findings)),
        steps=steps,
        cautions=tuple(dict.fromkeys(c for step in steps for c in step.cautions)),
    )


def range_error_mm(number: int) -> float:
    """Return the limit of our error of the range of ST at J over a series, mm.

    Args:
        number: How many tracings.

    Examples:
        >>> range_error_mm(2) < range_error_mm(3) < range_error_mm(6)
        True
    """
    pairs = number * (number - 1) / 2
    z = NormalDist().inv_cdf(1 - _ALPHA / (2 * pairs))
    return round(difference_error("st_j", z=z) / 1000 * _MM_PER_MV, 2)  # the table states uV


def course(levels: Sequence[float], error_mm: float) -> str:
    """Return the course of a series in words; a turn counts where it is beyond the error.

    Examples:
        >>> course([0.0, 1.0, 2.0], 0.7), course([0.0, 2.0, 0.1], 0.7), course([0.0, 0.3, 0.1], 0.7)
        ('rising', 'rise and fall', 'stable')
    """
    if max(levels) - min(levels) <= error_mm:
        return "stable"
    up, down = _first_move(levels, error_mm), _first_move([-x for x in levels], error_mm)
    if up is None or down is None:
        return "falling" if up is None else "rising"
    return "rise and fall" if up < down else "fall and rise"


def _first_move(levels: Sequence[float], error_mm: float) -> int | None:
    """Return where a level first lies above an earlier one by more than the error."""
    lowest = levels[0]
    for index, level in enumerate(levels):
        lowest = min(lowest, level)
        if level - lowest > error_mm:
            return index
    return None


def _in_order(tracings: Sequence[Tracing]) -> list[Tracing]:
    """Return the tracings oldest first; as given where their times cannot be compared."""
    ids = [t.recording.id for t in tracings]
    if len(set(ids)) < len(ids):
        raise InvalidValueError("tracings", "a recording is given twice", "give each once")
    known = all(
        elapsed(a.recording.start, b.recording.start).minutes is not None
        for a in tracings
        for b in tracings
    )
    if not known:
        return list(tracings)
    return sorted(tracings, key=_start)


def _start(tracing: Tracing) -> tuple[object, str]:
    start = tracing.recording.start
    assert start is not None  # noqa: S101 - two known distances need two times
    return start.sort_key


def _names(series: Sequence[Tracing]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for t in series for name in t.m.leads))


def _lead(name: str, series: Sequence[Tracing], refusal: NotAssessed | None) -> LeadTrend:
    error = range_error_mm(len(series))
    found = [t.st_j_mm(name) for t in series]
    levels = tuple(None if isinstance(v, NotAssessed) else v for v in found)
    known = [v for v in levels if v is not None]
    if refusal is not None or len(known) < len(levels):
        word, span = "not assessed", None
    else:
        word, span = course(known, error), round(max(known) - min(known), 2)
    return LeadTrend(lead=name, levels_mm=levels, range_mm=span, error_mm=error, course=word)


def _dynamic(leads: Sequence[LeadTrend], refusal: NotAssessed | None) -> Verdict:
    """Return whether ST moves by 0.5 mm or more in contiguous leads, beyond the error."""
    if refusal is not None:
        return Verdict(holds=None, why=refusal, rows=("comparison",))
    limit = ecg_criteria().comparison.fall_from_mv * _MM_PER_MV
    calls = {lead.lead: _call(lead, limit) for lead in leads}
    sets = all_sets(ecg_criteria().st_elevation, calls)
    holds = contiguous(calls, sets) if sets else None
    if holds is None:
        opened = open_call(calls, sets)
        missing = NotAssessed(why=Why.MISSING, detail="no contiguous leads in every tracing")
        return Verdict(holds=None, why=(opened and opened.why) or missing, rows=("comparison",))
    found = deciding(calls, sets)
    shown = found or nearest(calls, calls.keys(), 2)
    return Verdict(holds=holds, basis=words(calls, shown), leads=found, rows=("comparison",))


def _call(lead: LeadTrend, limit_mm: float) -> Call:
    if lead.range_mm is None:
        why = NotAssessed(why=Why.MISSING, detail=f"ST in {lead.lead} is not assessed throughout")
        return Call(lead=lead.lead, holds=None, words=f"{lead.lead} not assessed", why=why)
    levels = ", ".join(f"{v:+.2f}" for v in lead.levels_mm if v is not None)
    text = f"{lead.lead} {levels} mm (range {lead.range_mm:.2f}, error {lead.error_mm:.2f})"
    margin = (lead.range_mm - limit_mm) / _MM_PER_MV
    if lead.range_mm >= limit_mm and lead.course == "stable":
        why = NotAssessed(why=Why.QUALITY, detail=f"{text}: within our error over the series")
        return Call(lead=lead.lead, holds=None, words=text, why=why)
    return Call(lead=lead.lead, holds=lead.range_mm >= limit_mm, words=text, margin_mv=margin)


def _number(tracing: Tracing, code: str) -> float | None:
    value = tracing.number(code)
    return None if isinstance(value, NotAssessed) else value


def _headline(finding: Finding, leads: Sequence[LeadTrend], number: int) -> str:
    if finding.not_assessed is not None:
        return f"ST over {number} tracings not assessed: {finding.not_assessed.detail}."
    if finding.body_site is None:
        return f"ST stable over {number} tracings in what could be compared."
    courses = {lead.lead: lead.course for lead in leads}
    parts = ", ".join(f"{name} {courses[name]}" for name in finding.body_site.split(", "))
    return f"ST changes over {number} tracings: {parts}."
