"""Everything the page of the ECGs shows: tracing, median beats, measurements beside their error."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from agent.assess import Outcome
from agent.ecg_step import EcgRun
from knowledge.ecg_accuracy import ecg_accuracy
from knowledge.errors import InputError
from knowledge.finding import Finding, State
from knowledge.quantity import format_number
from knowledge.shown import unit_shown
from serving.web.ecg_beats import beats_svg, signed
from serving.web.ecg_change import Changes, changes
from serving.web.ecg_serial import Pair, pairs
from serving.web.ecg_tracing import ROWS, tracing_svg
from serving.web.values import value_and_unit
from serving.web.words import Say
from tools.ecg.measure import measure
from tools.ecg.model import EcgMeasurements
from tools.ecg.paper import MM_PER_MV
from tools.ecg.report import ECG, EcgReport

_INTERVALS = (
    ("heart-rate", None),
    ("pr", "pr"),
    ("qrs", "qrs"),
    ("qt", "qt"),
    ("qtcf", None),
    ("qtcb", None),
    ("axis", "axis_device"),
)
_ST = ("st-j", "st-60", "st-80")
_ST_STATEMENTS = (
    "stemi_criteria",
    "omi_equivalent",
    "multivessel_ischaemia_pattern",
    "st-depression",
    "st-elevation-inferior",
    "st-elevation-lateral",
    "st-elevation-anterior",
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One measurement; `value` is empty where it is not assessed, with `reason` then.

    Args:
        device: What the recorder itself printed for it.
        error: Its measured error, of the model card.
    """

    name: str
    value: str
    unit: str
    reason: str
    device: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of the criteria, with the numbers that led to it."""

    name: str
    detail: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class EcgShown:
    """One recording.

    Args:
        key: Unique on the page.
        present, not_assessed: Statements by state; how many are absent is a number.
        st: For each lead its level at J, J+60 and J+80 ms; empty text where not assessed.
    """

    key: str
    title: str
    time: str
    zone: str
    headline: str
    analysed: bool
    tracing: Markup
    beats: Markup
    beats_note: str
    source: str
    measured: tuple[Measured, ...]
    st: tuple[tuple[str, tuple[str, ...]], ...]
    present: tuple[Statement, ...]
    not_assessed: tuple[Statement, ...]
    absent: tuple[str, ...]
    quality: tuple[str, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class EcgPage:
    """Every recording of a case, and the two that stand side by side."""

    shown: tuple[EcgShown, ...]
    pairs: tuple[Pair, ...]
    earlier: str
    later: str
    changes: Changes | None = None


def ecg_page(outcome: Outcome, say: Say) -> EcgPage:
    """Return what the page of a case's ECGs shows, oldest first."""
    zone = outcome.assessment.time_zone
    measured = [_measurements(run) for run in outcome.ecgs]
    shown = tuple(
        _shown(run, m, number, zone, say)
        for number, (run, m) in enumerate(zip(outcome.ecgs, measured, strict=True), start=1)
    )
    usable = [
        (s, m, r) for s, m, r in zip(shown, measured, outcome.ecgs, strict=True) if m is not None
    ]
    if len(usable) < 2:
        return EcgPage(shown=shown, pairs=(), earlier="", later="")
    (first, m1, r1), (last, m2, r2) = usable[-2], usable[-1]
    return EcgPage(
        shown=shown,
        pairs=pairs((m1, _trusted(r1.report)), (m2, _trusted(r2.report)), say),
        earlier=f"{first.title}, {first.time}",
        later=f"{last.title}, {last.time}",
        changes=changes([(run, m) for _, m, run in usable]),
    )


def _measurements(run: EcgRun) -> EcgMeasurements | None:
    if not run.analysed:
        return None
    try:
        return measure(run.recording)
    except InputError:
        return None


def _shown(
    run: EcgRun, m: EcgMeasurements | None, number: int, zone: str | None, say: Say
) -> EcgShown:
    report, recording = run.report, run.recording
    name = f"ecg{number}"
    by_state = {state: tuple(f for f in report.findings if f.state is state) for state in State}
    trusted = _trusted(report)
    return EcgShown(
        key=name,
        title=recording.file,
        time=say("time not given") if recording.start is None else recording.start.show(zone),
        zone=zone or "",
        headline=report.headline,
        analysed=m is not None,
        tracing=_tracing(run, m, name, say),
        beats=Markup()
        if m is None
        else beats_svg(m, trusted=trusted, met=_met(report), name=f"{name}b", say=say),
        beats_note=""
        if m is None
        else say("Median of %(used)d of %(found)d beats")
        % {"used": m.beats_used, "found": m.beats_found},
        source=f"{recording.source_format}, {recording.sampling_rate_hz:g} Hz",
        measured=tuple(_measured(report, code, error, say) for code, error in _INTERVALS),
        st=_st(report),
        present=tuple(_statement(f) for f in by_state[State.PRESENT]),
        not_assessed=tuple(_statement(f) for f in by_state[State.NOT_ASSESSED]),
        absent=tuple(f.concept.text for f in by_state[State.ABSENT]),
        quality=tuple(dict.fromkeys(p.detail for p in report.quality)),
        advice=report.advice,
    )


def _tracing(run: EcgRun, m: EcgMeasurements | None, name: str, say: Say) -> Markup:
    """Return the tracing; as recorded where nothing was measured, none of a doubtful scale."""
    if m is not None:
        return tracing_svg(m.baseline_mv, m.leads, rate_hz=m.sampling_rate_hz, name=name, say=say)
    recording = run.recording
    if recording.gain_doubt is not None or not np.isfinite(recording.signal_mv).any():
        return Markup()
    return tracing_svg(
        recording.signal_mv,
        recording.leads,
        rate_hz=recording.sampling_rate_hz,
        name=name,
        say=say,
    )


def _measured(report: EcgReport, code: str, error: str | None, say: Say) -> Measured:
    found = _of(report.measurements, code)
    device = _of(report.device_said, code)
    rows = ecg_accuracy()
    return Measured(
        name=_name(code, say),
        value=_number(found),
        unit=_unit(found),
        reason=_reason(found, say),
        device=f"{_number(device)} {_unit(device)}".strip(),
        error=rows[error].words if error is not None and error in rows else "",
    )


def _name(code: str, say: Say) -> str:
    return {
        "heart-rate": say("Rate"),
        "pr": "PR",
        "qrs": "QRS",
        "qt": "QT",
        "qtcf": "QTcF",
        "qtcb": "QTcB",
        "axis": say("Axis"),
    }[code]


def _of(findings: tuple[Finding, ...], code: str, lead: str | None = None) -> Finding | None:
    return next(
        (f for f in findings if f.concept.has(ECG, code) and (lead is None or f.body_site == lead)),
        None,
    )


def _number(finding: Finding | None) -> str:
    interval = None if finding is None else finding.interval
    if interval is None or interval.low is None:
        return ""
    return format_number(round(interval.low, 1)) if interval.is_exact else str(interval)


def _unit(finding: Finding | None) -> str:
    quantity = None if finding is None else finding.quantity
    return "" if quantity is None else unit_shown(quantity.unit)


def _reason(finding: Finding | None, say: Say) -> str:
    if finding is None:
        return say("not measured")
    return "" if finding.not_assessed is None else finding.not_assessed.detail


def _st(report: EcgReport) -> tuple[tuple[str, tuple[str, ...]], ...]:
    leads = [lead for column in zip(*ROWS, strict=True) for lead in column]
    return tuple(
        (lead, tuple(_mm(_of(report.measurements, code, lead)) for code in _ST)) for lead in leads
    )


def _mm(finding: Finding | None) -> str:
    interval = None if finding is None else finding.interval
    if interval is None or interval.low is None:
        return ""
    return signed(f"{interval.low * MM_PER_MV:.1f}", interval.low)


def _statement(finding: Finding) -> Statement:
    reason = finding.not_assessed
    where = f" ({finding.body_site})" if finding.body_site else ""
    said = value_and_unit(finding, str, time_zone=None)[0] if finding.choice else ""
    chosen = f": {said}" if said else ""
    return Statement(
        name=f"{finding.concept.text}{chosen}{where}",
        detail=finding.reported or "",
        reason="" if reason is None else reason.detail,
    )


def _trusted(report: EcgReport) -> frozenset[str]:
    return frozenset(
        f.body_site
        for f in report.measurements
        if f.body_site and f.concept.has(ECG, "st-j") and f.state is State.PRESENT
    )


def _met(report: EcgReport) -> frozenset[str]:
    found: set[str] = set()
    for code in _ST_STATEMENTS:
        finding = report.finding(code)
        if finding.state is State.PRESENT:
            found.update((finding.body_site or "").split(", "))
    return frozenset(found - {""})
